"""The files that hold what a solver remembers: .solverstate, a SolverState message, and .solverstate.h5, in HDF5.

The HDF5 file has the datasets iter and current_step (integers), learned_net (text), and history/0, history/1 ….
random_seed, weights_size, weights_crc, processes and tests (prototxt, in a text) are blobnet's own; Caffe does not look
for them.
"""

from __future__ import annotations

import dataclasses
import os
import zlib
from collections.abc import Sequence

import numpy as np
from google.protobuf.message import Message

from blobnet.errors import SolverError
from blobnet.proto import hdf5
from blobnet.proto.binary import read_weights, write_weights
from blobnet.proto.blobs import set_blob, shaped_array
from blobnet.proto.hdf5_bytes import is_hdf5, named_hdf5
from blobnet.proto.messages import new
from blobnet.proto.text import dump, parse
from blobnet.solvers.tested import Series

OWN = ("random_seed", "weights_size", "weights_crc", "processes")


@dataclasses.dataclass
class State:
    """What a solver remembers.

    iter: how many updates were made; model: the file with the weights, None if it is not known; current_step: how many
    steps down the learning rate has taken; history: arrays in the order of `Solver.history`; random_seed: what all
    random numbers came from; weights: `fingerprint(model)`; these two are None in files that Caffe wrote. processes:
    how many trained together; tests: the outputs of the tests so far.
    """

    iter: int
    model: str | None
    current_step: int
    history: Sequence[np.ndarray]
    random_seed: int | None = None
    weights: tuple[int, int] | None = None
    processes: int = 1
    tests: Sequence[Series] = ()


def fingerprint(path: str | os.PathLike) -> tuple[int, int]:
    """Size and CRC-32 of the file `path`, by which it is recognized."""
    size = crc = 0
    with open(path, "rb") as file:
        while part := file.read(1 << 20):
            size, crc = size + len(part), zlib.crc32(part, crc)
    return size, crc


def write_state(path: str | os.PathLike, state: State) -> None:
    """Write `state` to `path`, atomically, as HDF5 if the name ends in .h5."""
    if named_hdf5(path):
        return _write_hdf5(path, state)
    message = new("SolverState", iter=state.iter, learned_net=state.model or "", random_seed=state.random_seed,
                  current_step=state.current_step)
    arrays: list[dict[str, np.ndarray]] = []
    if state.weights is not None:
        message.weights_size, message.weights_crc = state.weights
    if state.processes != 1:
        message.processes = state.processes
    for array in state.history:
        set_blob(message.history.add(), array, arrays)
    _put_tests(message, state)
    write_weights(path, message, arrays)


def read_state(path: str | os.PathLike) -> State:
    """The state in the file `path`, of either format. ParseError, DataError or SolverError for a damaged file."""
    state = _read_hdf5(path) if is_hdf5(path) else _read_binary(path)
    if state.iter < 0:
        raise SolverError(os.fspath(path), expected="iter of at least 0", got=state.iter, hint=hdf5.HINT)
    return state


def _read_binary(path: str | os.PathLike) -> State:
    message, arrays = read_weights(path, "SolverState")
    history = [shaped_array(blob, arrays, f"{os.fspath(path)}: history blob {i}")
               for i, blob in enumerate(message.history)]
    return State(message.iter, message.learned_net or None, message.current_step, history,
                 message.random_seed if message.HasField("random_seed") else None,
                 (message.weights_size, message.weights_crc) if message.HasField("weights_crc") else None,
                 message.processes, _get_tests(message, os.fspath(path)))


def _write_hdf5(path: str | os.PathLike, state: State) -> None:
    with hdf5.writing(path) as file:
        file["iter"] = np.array([state.iter], np.int32)
        hdf5.write_text(file, "learned_net", state.model or "")
        file["current_step"] = np.array([state.current_step], np.int32)
        file["random_seed"] = np.array([state.random_seed], np.int64)
        if state.weights is not None:
            for name, value in zip(OWN[1:3], state.weights):
                file[name] = np.array([value], np.int64)
        if state.processes != 1:
            file["processes"] = np.array([state.processes], np.int64)
        if state.tests:
            message = new("SolverState")
            _put_tests(message, state)
            hdf5.write_text(file, "tests", dump(message))
        history = file.create_group("history")
        for i, array in enumerate(state.history):
            history[str(i)] = array


def _read_hdf5(path: str | os.PathLike) -> State:
    where = hdf5.hdf5_where(path)
    with hdf5.reading(path) as file:
        found = {name: hdf5.find(file, name, where) for name in ("iter", "current_step", "learned_net", "tests", *OWN)}
        group = hdf5.find(file, "history", where)
        if found["iter"] is None or group is None:
            raise SolverError(where, expected="a solver's state, with iter and history", got="something else",
                              hint="weights go to --weights, or copy_from" if "data" in file else "")
        names = hdf5.dataset_names(group, where)
        history = []
        for i in range(len(names)):
            dataset = hdf5.find(group, str(i), where)
            if dataset is None:
                raise SolverError(where, f"no dataset 'history/{i}', but {len(names)} there", hint=hdf5.HINT)
            history.append(hdf5.read_numbers(dataset, f"history/{i}", where))
        numbers = {name: _integer(found[name], name, where) for name in ("iter", "current_step", *OWN)}
        model = hdf5.read_text(found["learned_net"], "learned_net", where) if found["learned_net"] is not None else ""
        seed, size, crc, processes = (numbers[name] for name in OWN)
        tests = hdf5.read_text(found["tests"], "tests", where) if found["tests"] is not None else ""
        return State(numbers["iter"] or 0, model or None, numbers["current_step"] or 0, history, seed,
                     None if size is None or crc is None else (size, crc), processes or 1,
                     _get_tests(parse(tests, "SolverState", f"{where}: dataset 'tests'"), where))


def _put_tests(message: Message, state: State) -> None:
    for output, iterations, values in state.tests:
        message.tests.add(output=output, iteration=iterations, value=values)


def _get_tests(message: Message, where: str) -> list[Series]:
    """The outputs of tests; SolverError for one whose iterations and values do not pair up."""
    for test in message.tests:
        if len(test.iteration) != len(test.value):
            raise SolverError(where, f"test output {test.output!r}", expected="as many values as iterations",
                              got=f"{len(test.value)} and {len(test.iteration)}", hint=hdf5.HINT)
    return [Series(test.output, list(test.iteration), list(test.value)) for test in message.tests]


def _integer(dataset, name: str, where: str) -> int | None:
    if dataset is None:
        return None
    values = hdf5.read_numbers(dataset, name, where)
    if values.size != 1 or values.dtype.kind not in "iu":
        raise SolverError(where, f"dataset {name!r}", expected="an integer", got=f"{values.dtype} {values.shape}")
    return int(values.reshape(()))
