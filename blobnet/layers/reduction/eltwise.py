"""Element-wise combination of several blobs."""

from __future__ import annotations

from functools import reduce

import numpy as np

from blobnet.core.layer import Layer
from blobnet.core.registry import register
from blobnet.core.terms import Factor, Place, Terms
from blobnet.errors import NetError, ShapeError


@register
class Eltwise(Layer):
    """Add, multiply, or take the maximum of blobs of one shape.

    SUM: y = sum_i coeff_i * x_i,   dx_i = coeff_i * dy
    PROD: y = prod_i x_i,   dx_i = dy * product of the others
    MAX: y = max_i x_i,   dx_i = dy where x_i was taken, else 0

    Bottoms: x_0, x_1, ... (one shape)    Tops: y (as x_0)    Params: none
    Options: operation (SUM), coeff (one a bottom, for SUM; MAX ignores it), stable_prod_grad (true)
    Paper: none.
    Quirks: of equal maxima in the first two bottoms the second is taken, otherwise the earlier one. With
    stable_prod_grad false the product of the others is y / x_i, which is nan where x_i is 0.
    """

    options_field = "eltwise_param"
    keeps_coordinates = True
    key_options = {"operation": ""}
    num_bottoms = (2, None)

    def setup(self, bottom, top):
        options = self.options
        self.operation = {options.SUM: "sum", options.PROD: "prod", options.MAX: "max"}[options.operation]
        if options.coeff and self.operation == "prod":
            raise NetError(self.where, "coefficients do not go with PROD",
                           hint="remove coeff, or scale the bottoms before")
        if len(options.coeff) not in (0, len(bottom)):
            raise NetError(self.where, expected=f"no coeff or one a bottom ({len(bottom)})", got=len(options.coeff))
        self.coefficients = list(options.coeff) or [1.0] * len(bottom)

    def reshape(self, bottom, top):
        for i, blob in enumerate(bottom):
            if blob.shape != bottom[0].shape:
                raise ShapeError(self.where, f"bottom {i} {self.param.bottom[i]!r}",
                                 expected=f"shape {bottom[0].shape}", got=blob.shape)
        top[0].reshape(bottom[0].shape)

    def terms(self, place, bottom, top):
        at = place.index
        if place.kind == "top":
            return self._forward_terms(place, bottom)
        dy = Factor(float(top[0].diff[at]), Place("top", 0, "diff", at))
        if self.operation == "prod" and self.options.stable_prod_grad:
            others = [self._factor(j, bottom, at) for j in range(len(bottom)) if j != place.number]
            return Terms(place, [(dy, *others)], "the product of the others is the slope")
        if self.operation == "prod":
            return super().terms(place, bottom, top)
        slope = self.coefficients[place.number] if self.operation == "sum" else float(self.taken[at] == place.number)
        return Terms(place, [(dy, Factor(slope, None, "coefficient" if self.operation == "sum" else "taken"))])

    def _forward_terms(self, place, bottom):
        factors = [self._factor(i, bottom, place.index) for i in range(len(bottom))]
        if self.operation == "sum":
            return Terms(place, [(factor, Factor(c, None, "coefficient")) if c != 1 else (factor,)
                                 for factor, c in zip(factors, self.coefficients)])
        taken = factors if self.operation == "prod" else [factors[int(self.taken[place.index])]]
        return Terms(place, [tuple(taken)])

    def _factor(self, i, bottom, at):
        return Factor(float(bottom[i].data[at]), Place("bottom", i, "data", at))

    def arithmetic(self):
        if self.operation == "prod" and not self.options.stable_prod_grad:
            return None
        return {"kind": "eltwise", "operation": self.operation, "coefficients": self.coefficients}

    def forward(self, bottom, top):
        y, x = top[0].data, [blob.data for blob in bottom]
        if self.operation == "sum" and set(self.coefficients) == {1}:
            self.xp.add(x[0], x[1], out=y)
            for value in x[2:]:
                y += value
        elif self.operation == "sum":
            self.xp.multiply(x[0], self.coefficients[0], out=y)
            for value, coefficient in zip(x[1:], self.coefficients[1:]):
                y += value if coefficient == 1 else value * coefficient
        elif self.operation == "prod":
            self.xp.multiply(x[0], x[1], out=y)
            for value in x[2:]:
                y *= value
        else:
            self.taken = self.xp.asarray(x[0] <= x[1], self.xp.int32)
            self.xp.maximum(x[0], x[1], out=y)
            for i, value in enumerate(x[2:], 2):
                self.xp.copyto(self.taken, i, where=value > y)
                self.xp.maximum(y, value, out=y)

    def backward(self, top, propagate_down, bottom):
        dy = top[0].diff
        for i, blob in enumerate(bottom):
            if not propagate_down[i]:
                continue
            if self.operation == "sum":
                self.xp.multiply(dy, self.coefficients[i], out=blob.diff)
            elif self.operation == "prod":
                self.xp.multiply(self._product_of_others(i, top, bottom), dy, out=blob.diff)
            else:
                self.xp.multiply(dy, self.taken == i, out=blob.diff)

    def _product_of_others(self, i: int, top, bottom):
        if not self.options.stable_prod_grad:
            with np.errstate(invalid="ignore", divide="ignore"):
                return top[0].data / bottom[i].data
        others = [blob.data for j, blob in enumerate(bottom) if j != i]
        return reduce(self.xp.multiply, others)
