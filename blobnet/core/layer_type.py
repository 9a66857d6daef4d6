"""LayerType: what a layer type declares of itself, whichever net it stands in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar

from google.protobuf.message import Message

from blobnet.core.blob import Blob
from blobnet.core.pairs import Pairs
from blobnet.netdef.windows import CoordinateMap
from blobnet.netdef.words import option_words

Arity = int | tuple[int, int | None]
Shape = tuple[int, ...]
IDENTITY: CoordinateMap = (None, 1, 0)


class LayerType:
    """The declarations of a layer type, with the values of a type that declares nothing.

    They are attributes and class methods: whoever wants to know asks the class, with the LayerParameter of a layer that
    need not be built. `Layer` adds what a layer in a net has, and how its run stands.
    """

    options_field: str = ""           # field of LayerParameter that holds the options of this type
    more_options: tuple[str, ...] = ()  # further such fields that it reads
    variant_of: str = ""              # a name that a prototxt may write for this type; then `claims` says when
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
    saved_without_ones: bool = False  # parameters in files may lack the ones at the end of their shapes
    param_names: tuple[str, ...] = ()  # what its parameters are called in files, see `parameter_names`
    legacy_axes: tuple[int, ...] = ()  # the axes of its parameters, where the oldest files give all of them four
    published_gradient: bool = False  # the default is a published gradient; options.gradient: EXACT is the derivative
    replays: bool | None = None       # whether forward and backward may be replayed on a GPU, see `can_replay`

    # What goes through.
    passes_labels: bool = False       # every number of a top is one of a bottom, so a label is still one behind it
    is_split: bool = False            # hands one blob to several readers; nets insert it, and tables leave it out
    size_bottoms: tuple[int, ...] = ()  # bottoms of which only the sizes count, not the numbers
    keeps_coordinates: bool = False   # the places of a top are those of the bottoms, as element by element

    # Where gradients end; see also `bounds`.
    rectifies: bool = False           # a top is never below 0, but for leaks, and hands no gradient down where it is 0
    keeps_statistics: bool = False    # its parameters are statistics that forward gathers; nothing learns them

    # Where data comes from.
    is_input: bool = False            # the user writes the tops, which are the inputs of the net
    batch_field: str = ""             # field of LayerParameter with the batch_size of a type that reads data
    source_field: str = ""            # the one with the `source` of records, which may be exchanged for another
    label_tops: tuple[int, ...] = ()  # tops with labels: whole numbers, a row of them for a row of the first top

    # What pictures and tables of a net show.
    key_options: Mapping[str, str] = MappingProxyType({})  # fields of the options, with the word to put before each
    window_field: str = ""            # field of LayerParameter with the kernel_size, stride and pad of a window
    shows_rates: bool = False         # the learning rates of its weights and biases, as Caffe's draw_net shows them

    # formula(self, *bottoms, *parameters): the tops in plain float64 NumPy, as a textbook writes them. It is never used
    # to compute, only to read and to prove. None where forward itself is that plain; it returns None where the options
    # ask for random numbers.
    formula: ClassVar[Callable[..., Any] | None] = None

    @classmethod
    def unnamed_tops(cls, bottoms: int, named: int) -> int:
        """How many tops a net makes without a name, for a layer with so many bottoms and `named` tops."""
        if not cls.automatic_tops:
            return 0
        least = cls.num_tops if isinstance(cls.num_tops, int) else cls.num_tops[0]
        return max(least - named, bottoms - named if cls.same_bottoms_tops else 0, 0)

    @classmethod
    def claims(cls, param: Message) -> bool:
        """Whether a LayerParameter of the type `variant_of` means this type, by the fields that it has."""
        raise NotImplementedError(f"{cls.__name__} must define claims")

    @classmethod
    def parameter_names(cls, layer: Message) -> tuple[str, ...]:
        """What the parameters are called in files of named arrays, in their order and without points in the names.
        Those behind the last name are called by their numbers."""
        return cls.param_names

    @classmethod
    def complete(cls, layer: Message, below: Sequence[Message]) -> None:
        """Write options into `layer` that follow from the layers before it in the net, `below`, in their order."""

    def multiply_adds(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> int:
        """How often a forward pass multiplies with a weight and adds. Biases and layers without weights count as 0."""
        return 0

    def code_pairs(self, bottom: Sequence[Blob]) -> Pairs | None:
        """How the last forward pass of a loss over all pairs of a batch sees them; None for other layers."""
        return None

    @classmethod
    def can_replay(cls) -> bool:
        """Whether a GPU may do again what one forward and backward started there, for the next iterations.

        All that changes from one to the next must lie in arrays of the device; numbers of the host stay what they were.
        Of a type that says nothing in `replays`, it is taken for true of blobnet's own types alone.
        """
        return cls.__module__.startswith("blobnet.layers.") if cls.replays is None else cls.replays

    @classmethod
    def coordinates(cls, layer: Message) -> CoordinateMap | None:
        """(axis, scale, shift): coordinate x of a bottom lies at scale * x + shift in the tops, along all axes after
        `axis`, None if that does not matter. None for types whose tops have no coordinates in the bottoms."""
        return IDENTITY if cls.keeps_coordinates else None

    @classmethod
    def bounds(cls, layer: Message) -> tuple[float, float] | None:
        """(low, high): what the numbers of the tops come close to or stop at, where hardly a gradient goes through. It
        is -inf or inf on a side that has no such number. None for types without bounds."""
        return None

    @classmethod
    def needs_data(cls, layer: Message) -> bool:
        """Whether the tops come from files, from memory or from a random stream, so that they have to be given where a
        net is built without its data."""
        return bool(cls.batch_field)

    @classmethod
    def declared_shapes(cls, layer: Message, batch: int) -> Sequence[Shape | None]:
        """The shapes of the tops in a batch of `batch` rows, as far as the options tell: 0 for a number that they leave
        open. None for a shape that they leave open, which is taken to be as the first top; the last ones may be left
        out."""
        return []

    @classmethod
    def read_shape(cls, layer: Message, top: int, batch: int) -> Shape | None:
        """The shape of one top in a batch of `batch` rows, judged by the first record of the source. None if that does
        not tell, or if the source is not there."""
        return None

    @classmethod
    def count_records(cls, layer: Message) -> int:
        """How many records the source holds. For types with a source_field."""
        raise NotImplementedError(f"{cls.__name__} must define count_records")

    @classmethod
    def facts(cls, layer: Message) -> list[str]:
        """The key options in a few words, a line each: batch size and `key_options`."""
        lines = [option_words(getattr(layer, cls.batch_field), "batch_size", "batch")] if cls.batch_field else []
        return lines + [option_words(getattr(layer, cls.options_field), field, word)
                        for field, word in cls.key_options.items()]
