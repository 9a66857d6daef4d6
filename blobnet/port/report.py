"""What is said of a file that was looked at."""

from __future__ import annotations

import dataclasses

from blobnet.errors import BlobnetError

Shape = tuple[int, ...]


@dataclasses.dataclass
class Obstacle:
    """Something that a user has to mend.

    kind: "syntax", "field" (or value), "type" (of a layer), "python" (a module), "net" (generations, bottoms, shapes),
    "forward", "backward" or "file"; text: what is wrong and what to do; places: where, as file:line:column and perhaps
    the layer, as far as it is known.
    """

    kind: str
    text: str
    places: list[str]


@dataclasses.dataclass
class StateReport:
    """A net in a phase and stages.

    layers: how many, without Splits; built, forward, backward: None where it was not tried; assumed: shapes of tops
    that nothing tells; rows: the batch of the trial, None for that of the net; memory: bytes that a pass forward and
    backward takes; multiply_adds: of a pass forward; note: why something was not tried.
    """

    phase: str
    stages: list[str]
    layers: int
    built: bool = False
    forward: bool | None = None
    backward: bool | None = None
    assumed: dict[str, Shape] = dataclasses.field(default_factory=dict)
    rows: int | None = None
    memory: int | None = None
    multiply_adds: int | None = None
    note: str = ""


@dataclasses.dataclass
class FileReport:
    """A file.

    kind: "net", "solver" or "other"; generation: "V0", "V1" or "today"; origins: programs whose types or fields the net
    has, beside Caffe 1.0's; parsed: whether every field and value is known; nets: of a solver, the files of its nets;
    types: how often each layer type is there; modules: the classes of Python layers, as (module, class, param_str);
    ignored: fields without an effect here, with the reason.
    """

    path: str
    kind: str
    generation: str = ""
    origins: list[str] = dataclasses.field(default_factory=list)
    parsed: bool = False
    nets: list[str] = dataclasses.field(default_factory=list)
    types: dict[str, int] = dataclasses.field(default_factory=dict)
    modules: list[tuple[str, str, str]] = dataclasses.field(default_factory=list)
    states: list[StateReport] = dataclasses.field(default_factory=list)
    obstacles: list[Obstacle] = dataclasses.field(default_factory=list)
    ignored: list[str] = dataclasses.field(default_factory=list)

    def __post_init__(self):
        self._known: dict[tuple[str, str], Obstacle] = {}

    def add(self, kind: str, error: Exception) -> None:
        """Note an obstacle: one for all places with the same text, and a place once, whichever states show it."""
        text = str(error).split("\n", 1)[0]  # a line of the file may follow
        where = error.where if isinstance(error, BlobnetError) else ""
        text = text.removeprefix(f"{where}: ") if where else f"{type(error).__name__}: {text}"
        obstacle = self._known.get((kind, text))
        if obstacle is None:
            obstacle = self._known[kind, text] = Obstacle(kind, text, [])
            self.obstacles.append(obstacle)
        if where and where not in obstacle.places:
            obstacle.places.append(where)

    @property
    def is_net(self) -> bool:
        """Whether there is a net in the file, be it in a solver."""
        return self.kind == "net" or bool(self.states)

    @property
    def built(self) -> bool:
        """Whether the net is read and built in all its states."""
        return self.parsed and bool(self.states) and all(state.built for state in self.states)

    def ran(self, direction: str) -> bool | None:
        """Whether all states that were tried ran "forward" or "backward"; None if none was."""
        tried = [ran for state in self.states if (ran := getattr(state, direction)) is not None]
        return all(tried) if tried and self.built else False if tried else None

    def as_dict(self) -> dict:
        """For JSON."""
        result = dataclasses.asdict(self)
        if self.is_net:
            result |= {"built": self.built, "forward": self.ran("forward"), "backward": self.ran("backward")}
        return result
