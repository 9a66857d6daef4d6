"""The plan of the house holds: what imports what, where layers live, and the published nets build."""

import ast
import fnmatch
import graphlib
import subprocess
import sys
from pathlib import Path

import pytest

from blobnet import netdef
from blobnet.core.context import TEST, TRAIN
from blobnet.core.net import Net
from blobnet.core.registry import LAYERS
from blobnet.core.without_data import without_data
from blobnet.proto.files import read_message
from blobnet.solvers.registry import solver_class
from blobnet.solvers.settings import check_solver, read_solver

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "blobnet"
ORDER = ("errors", "launcher optional", "published backend", "log", "proto", "netdef", "core plugins", "ops", "data",
         "layers", "solvers", "hashing", "view check", "port explain exchange", "recipes sklearn", "pycaffe",
         "cli")  # a room imports from itself and from those before it
RANK = {room: rank for rank, rooms in enumerate(ORDER) for room in rooms.split()}
ONLY = {"ops": {"ops", "backend", "errors"}, "data": {"data", "proto", "backend", "optional", "errors"}}
FACE = ("__init__", "__main__")  # the package's own face, which only commands and pycaffe may import
TOP_LEVEL = {"setup.py", "pyproject.toml", "MANIFEST.in", "Makefile", "LICENSE", "README.md", "SECURITY.md",
             "DESIGN.md", "CONTRIBUTING.md", "CHANGELOG.md", "CITATION.cff", ".ci", ".github", ".gitignore",
             "blobnet", "prototxt", "tests", "tools", "examples"}
LAYER_LINES, KERNEL_LINES = 120, 200

MODULES = sorted(PACKAGE.rglob("*.py"))
LAYER_FILES = [path for path in sorted(PACKAGE.glob("layers/*/*.py")) if not path.name.startswith("_")]
PROTOTXT = sorted((ROOT / "prototxt").rglob("*.prototxt"))
SOLVERS = [path for path in PROTOTXT if "solver" in path.stem]
NETS = [path for path in PROTOTXT if path not in SOLVERS]


def name(path):
    return path.relative_to(ROOT).as_posix()


def imports(path):
    """The modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name(path)}:{node.lineno}: a relative import"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in BY_MODULE else node.module


def module_name(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


BY_MODULE = {module_name(path): path for path in MODULES}


def room(path):
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


@pytest.mark.parametrize("path", [path for path in MODULES if room(path) not in FACE], ids=name)
def test_imports_point_backwards(path):
    here = room(path)
    assert here in RANK, f"{name(path)} is in no room of the plan"
    for module in imports(path):
        package, _, rest = module.partition(".")
        if package != "blobnet":
            continue
        if not rest:
            assert here in ("cli", "pycaffe"), f"{name(path)} imports the face of the package"
            continue
        there = rest.split(".")[0]
        assert RANK[there] < RANK[here] or there == here, f"{name(path)} imports {module}"
        assert there in ONLY.get(here, {there}), f"{name(path)} imports {module}"


def test_no_circles():
    """Modules can be read one after the other, types included: imports under TYPE_CHECKING count as all others."""
    graph = {module: {other for other in imports(path) if other in BY_MODULE} for module, path in BY_MODULE.items()}
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        pytest.fail("a circle of imports: " + " <- ".join(error.args[1]))


def test_cupy_stays_in_backend_and_ops():
    for path in MODULES:
        if room(path) not in ("backend", "ops"):
            assert not {"cupy", "cupyx"} & {module.split(".")[0] for module in imports(path)}, name(path)


@pytest.mark.parametrize("path", LAYER_FILES, ids=name)
def test_a_layer_file_holds_the_type_of_its_name(path):
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    types = [kind for kind, cls in LAYERS.items() if cls.__module__ == module]
    assert [kind.lower().replace("_", "") for kind in types] == [path.stem.replace("_", "")]
    assert len(path.read_text("utf-8").splitlines()) <= LAYER_LINES


@pytest.mark.parametrize("path", sorted(PACKAGE.glob("ops/*.py")), ids=name)
def test_a_file_of_kernels_is_short(path):
    assert len(path.read_text("utf-8").splitlines()) <= KERNEL_LINES


def test_the_top_level_is_fixed():
    ignored = [line.strip("/") for line in (ROOT / ".gitignore").read_text().split()] + [".git"]
    names = {path.name for path in ROOT.iterdir()}
    names = {item for item in names if not any(fnmatch.fnmatch(item, pattern) for pattern in ignored)}
    assert names <= TOP_LEVEL


def test_importing_the_package_loads_no_heavy_library():
    code = "import sys, blobnet; print([m for m in ('matplotlib', 'cv2', 'sklearn', 'scipy') if m in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True).strip() == "[]"


# Images (C, H, W) of the databases that the published nets read; for others the crop says it.
IMAGES = {"camvid": (3, 360, 480), "cifar10": (3, 32, 32), "digits": (1, 8, 8), "mnist": (1, 28, 28),
          "sbd": (3, 300, 300), "shapes": (3, 96, 96), "voc": (3, 300, 300)}


def database_image(options, transform, where):
    size = transform.crop_size
    image = next((shape for part, shape in IMAGES.items() if part in options.source), (3, size, size))
    return image if all(image) else None


def annotated_batch(options, transform, boxed, where):
    return [(options.batch_size, *database_image(options, transform, where)), (1, 1, 3, 8)]


def image_pair_shape(layer, top, batch):
    channels, *sides = database_image(layer.dense_image_data_param, layer.transform_param, "")
    return [(batch, channels, *sides), (batch, 1, *sides)][top]


@pytest.mark.parametrize("phase", [TRAIN, TEST], ids=["TRAIN", "TEST"])
@pytest.mark.parametrize("path", NETS, ids=name)
def test_a_published_net_builds(path, phase, monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.syspath_prepend(ROOT / "examples" / path.parent.name)  # of layers in Python
    monkeypatch.setattr("blobnet.layers.data._images.database_image", database_image)
    monkeypatch.setattr("blobnet.layers.data.annotated_data.annotated_batch", annotated_batch)
    monkeypatch.setattr("blobnet.layers.data.dense_image_data.DenseImageData.read_shape", image_pair_shape)
    definition = without_data(netdef.load(path, phase))
    net = Net(definition, phase, origin=path, python_layers=True, fillers=False)
    assert net.name and net.parameters
    assert all(blob.count for blob in net.blobs.values())


@pytest.mark.parametrize("path", SOLVERS, ids=name)
def test_a_published_solver_is_sound(path, monkeypatch):
    monkeypatch.chdir(ROOT)  # paths in solver files start there
    solver = read_solver(path)
    needs_rate = solver_class(solver.type).needs_rate
    check_solver(solver, str(path), needs_rate)
    for net, state, _ in [netdef.train_net(solver), *netdef.test_nets(solver)]:
        assert netdef.load(net, state.phase, state.level, state.stage).layer
    assert solver.max_iter and (solver.base_lr or not needs_rate)


def test_every_published_net_is_read_as_what_it_is():
    assert NETS and SOLVERS
    for path in NETS:
        assert read_message(path, "NetParameter").layer
