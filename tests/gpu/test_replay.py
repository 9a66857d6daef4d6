"""Passes that are replayed as a CUDA graph give the bits of those that start every operation by themselves."""

import logging
from pathlib import Path

import numpy as np
import pytest
from tiny import INPUTS, NET, numbers, parameters, solver

import blobnet
from blobnet.cli import main
from blobnet.core.layer import Layer
from blobnet.core.registry import LAYERS, register
from blobnet.core.without_data import without_data
from blobnet.errors import SolverError
from blobnet.netdef.load import load
from blobnet.proto.messages import new
from blobnet.solvers.solver import Solver

pytestmark = pytest.mark.usefixtures("gpu")
PROTOTXT = Path(__file__).resolve().parents[2] / "prototxt"
SGD = "base_lr: 0.01 momentum: 0.9 weight_decay: 0.001"
DROPOUT = NET.replace('layer { name: "ip"', 'layer { name: "drop" type: "Dropout" bottom: "norm" top: "norm" }\n'
                                            'layer { name: "ip"')
RANDOM = '''
layer { name: "x" type: "DummyData" top: "x" top: "t" dummy_data_param {
        shape { dim: 4 dim: 6 } shape { dim: 4 dim: 3 } data_filler { type: "gaussian" } data_filler { value: 1 } } }
layer { name: "ip" type: "InnerProduct" bottom: "x" top: "y"
        inner_product_param { num_output: 3 weight_filler { type: "xavier" } } }
layer { name: "own" type: "OWN" bottom: "y" top: "z" }
layer { name: "loss" type: "EuclideanLoss" bottom: "z" bottom: "t" top: "loss" }
'''
CASES = {
    "SGD": (SGD, NET), "Adam": ('type: "Adam" base_lr: 0.001 momentum: 0.9', NET), "dropout": (SGD, DROPOUT),
    "step": (f'{SGD} lr_policy: "step" gamma: 0.5 stepsize: 3', NET),
    "inv": (f'{SGD} lr_policy: "inv" gamma: 0.1 power: 0.75', NET),
    "iter_size": (f"{SGD} iter_size: 2 clip_gradients: 0.5", DROPOUT),
    "tests between": (f"{SGD} test_interval: 3 test_iter: 2", NET),
    "new data each time": (SGD, RANDOM.replace("OWN", "TanH")),
}


class Own(Layer):
    """y = c x."""

    replays = True

    def reshape(self, bottom, top):
        top[0].reshape(bottom[0].shape)

    def forward(self, bottom, top):
        self.c = self.factor(bottom[0].data)
        top[0].data[...] = self.c * bottom[0].data

    def backward(self, top, propagate_down, bottom):
        bottom[0].diff[...] = self.c * top[0].diff


@register
class Waits(Own):
    def factor(self, x):
        return 2.0 if float(x[0, 0]) > 0 else 3.0


@register
class Copies(Own):
    def factor(self, x):
        return self.xp.asarray(np.full(3, 2, x.dtype))


@register
class Counts(Own):
    def factor(self, x):
        self.count = getattr(self, "count", 0) + 1
        return 1.0 + self.count


@register
class SaysNothing(Counts):
    replays = None


for _cls in (Waits, Copies, Counts, SaysNothing):
    LAYERS.pop(_cls.__name__)  # tests of all types do not mean them


@pytest.fixture(autouse=True)
def own_types(monkeypatch):
    for cls in (Waits, Copies, Counts, SaysNothing):
        monkeypatch.setitem(LAYERS, cls.__name__, cls)


def run(each: Solver, iterations: int = 10):
    """Its losses, and its parameters after them, with whether there was a graph."""
    losses = []
    for _ in range(iterations):
        each.step(1)
        losses.append(each.loss)
    return losses, parameters(each.net).tobytes(), numbers([np.empty(0), *each.history]).tobytes()


def pair(settings, text):
    return [solver(settings, text=text, graph=graph) for graph in (True, False)]


@pytest.mark.parametrize("name", CASES)
def test_the_same_bits(name):
    replaying, eager = pair(*CASES[name])
    assert run(replaying) == run(eager)
    assert replaying._replay.captured
    assert eager._replay is None


@pytest.mark.parametrize("path, shapes", [("lenet/train_test", {"data": (3, 1, 28, 28), "label": (3,)}),
                                          ("dsh/train_test_12", {"data": (4, 3, 32, 32), "label": (4,)})])
def test_the_same_bits_of_a_published_net(path, shapes):
    definition = without_data(load(PROTOTXT / f"{path}.prototxt", blobnet.TRAIN), shapes)
    found = []
    for graph in (True, False):
        settings = new("SolverParameter", net_param=definition, base_lr=1e-3, momentum=0.9, lr_policy="fixed",
                       random_seed=1, snapshot_after_train=False)
        each, rng = blobnet.get_solver(settings, device="gpu", graph=graph), np.random.default_rng(0)
        for name, shape in shapes.items():
            values = rng.integers(0, 3, shape) if name == "label" else rng.normal(0, 1, shape)
            each.net.blobs[name].data[...] = each.net.xp.asarray(values.astype("float32"))
        found.append(run(each, 6))
        assert (each._replay is not None and each._replay.captured) == graph
    assert found[0] == found[1]


MEMORY = NET.replace('"Input"', '"MemoryData"').replace(
    "input_param { shape { dim: 6 dim: 2 dim: 8 dim: 8 } shape { dim: 6 } }",
    "memory_data_param { batch_size: 6 channels: 2 height: 8 width: 8 }")


