"""What a solver type declares and writes."""

from __future__ import annotations

from google.protobuf.message import Message


class SolverType:
    """The part of a solver that differs from type to type.

    num_histories: how many arrays are remembered for every parameter; needs_rate: whether there must be base_lr and
    lr_policy; decoupled_decay: whether weight decay stays out of the gradient, so that `update` calls `regularize`
    where its paper has it; whole_parameters: whether `update` is given whole parameters, whose norms it needs, instead
    of pieces of them; schema: .proto text that a plug-in adds: extend SolverParameter { … }.

    kernel: the rule in ops/cuda/updates.cu that computes the same as `update` for all parameters at once. Where there
    is none, as in plug-ins, a GPU calls `update` parameter by parameter.
    """

    param: Message
    num_histories: int = 1
    needs_rate: bool = True
    decoupled_decay: bool = False
    whole_parameters: bool = False
    schema: str = ""
    kernel: str = ""

    def check(self) -> None:
        """Raise SolverError for settings in `self.param` that this type cannot work with."""

    def shares(self) -> tuple[float, ...]:
        """For the kernel: the share of the past in each running mean, such as the momentum."""
        return (self.param.momentum,)

    def corrections(self) -> tuple[float, float]:
        """For the kernel: two numbers that change from one iteration to the next, beside the rate."""
        return 1.0, 1.0

    def update(self, rate: float, values, gradient, scratch, *history) -> None:
        """Turn `gradient` into the update, in place: it is subtracted from `values` afterwards.

        Called for pieces of a parameter, in several threads: all arrays are flat and of one length. `rate` includes the
        parameter's lr_mult. `values` are the parameter's own, and not to be changed. `gradient` is clipped, averaged
        and, unless `decoupled_decay`, regularized. `scratch` is for passing use. `history` are the pieces of the
        `num_histories` arrays, which are kept from one iteration to the next; `self.iter` counts the iterations from 0.
        """
        raise NotImplementedError(f"{type(self).__name__} must define update")
