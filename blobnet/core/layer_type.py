"""LayerType: what a layer type declares of itself, whichever net it stands in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from blobnet.core.blob import Blob

Arity = int | tuple[int, int | None]


class LayerType:
    """The declarations of a layer type, with the values of a type that declares nothing.

    They are attributes of the class. `Layer` adds what a layer in a net has, and how its run stands.
    """

    options_field: str = ""           # field of LayerParameter that holds the options of this type
    more_options: tuple[str, ...] = ()  # further such fields that it reads
    schema: str = ""                  # .proto text that a plug-in adds: its message, and the options_field
    num_bottoms: Arity = 1            # exact, or (least, most), most=None for no limit
    num_tops: Arity = 1
    same_bottoms_tops: bool = False   # as many tops as bottoms
    default_loss_weight: bool = False # a loss: the first top has weight 1 unless loss_weight says otherwise
    automatic_tops: bool = False      # tops that are not named are made, without a name
    in_place: bool = False            # whether a top may be the bottom of the same position
    reshape_always: bool = False      # reshape depends on more than the shapes of the bottoms
    unforced_bottoms: tuple[int, ...] = ()  # bottoms (labels) to which force_backward does not apply
    ignores_propagate_down: bool = False  # if it runs backward, it hands down all diffs that are needed, as Caffe's
    overwrites: bool = False          # backward overwrites the diff of a parameter, as Caffe's does
    published_gradient: bool = False  # the default is a published gradient; options.gradient: EXACT is the derivative

    # formula(self, *bottoms, *parameters): the tops in plain float64 NumPy, as a textbook writes them. It is never used
    # to compute, only to read and to prove. None where forward itself is that plain.
    formula: ClassVar[Callable[..., Any] | None] = None

    @classmethod
    def unnamed_tops(cls, bottoms: int, named: int) -> int:
        """How many tops a net makes without a name, for a layer with so many bottoms and `named` tops."""
        if not cls.automatic_tops:
            return 0
        least = cls.num_tops if isinstance(cls.num_tops, int) else cls.num_tops[0]
        return max(least - named, bottoms - named if cls.same_bottoms_tops else 0, 0)

    def multiply_adds(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> int:
        """How often a forward pass multiplies with a weight and adds. Biases and layers without weights count as 0."""
        return 0
