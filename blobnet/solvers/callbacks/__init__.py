"""Callbacks: watchers of a solver that a user takes from the shelf: `solver.watch(EarlyStopping("accuracy", 5))`.

They are told what they need at every event, and keep no solver.
"""

from blobnet.solvers.callbacks.best_snapshot import BestSnapshot
from blobnet.solvers.callbacks.early_stopping import EarlyStopping
from blobnet.solvers.callbacks.json_log import JsonLog
from blobnet.solvers.callbacks.rate_finder import RateTest, find_rate
from blobnet.solvers.callbacks.tensorboard import TensorBoard

__all__ = ["BestSnapshot", "EarlyStopping", "JsonLog", "RateTest", "TensorBoard", "find_rate"]