@pytest.mark.parametrize("text", [NET, MEMORY], ids=["Input", "MemoryData"])
def test_what_is_fed_is_replayed(text):
    batches = [tuple(values[:count] + number for values in INPUTS.values()) for number, count in enumerate([6, 6, 4])]
    found = []
    for each in pair(SGD, text.replace("num_output: 5", "num_output: 7")):
        each.feed(batches[:2])
        found += [run(each, 6)]
        assert each._replay is None or each._replay.captured
        each.feed(batches)  # one of another size
        found += [run(each, 6)]
    assert found[:2] == found[2:]


def test_a_gradient_that_is_not_finite_from_what_is_fed():
    """It is noticed late, when a data layer could not bring the batch again."""
    batches = [INPUTS] * 3 + [INPUTS | {"x": np.full_like(INPUTS["x"], np.nan)}] + [INPUTS] * 4
    each = solver(SGD, text=MEMORY)
    each.feed(iter(batches))
    with pytest.raises(SolverError, match="training stopped at iteration 3: the gradients are not finite"):
        each.step(8)


def test_a_new_shape_is_captured_anew():
    replaying, eager = pair(SGD, DROPOUT)
    found = []
    for each in (replaying, eager):
        first = run(each, 4)
        for count in (3, 5, 6):  # smaller, larger in the same memory, as before
            for name, values in INPUTS.items():
                blob = each.net.blobs[name]
                blob.reshape((count, *values.shape[1:]))
                blob.data[...] = each.net.xp.asarray(values[:count])
            first += run(each, 1)
            assert each is eager or not each._replay.captured
        found.append(first + run(each, 4))
    assert found[0] == found[1]
    assert replaying._replay.captured


def test_a_pass_of_another_shape_between_is_no_harm():
    replaying, eager = pair(SGD, NET)
    found = []
    for each in (replaying, eager):
        first = run(each, 4)
        each.net.blobs["x"].reshape((2, 2, 8, 8))
        each.net.blobs["label"].reshape((2,))
        each.net.forward()
        for name, values in INPUTS.items():
            each.net.blobs[name].reshape(values.shape)
            each.net.blobs[name].data[...] = each.net.xp.asarray(values)
        first += run(each, 1)
        assert each is eager or not each._replay.captured  # the arrays that it knew are gone
        found.append(first + run(each, 4))
    assert found[0] == found[1]


def test_while_somebody_watches_layers_run_one_by_one():
    class Watcher:
        seen = 0

        def after_forward(self, node):
            self.seen += 1

    found = []
    for each in pair(SGD, DROPOUT.replace('top: "loss"', 'top: "loss" loss_weight: 0.5')):
        watcher = Watcher()
        first = run(each, 4)
        with each.net.watched_by(watcher):
            first += run(each, 2)
        found.append(first + run(each, 2))
        assert watcher.seen == 2 * len(each.net.nodes)
    assert found[0] == found[1]


def test_a_restored_run_goes_on_as_it_would(tmp_path):
    settings = f'{SGD} snapshot_prefix: "{tmp_path}/s"'
    replaying, eager = pair(settings, DROPOUT)
    run(replaying, 5)
    _, state = replaying.snapshot()
    there = run(replaying, 3)
    for each in (replaying, eager):
        each.restore(state)
        assert run(each, 3) == there
        each.net.context.seed = 7  # as that of a state that was drawn by another run
    assert run(replaying, 4) == run(eager, 4)


@pytest.mark.parametrize("kind", ["Waits", "Copies", "SaysNothing"])
def test_what_cannot_be_captured_runs_as_ever(kind, caplog):
    caplog.set_level(logging.INFO, "blobnet.core.replay")
    replaying, eager = pair(SGD, RANDOM.replace("OWN", kind))
    assert run(replaying, 5) == run(eager, 5)
    assert not replaying._replay.captured
    assert [record.message for record in caplog.records].pop().startswith("Net  is not captured as a CUDA graph: ")
    assert len(caplog.records) == 1


def test_numbers_of_the_host_are_frozen():
    """So a type that counts may not say that it replays: this is how the tests above notice one that does."""
    replaying, eager = pair(SGD, RANDOM.replace("OWN", "Counts"))
    assert run(replaying, 2) == run(eager, 2)
    assert run(replaying, 4) != run(eager, 4)


@pytest.mark.parametrize("flags, replays", [([], True), (["--no-graph"], False)])
def test_the_command_switches_it_off(flags, replays, tmp_path, monkeypatch):
    (tmp_path / "net.prototxt").write_text(NET)
    file = tmp_path / "solver.prototxt"
    file.write_text(f'net: "{tmp_path}/net.prototxt" {SGD} lr_policy: "fixed" snapshot_after_train: false')
    made = []
    monkeypatch.setattr("blobnet.cli.train.solve", lambda solver, **options: made.append(solver))
    assert main(["train", "--solver", str(file), "--gpu", "0", *flags]) == 0
    assert (made[0]._replay is not None) == replays


def test_types_that_reckon_with_the_step_do_not_replay():
    """`context.step` is a number of the host."""
    layers = Path(blobnet.__file__).parent / "layers"
    named = {path.stem.replace("_", "") for path in layers.rglob("*.py")
             if "context.step" in path.read_text("utf-8") and path.parent.name != "data"}
    refusing = {kind.lower() for kind, cls in LAYERS.items() if cls.replays is False}
    assert named
    assert named | {"python"} <= refusing
