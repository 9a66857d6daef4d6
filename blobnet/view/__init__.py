"""Pictures: training and retrieval curves, grids of results. Matplotlib is loaded when the first one is drawn."""

from blobnet.view.curves import plot_loss, plot_precision_recall, plot_retrieval_curves
from blobnet.view.grid import plot_retrieval

__all__ = ["plot_loss", "plot_precision_recall", "plot_retrieval", "plot_retrieval_curves"]
