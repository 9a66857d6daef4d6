"""Learning: a solver that trains a net on arrays, in batches that are drawn anew in every epoch."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np
from google.protobuf.message import Message
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state

from blobnet.core.context import TRAIN
from blobnet.core.registry import declarations
from blobnet.errors import EstimatorError
from blobnet.netdef.load import load_filtered
from blobnet.proto.messages import new
from blobnet.sklearn.definitions import data_tops, definitions
from blobnet.sklearn.learned_net import LearnedNet
from blobnet.solvers import get_solver

NO_Y = "requires y to be passed, but the target y is None"  # as scikit-learn says it
MOST = 200  # items of a batch, if nobody says another number
NETS = ("net", "net_param", "train_net", "train_net_param", "train_state", "test_net", "test_net_param", "test_iter",
        "test_state", "test_interval")


class Learning:
    """The training of an estimator with the parameters net, solver, max_iter, batch_size, device and random_state.

    made: the net for the data, if none is given; dtype: of all blobs; shape: of an item; label_shape: of what belongs
    to it. solver: what trains; it neither tests nor writes anything.
    """

    def __init__(self, estimator: BaseEstimator, made: Message | None, dtype: np.dtype, shape: tuple[int, ...],
                 label_shape: tuple[int, ...] = ()):
        self.where = type(estimator).__name__
        self.net, settings = definitions(estimator.net, estimator.solver, made, self.where)
        self.in_training = load_filtered(self.net, TRAIN, 0, (), "")
        self.tops = data_tops(self.in_training, self.where)
        self.inputs = dict(zip(self.tops, [(1, *shape), (1, *label_shape)]))
        self.seed = int(check_random_state(estimator.random_state).randint(np.iinfo(np.int32).max))
        self.batch_size = self._at_least_one("batch_size", estimator.batch_size, self._declared_batch_size())
        settings.max_iter = self._at_least_one("max_iter", estimator.max_iter, settings.max_iter)
        for field in NETS:
            settings.ClearField(field)
        settings.MergeFrom(new("SolverParameter", snapshot=0, snapshot_after_train=False, random_seed=self.seed))
        settings.net_param.CopyFrom(self.in_training)
        self.solver = get_solver(settings, device=estimator.device, dtype=str(dtype), inputs=self.inputs)

    def _declared_batch_size(self) -> int:
        fields = [(layer, declarations(layer).batch_field) for layer in self.in_training.layer]
        return next((getattr(layer, field).batch_size for layer, field in fields if field), MOST)

    def _at_least_one(self, name: str, given: int | None, default: int) -> int:
        value = default if given is None else given
        if value < 1:
            raise EstimatorError(self.where, expected=f"a {name} of at least 1", got=value)
        return int(value)

    def feed(self, data: np.ndarray, labels: np.ndarray | None) -> int:
        """Let the solver learn from data (N, D), and labels (N, …) if the net reads any; return the batches an epoch.
        """
        arrays = [data.reshape(len(data), *self.inputs[self.tops[0]][1:])]
        if len(self.tops) > 1:
            if labels is None:
                raise EstimatorError(self.where, f"{NO_Y}: the net reads {self.tops[1]!r}")
            arrays.append(labels)
        batches = Batches(arrays, min(self.batch_size, len(data)), self.seed + self.solver.iter)
        self.solver.feed(batches)
        return len(batches)

    def learned(self, blob: str) -> LearnedNet:
        """The net as it is now, which is asked for `blob`."""
        return LearnedNet(self.net, self.solver.net, self.inputs, blob)


@dataclasses.dataclass
class Batches:
    """Tuples with `size` rows of each of the arrays, in a new order whenever it is iterated over; a rest is left."""

    arrays: Sequence[np.ndarray]
    size: int
    seed: int

    def __post_init__(self) -> None:
        self._random = np.random.default_rng(self.seed)

    def __len__(self) -> int:
        return len(self.arrays[0]) // self.size

    def __iter__(self) -> Iterator[tuple[np.ndarray, ...]]:
        order = self._random.permutation(len(self.arrays[0]))
        for start in range(0, len(self) * self.size, self.size):
            yield tuple(array[order[start:start + self.size]] for array in self.arrays)
