"""Pictures of nets."""

from blobnet.view.draw.draw import draw_net

__all__ = ["draw_net"]
