"""Net definitions: from the message that was read to the one that is built, by pure functions message -> message."""

from blobnet.netdef.load import load
from blobnet.netdef.solver_nets import net_sources, test_nets, train_net
from blobnet.netdef.splits import insert_splits
from blobnet.netdef.state import filter_net, net_state
from blobnet.netdef.upgrade import upgrade_net, upgrade_solver

__all__ = ["filter_net", "insert_splits", "load", "net_sources", "net_state", "test_nets", "train_net", "upgrade_net",
           "upgrade_solver"]
