"""What notebooks show of nets, blobs, layers, solvers and scores; importing this package makes all of it known."""

from blobnet.view.notebook import blob, evaluation, layer, net, solver  # noqa: F401  (each registers what it shows)
from blobnet.view.notebook.by_class import html
from blobnet.view.notebook.live_curve import live

__all__ = ["html", "live"]
