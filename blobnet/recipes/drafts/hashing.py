"""A net that learns hash codes of imported photos, its solver and its recipe."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from google.protobuf.message import Message

from blobnet.core.context import TEST
from blobnet.core.net import Net
from blobnet.core.without_data import without_data
from blobnet.data.sets.imported import Imported
from blobnet.errors import FEW, DataError, close_matches, within
from blobnet.netdef.load import load
from blobnet.proto.compact import compact
from blobnet.proto.messages import new
from blobnet.proto.storage import require_file
from blobnet.recipes.drafts.heads import CODE, METHODS, read_head
from blobnet.recipes.drafts.trunks import SMALL, Trunk, read_trunk

SCALE = 1 / 64  # of images minus their mean, so that they are about one
BATCH, FINE_BATCH = 100, 32
ORDER = ("net", "weights", "type", "base_lr", "momentum", "momentum2", "weight_decay", "lr_policy", "gamma",
         "stepvalue", "display", "average_loss", "max_iter", "snapshot", "snapshot_prefix", "solver_mode")


@dataclass(frozen=True)
class Draft:
    """What is asked for: `bits` long codes of the photos `data`, files in `folder`.

    method: a name of METHODS; net: one of trunks.NETS; weights: a file to start from, needed by all nets but the small
    one.
    """

    data: Imported
    folder: Path
    bits: int
    method: str = "dsh"
    net: str = SMALL
    weights: str = ""

    @property
    def name(self) -> str:
        """What the files are about, such as dsh_24 or dsh_24_alexnet."""
        return f"{self.method}_{self.bits}" + (f"_{self.net}" if self.net != SMALL else "")

    @property
    def snapshot(self) -> Path:
        """The weights that the training ends with."""
        return self.folder / f"{self.name}_iter_{self.iterations}.caffemodel"

    @property
    def batch(self) -> int:
        """Images of a batch: as many as there are, if they are few."""
        return min(FINE_BATCH if self.weights and self.net != SMALL else BATCH, self.data.train)

    @property
    def iterations(self) -> int:
        """Forty times all photos, in hundreds; no fewer than 300 iterations, no more than 2,000."""
        return min(max(-(-40 * self.data.train // self.batch // 100) * 100, 300), 2000)

    def files(self) -> dict[str, str]:
        """The texts of the three files by their names. DataError for what cannot be."""
        if self.method not in METHODS:
            raise DataError(f"method {self.method!r}", "is not known", hint=close_matches(self.method, METHODS))
        if self.bits < 1:
            raise DataError("bits", expected="at least 1", got=self.bits)
        if self.net != SMALL and not self.weights:
            raise DataError(f"net {self.net!r}", "no weights to start from", hint="give a published .caffemodel of it "
                            f"with --weights, or take the net {SMALL!r}, which learns from nothing")
        net = self._net(read_trunk(self.net, self.data.size))
        check_net(net, self.weights)
        return {"train_test.prototxt": net_text(net, self._about()), "solver.prototxt": self._solver(),
                "recipe.yaml": self._recipe()}

    def _about(self) -> list[str]:
        lines = [f"{self.method.upper()}, {self.bits} bits, for the {self.data.describe()} in {self.data.folder}.",
                 f"The blob {CODE!r} has the codes: a bit is 1 where a value is 0 or more."]
        if self.weights:
            lines.append(f"All layers but {CODE!r} start from {self.weights}; {CODE!r} learns ten times as fast.")
        return lines

    def _net(self, trunk: Trunk) -> Message:
        net = new("NetParameter", name=self.name)
        net.layer.extend([self._reader(trunk, train=True), self._reader(trunk, train=False)])
        net.layer.extend(trunk.layers)
        net.layer.extend(read_head(self.method, trunk.top, self.bits, (10, 20) if self.weights else None))
        return net

    def _reader(self, trunk: Trunk, train: bool) -> Message:
        """The layer that reads the photos: in training a few classes a batch, so that there are similar pairs."""
        data, folder = self.data, self.data.folder.as_posix()
        layer = new("LayerParameter", name="photos", type="ImageData", top=["data", "label"],
                    include=[{"phase": "TRAIN" if train else "TEST"}])
        transform, options = layer.transform_param, layer.image_data_param
        if train:
            transform.mirror = True
        if trunk.means:
            transform.mean_value.extend(trunk.means)
            transform.crop_size = trunk.crop
            if min(data.size) < trunk.crop:
                options.new_height = options.new_width = (trunk.crop // 32 + 1) * 32  # 256 for all of them
        else:
            transform.mean_file, transform.scale = f"{folder}/mean.binaryproto", SCALE
        if not data.color and not trunk.means:
            options.is_color = False
        options.source, options.root_folder = f"{folder}/{'train' if train else 'test'}.txt", f"{folder}/"
        options.batch_size = self.batch if train else min(self.batch, data.test)
        if data.several:
            options.label_num = len(data.names)
        if train and data.several:
            options.shuffle = True
        elif train:
            layer.type, options.cat_per_iter = "HashingImageData", min(max(len(data.names) // 2, 2), 10)
        return layer

    def _solver(self) -> str:
        """As that of prototxt/hashing; for the weights of a published net SGD, which they were learnt with."""
        last, start = self.iterations, (self.folder / "solver.prototxt").as_posix()
        fine = self.weights and self.net != SMALL
        solver = new("SolverParameter", net=(self.folder / "train_test.prototxt").as_posix(), base_lr=0.001,
                     momentum=0.9, weight_decay=0.0005, lr_policy="multistep", gamma=0.3,
                     stepvalue=[last * 6 // 10, last * 85 // 100], display=50, average_loss=50, max_iter=last,
                     snapshot=500, snapshot_prefix=(self.folder / self.name).as_posix(), solver_mode="GPU",
                     **({} if fine else {"type": "Adam", "momentum2": 0.999}),
                     **({"weights": [self.weights]} if self.weights else {}))
        lines = compact(solver).splitlines()
        lines.sort(key=lambda line: ORDER.index(line.partition(":")[0]))
        return comments([f"blobnet train --solver {start}"]) + "\n".join(lines) + "\n"

    def _recipe(self) -> str:
        method = f"{self.method.upper()} {self.bits} bits" + (f", {self.net}" if self.net != SMALL else "")
        queries, base = (json.dumps(_from_data(self.data.folder / name)) for name in ("test.txt", "train.txt"))
        precision = ["P@100"] if self.data.train >= 100 else []
        return comments([f"blobnet run {(self.folder / 'recipe.yaml').as_posix()}"]) + f"""\
