"""What layers that read priors share: the shapes of offsets, scores and priors."""

from __future__ import annotations

import math

from blobnet.core.blob import Blob
from blobnet.core.layer import Layer
from blobnet.errors import NetError, ShapeError


class PriorReader(Layer):
    """Bottoms begin with offsets (N, 4PL), scores (N, PC) and priors (1, 2, 4P); L is 1 or, not shared, C."""

    def setup(self, bottom, top):
        options = self.options
        if not options.num_classes:
            raise NetError(self.where, expected="num_classes of at least 1", got=options.num_classes,
                           hint=f"write {self.options_field} {{ num_classes: … }}, the background included")
        self.classes = options.num_classes
        self.code = options.CodeType.Name(options.code_type)

    def check_priors(self, bottom: list[Blob]) -> None:
        """Set `images`, `priors` and `boxes_a_prior`; ShapeError if the bottoms do not fit together."""
        offsets, scores, priors = (blob.shape for blob in bottom[:3])
        if len(priors) < 3 or priors[0] < 1 or priors[1] != 2 or math.prod(priors[2:]) % 4:
            raise ShapeError(self.where, expected="priors of shape (1, 2, 4P), boxes and then variances", got=priors,
                             hint="they are what PriorBox layers give, joined by a Concat along axis 2")
        self.boxes_a_prior = 1 if self.options.share_location else self.classes
        self.priors = math.prod(priors[2:]) // 4
        self.images = offsets[0] if offsets else 0
        for name, shape, size in (("offsets", offsets, 4 * self.boxes_a_prior), ("scores", scores, self.classes)):
            if shape[:1] != (self.images,) or math.prod(shape[1:]) != self.priors * size:
                raise ShapeError(self.where, got=shape, expected=f"{name} of shape ({self.images}, {self.priors * size}"
                                 f"), {size} for each of {self.priors} priors")

    def read_priors(self, priors: Blob):
        """Boxes and variances, (P, 4) each."""
        boxes, variances = priors.data[0].reshape(2, -1, 4)
        return boxes, variances
