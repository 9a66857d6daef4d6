"""What the layers with anchors have in common."""

import numpy as np

from blobnet.errors import ShapeError
from fast_rcnn.layer import SettingsLayer
from rpn.generate_anchors import anchor_grid, generate_anchors


class AnchorLayer(SettingsLayer):
    """A layer that knows the anchors at each place of its first bottom (1, C, H, W)."""

    needs = {"feat_stride": None, "scales": (8, 16, 32), "ratios": (0.5, 1, 2)}

    def setup(self, bottom, top):
        super().setup(bottom, top)
        self.anchors = generate_anchors(16, self.settings.ratios, self.settings.scales)

    def grid(self, shape: tuple[int, ...], per_anchor: int) -> np.ndarray:
        """(H, W, A, 4): the anchors; ShapeError unless the shape is that of a map with `per_anchor` A channels."""
        channels = per_anchor * len(self.anchors)
        if len(shape) != 4 or shape[:2] != (1, channels):
            raise ShapeError(self.where, expected=f"a map (1, {channels}, H, W), of one image and {len(self.anchors)} "
                             "anchors", got=shape, hint="'scales' and 'ratios' in param_str say how many anchors")
        return anchor_grid(self.anchors, *shape[2:], self.settings.feat_stride)