paper: {json.dumps(f"{self.data.describe()} of {self.data.folder}")}
task: train_hash
seeds: [1, 2, 3]
columns: [{', '.join(['mAP', *precision, 'P(r<=2)'])}]
settings:
  solver: solver.prototxt
  blob: {CODE}
  bits: {self.bits}
  queries: {queries}
  base: {base}
methods:
  after one iteration: {{max_iter: 1}}
  {json.dumps(method)}: {{}}
"""


def check_net(net: Message, weights: str | os.PathLike = "") -> None:
    """Build the net, and DataError, ShapeError or NetError unless `weights` has the parameters of all layers but CODE.
    """
    definition = load(net, TEST)
    definition.layer[0].image_data_param.batch_size = 2
    built = Net(without_data(definition), TEST, fillers=False)
    if not weights:
        return
    require_file(weights)
    with within("", "does the file belong to the net of --net?"):
        left = [name for name in built.copy_from(weights).left if name != CODE]
    if left:
        raise DataError(os.fspath(weights), expected=f"parameters of all layers but {CODE!r}", got="none for "
                        + ", ".join(left[:FEW]) + ", …" * (len(left) > FEW), hint="give a file of the net of --net")


def net_text(net: Message, about: Sequence[str]) -> str:
    """The net as the published ones are written: comments, the name, and a gap before layers that learn."""
    parts = [comments(about) + compact(new("NetParameter", name=net.name))]
    for i, layer in enumerate(net.layer):
        gap = "\n" * (i == 0 or layer.type in ("Convolution", "InnerProduct") or layer.type.endswith("Loss"))
        parts.append(gap + compact(new("NetParameter", layer=[layer])))
    return "".join(parts)


def comments(lines: Sequence[str]) -> str:
    """The lines as comments of prototxt or YAML."""
    return "".join(f"# {line}\n" for line in lines)


def _from_data(path: Path) -> str:
    """How a recipe names a file: from the folder "data" on, or by its whole path."""
    if path.parts[:1] == ("data",):
        return path.relative_to("data").as_posix()
    return path.absolute().as_posix()
