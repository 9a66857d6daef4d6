"""The vectors that a trial learns from, encodes and ranks: pixels of a database, or the values in a file of codes."""

from __future__ import annotations

import numpy as np

from blobnet.data.batches.datums import DatumBatches
from blobnet.data.images.transformer import Transformer
from blobnet.data.stores.ids import first_ids
from blobnet.errors import DataError
from blobnet.hashing.codes import Codes
from blobnet.hashing.neighbours import Neighbours
from blobnet.hashing.protocol import Protocol
from blobnet.hashing.real_index import EuclideanIndex
from blobnet.proto.messages import new
from blobnet.recipes.sources import open_source
from blobnet.recipes.trial import Trial


def count_vectors(trial: Trial, name: str) -> int:
    """How many vectors the option `name`, queries, base or train, names."""
    path = trial.data / trial.options[name]
    return len(Codes.load(path, mmap=True) if path.suffix == ".npz" else open_source(trial, name))


def read_vectors(trial: Trial, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray | list[str] | None]:
    """The queries, the base or what is learned from as rows (N, D) of the scale asked for, labels (N,) and ids."""
    options, path = trial.options, trial.data / trial.options[name]
    count = options[f"num_{name}"] if name != "train" else 0  # of train those that are drawn later
    if path.suffix == ".npz":
        codes = Codes.load(path)
        if codes.values is None or codes.labels is None:
            raise DataError(str(path), expected="codes with their values, which are learned from, and labels",
                            got="none", hint="`blobnet encode` writes them")
        vectors, labels = codes.values[:count or None], codes.labels[:count or None]
        ids: np.ndarray | list[str] | None = None if codes.ids is None else codes.ids[:len(vectors)]
    else:
        reader = open_source(trial, name)
        transformer = Transformer(new("TransformationParameter"), False, reader.where)
        images, labels = DatumBatches(reader, transformer, count or len(reader))(0)
        vectors, ids = images.reshape(len(images), -1), first_ids(reader.keys(), len(images))
    if options["divide"]:
        return vectors / np.float32(options["divide"]), labels, ids
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors * (options["length"] / np.where(lengths > 0, lengths, 1)), labels, ids


def nearest(protocol: Protocol, queries: np.ndarray, base: np.ndarray) -> Neighbours | None:
    """The nearest vectors of the base for each query, where the protocol asks for them."""
    if protocol.relevance != "neighbours":
        return None
    values = [Codes.from_values(vectors) for vectors in (queries, base)]
    return EuclideanIndex(values[1]).search(values[0], top=protocol.num_neighbours or 50)
