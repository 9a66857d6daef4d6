"""What Caffe's commands compute and print."""

import re
import runpy
import sys
from pathlib import Path
from types import SimpleNamespace

import h5py
import lmdb
import numpy as np
import pytest

from blobnet.backend import devices
from blobnet.cli import main
from blobnet.core.context import TEST
from blobnet.core.net import Net
from blobnet.data.images.encode import encode_image
from blobnet.data.images.files import read_image
from blobnet.data.images.mean import read_mean
from blobnet.data.stores.database import open_database
from blobnet.data.stores.datum import datum_to_array, parse_datum
from blobnet.data.stores.lmdb_writer import LmdbWriter
from blobnet.proto.files import read_message
from blobnet.proto.messages import new
from blobnet.proto.text import parse
from blobnet.solvers import Solver

ROOT = Path(__file__).parent.parent.parent
NET = '''name: "tiny"
layer { name: "x" type: "DummyData" top: "x"
        dummy_data_param { shape { dim: 4 dim: 3 } data_filler { type: "gaussian" } } }
layer { name: "y" type: "DummyData" top: "y" dummy_data_param { shape { dim: 4 dim: 2 } } }
layer { name: "ip" type: "InnerProduct" bottom: "x" top: "ip"
        inner_product_param { num_output: 2 weight_filler { type: "gaussian" std: 1 } } }
layer { name: "deep" type: "Power" bottom: "ip" top: "deep" power_param { scale: 3 } include { stage: "deep" } }
layer { name: "late" type: "Power" bottom: "ip" top: "late" include { min_level: 2 } }
layer { name: "silence" type: "Silence" bottom: "late" include { min_level: 2 } }
layer { name: "loss" type: "EuclideanLoss" bottom: "ip" bottom: "y" top: "loss" loss_weight: 0.5 }
layer { name: "split" type: "Reduction" bottom: "x" top: "sums" reduction_param { axis: 1 } }
'''
SOLVER = 'net: "net.prototxt" base_lr: 0.01 lr_policy: "fixed" max_iter: 1 snapshot_prefix: "run" random_seed: 1 '


def run(line):
    return main(line.split())


def messages(text):
    """The lines of a log without what glog puts before them."""
    return [found[1] for found in re.finditer(r"^[IWE]\d{4} [\d:.]+ +\d+ \S+:\d+\] (.*)$", text, re.M)]


def on_terminal(line, monkeypatch):
    """Run the command as if standard error were a terminal."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    return run(line)


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """The current folder, with a net, a solver file and weights."""
    monkeypatch.chdir(tmp_path)
    Path("net.prototxt").write_text(NET)
    Path("solver.prototxt").write_text(SOLVER)
    Net("net.prototxt", TEST, random_seed=5).save("net.caffemodel")
    return tmp_path


@pytest.fixture
def images(tmp_path, monkeypatch):
    """The current folder, with six images of two sizes and formats, and their list."""
    monkeypatch.chdir(tmp_path)
    rng, lines = np.random.default_rng(3), []
    Path("all").mkdir()
    for i, suffix in enumerate(("png", "jpg", "jpeg", "png", "JPG", "png")):
        pixels = rng.integers(0, 256, (3, 4, 6 if i < 5 else 12), dtype=np.uint8)
        Path(f"all/{i}.{suffix}").write_bytes(encode_image(pixels, suffix.lower()))
        lines.append(f"all/{i}.{suffix} {3 - i}")
    Path("list.txt").write_text("\n".join(lines) + "\n")
    return [line.split()[0] for line in lines]


def records(path):
    with lmdb.open(str(path), readonly=True, lock=False) as environment, environment.begin() as transaction:
        return [(key.decode(), parse_datum(value)) for key, value in transaction.cursor()]


# Flags that all of Caffe's actions know

ACTIONS = ["test -model net.prototxt -weights net.caffemodel -iterations 1 ", "train -solver solver.prototxt ",
           "time -model net.prototxt -iterations=1 ", "device_query "]


def ignored(errors):
    """The flags that were passed over."""
    return re.findall(r"^blobnet: (\S+) has no effect on this command$", errors, re.M)


@pytest.mark.parametrize("action", ACTIONS)
def test_flags_of_the_log_are_passed_over(tiny, capsys, action):
    assert run(action + "-log_dir=. -v 1 -logtostderr=1 --alsologtostderr") == 0
    assert ignored(capsys.readouterr().err) == ["-log_dir", "-v", "-logtostderr", "--alsologtostderr"]


@pytest.mark.parametrize("action", ACTIONS)
def test_empty_flags_are_none(tiny, capsys, action):
    assert run(action + "-gpu= -snapshot= --phase=") == 0
    assert ignored(capsys.readouterr().err) == []


@pytest.mark.parametrize("action", ACTIONS)
def test_level_of_the_log(tiny, capsys, monkeypatch, action):
    monkeypatch.setenv("GLOG_minloglevel", "2")
    assert run(action) == 0
    assert messages(capsys.readouterr().err) == []
    assert run(action + "-minloglevel=0") == 0
    said = capsys.readouterr().err
    assert messages(said) and ignored(said) == []
    assert run("--minloglevel 1 " + action) == 0
    assert messages(capsys.readouterr().err) == []


def test_a_level_that_is_no_number(tiny, capsys, monkeypatch):
    monkeypatch.setenv("GLOG_minloglevel", "none")
    assert run(ACTIONS[0]) == 0
    assert "Running for 1 iterations." in messages(capsys.readouterr().err)
    with pytest.raises(SystemExit):
        run(ACTIONS[0] + "-minloglevel all")
    assert "expected a whole number of at least 0, got 'all'" in capsys.readouterr().err


def test_flags_of_other_actions(tiny, capsys):
    assert run("-solver solver.prototxt -model x --iterations=3 train -phase TEST") == 0
    said = capsys.readouterr().err
    assert ignored(said) == ["-model", "--iterations", "-phase"]
    assert "Optimization Done." in said


# test

def test_scores_and_their_means(tiny, capsys):
    assert run("test -model net.prototxt -weights net.caffemodel -iterations 3") == 0
    said = messages(capsys.readouterr().err)
    batches = [line for line in said if line.startswith("Batch ")]
    assert [re.sub(" = .*", "", line) for line in batches] == [
        f"Batch {i}, {name}" for i in range(3) for name in ["loss"] + ["sums"] * 4]
    values = {name: np.array([float(line.split(" = ")[1]) for line in batches if f", {name} " in line]).reshape(3, -1)
              for name in ("loss", "sums")}
    last = [line for line in said if re.match("Loss:|(loss|sums) = ", line)]
    assert last[0] == f"Loss: {last[1].split()[-2]}"
    mean, weighted = re.fullmatch(r"loss = (\S+) \(\* 0\.5 = (\S+) loss\)", last[1]).groups()
    assert float(mean) == pytest.approx(values["loss"].mean(), 1e-5)
    assert float(weighted) == pytest.approx(values["loss"].mean() / 2, 1e-5)
    np.testing.assert_allclose([float(line.split(" = ")[1]) for line in last[2:]], values["sums"].mean(0), rtol=1e-4,
                               atol=1e-5)


@pytest.mark.parametrize("flags, there", [("", []), ("-stage deep", ["deep"]), ("-stage=other,deep", ["deep"]),
                                          ("-level 2", []), ("-level=2 -stage deep", ["deep"])])
def test_level_and_stage(tiny, capsys, flags, there):
    assert run(f"test -model net.prototxt -weights net.caffemodel -iterations 1 {flags}") == 0
    outputs = {line.split(" = ")[0].split(", ")[1] for line in messages(capsys.readouterr().err) if "Batch" in line}
    assert outputs == {"loss", "sums", *there}


def test_a_table_on_a_terminal(tiny, capsys, monkeypatch):
    assert on_terminal("test -model net.prototxt -weights net.caffemodel -iterations 2", monkeypatch) == 0
    output = capsys.readouterr()
    lines = output.out.splitlines()
    assert lines[0].split() == ["output", "mean", "loss", "weight", "loss"]
    assert lines[1].split()[0] == "loss" and lines[1].split()[2] == "0.5" and len(lines) == 1 + 5 + 2
    assert "Batch 0" not in output.err and "2/2" in output.err


# time

def test_times_of_layers(tiny, capsys):
    assert run("time -model net.prototxt -iterations 2") == 0
    said = messages(capsys.readouterr().err)
    start = said.index("Average time per layer: ")
    names = ["x", "x_x_0_split", "y", "ip", "loss", "split"]
    layers = said[start + 1:start + 1 + 2 * len(names)]
    times = []
    for i, line in enumerate(layers):
        which = ("forward", "backward")[i % 2]
        assert line.startswith(f"{names[i // 2]:>10}\t{which}: ") and line.endswith(" ms.")
        times.append(float(line.split()[-2]))
    rest = dict(line.removesuffix(" ms.").split(": ") for line in said[start + 1 + len(layers):-1])
    assert list(rest) == ["Average Forward pass", "Average Backward pass", "Average Forward-Backward", "Total Time"]
    forward, backward, both, total = map(float, rest.values())
    assert min(times) >= 0 and sum(times[::2]) <= forward * 1.001 and sum(times[1::2]) <= backward * 1.001
    assert forward + backward <= both * 1.001 and total == pytest.approx(2 * both, 1e-4)
    assert [line for line in said if line.startswith("Iteration: ")][1].startswith("Iteration: 2 forward-backward time")
    assert said[-1] == "*** Benchmark ends ***"


def test_a_table_of_times_on_a_terminal(tiny, capsys, monkeypatch):
    assert on_terminal("time -model net.prototxt -iterations 1 -phase TEST", monkeypatch) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["layer", "type", "forward", "ms", "calls", "backward", "ms", "calls",
                                "product", "ms", "share"]
    assert [line.split()[0] for line in lines[1:]] == ["x", "x_x_0_split", "y", "ip", "loss", "split", "all"]


# device_query and the choice of GPUs

@pytest.fixture
def two_gpus(monkeypatch):
    """CuPy as it looks on a machine with two GPUs, as far as the commands see it."""
    known = {"name": b"Tiny GPU", "totalGlobalMem": 8 << 30, "major": 9, "minor": 0, "multiProcessorCount": 132,
             "maxThreadsDim": (1024, 1024, 64), "deviceOverlap": 1}
    runtime = SimpleNamespace(getDeviceCount=lambda: 2, getDeviceProperties=lambda number: known)
    device = lambda number: SimpleNamespace(use=lambda: None)  # noqa: E731
    cupy = SimpleNamespace(cuda=SimpleNamespace(runtime=runtime, Device=device))
    monkeypatch.setattr(devices, "cupy_module", lambda: cupy)


@pytest.mark.parametrize("flags, numbers", [("", "0,1"), ("-gpu all", "0,1"), ("-gpu 1", "1"), ("-gpu 1,1,0", "1,0")])
def test_gpus(two_gpus, capsys, flags, numbers):
    assert run(f"device_query {flags}") == 0
    said = messages(capsys.readouterr().err)
    assert said[0] == f"Querying GPUs {numbers}"
    lines = [f"{title + ':':30} {value}" for title, value in (
        ("Major revision number", 9), ("Name", "Tiny GPU"), ("Total global memory", 8 << 30),
        ("Maximum dimension of block", "1024, 1024, 64"), ("Concurrent copy and execution", "Yes"))]
    assert all(said.count(line) == len(numbers.split(",")) for line in lines)
    assert [line.split()[-1] for line in said if line.startswith("Device id:")] == numbers.split(",")


def test_gpus_on_a_terminal(two_gpus, capsys, monkeypatch):
    assert on_terminal("device_query -gpu 1", monkeypatch) == 0
    assert capsys.readouterr().out.splitlines()[1].split() == "1 Tiny GPU 8.0 GiB 9.0 132".split()


@pytest.mark.parametrize("line, says", [
    ("device_query -gpu 2", "expected a GPU number below 2"),
    ("train -solver solver.prototxt -gpu 5", "expected a GPU number below 2"),
])
def test_gpus_that_cannot_be_taken(two_gpus, tiny, capsys, line, says):
    assert run(line) == 1
    assert says in capsys.readouterr().err


def test_several_gpus_are_trained_on_by_a_process_each(two_gpus, tiny, monkeypatch):
    started = []
    monkeypatch.setattr("blobnet.cli.train.start_processes", lambda *what: started.append(what) or 3)
    assert run("train -solver solver.prototxt -gpu all") == 3
    assert started == [(2, ["train", "-solver", "solver.prototxt", "-gpu", "all"])]


@pytest.mark.parametrize("line", [
    "device_query -gpu 0", "device_query -gpu all", "train -solver solver.prototxt -gpu 0",
    "time -model net.prototxt -gpu 0", "extract_features net.caffemodel net.prototxt ip o.npz 1 npz GPU 0"])
def test_no_gpu(tiny, monkeypatch, capsys, line):
    monkeypatch.setattr(devices, "cupy_module", lambda: None)
    assert run(line) == 1
    error = capsys.readouterr().err
    assert "no GPU can be used" in error and "on the command line no --gpu" in error
    assert run("device_query") == 0
    assert "No GPU can be used" in capsys.readouterr().err


# train

@pytest.mark.parametrize("flags, state, level, stages", [
    ("", "", 0, []), ("-level 2 -stage deep", "", 2, ["deep"]),
    ("", "train_state { level: 2 stage: 'deep' }", 0, ["deep"]),  # the level of the flag wins even if it is not given
    ("-stage other -level=3", "train_state { level: 2 stage: 'deep' }", 3, ["deep", "other"]),
])
def test_the_state_of_training(tiny, monkeypatch, capsys, flags, state, level, stages):
    built = []
    monkeypatch.setattr(Solver, "solve", lambda solver: built.append(solver))
    Path("solver.prototxt").write_text(SOLVER + state)
    assert run(f"train -solver solver.prototxt {flags}") == 0
    assert built[0].param.train_state.level == level and list(built[0].param.train_state.stage) == stages
    assert ("deep" in built[0].net.layer_dict, "late" in built[0].net.layer_dict) == ("deep" in stages, level >= 2)


# convert_imageset

def test_records(images, capsys):
    assert run("convert_imageset ./ list.txt out_lmdb") == 0
    for i, (key, datum) in enumerate(records("out_lmdb")):
        assert key == f"{i:08d}_{images[i]}" and datum.label == 3 - i
        assert datum.HasField("encoded") and not datum.encoded
        np.testing.assert_array_equal(datum_to_array(datum), read_image(images[i]))
    assert messages(capsys.readouterr().err) == ["A total of 6 images.", "Processed 6 files."]


@pytest.mark.parametrize("flags, color, size", [
    ("-gray", False, None), ("-resize_height 3 -resize_width 5", True, (3, 5)),
    ("--gray --resize-width=7 --resize-height=2", False, (2, 7)), ("-resize_height -1 -resize_width=0", True, None)])
def test_gray_and_resized_records(images, flags, color, size):
    assert run(f"convert_imageset {flags} ./ list.txt out_lmdb") == 0
    for path, (_, datum) in zip(images, records("out_lmdb"), strict=True):
        np.testing.assert_array_equal(datum_to_array(datum), read_image(path, color, size))


@pytest.mark.parametrize("flags, kept", [  # which of png jpg jpeg png JPG png stay as their files are
    ("-encoded", "123456"), ("-encoded -gray", "123456"), ("-encode_type jpg", "235"), ("-encode_type jpeg", "3"),
    ("-encoded -encode_type PNG", "146"), ("-encoded -resize_height 5 -resize_width 6", "")])
def test_compressed_records(images, capsys, flags, kept):
    assert run(f"convert_imageset {flags} ./ list.txt out_lmdb") == 0
    found = records("out_lmdb")
    same = [str(i) for i, (path, (_, datum)) in enumerate(zip(images, found), 1)
            if datum.data == Path(path).read_bytes()]
    assert "".join(same) == kept
    assert all(datum.encoded and not datum.HasField("channels") for _, datum in found)
    wide = "-encode_type png" in flags.lower() or "resize" in flags
    if wide:  # PNG loses nothing
        size = (5, 6) if "resize" in flags else None
        for path, (_, datum) in zip(images, found):
            if not path.lower().endswith(("jpg", "jpeg")) or "encode_type" in flags:
                np.testing.assert_array_equal(datum_to_array(datum), read_image(path, True, size))
    assert ("encode_type specified, assuming encoded=true." in capsys.readouterr().err) == ("-encoded" not in flags)


def test_an_empty_line_is_no_image(images, capsys):
    text = Path("list.txt").read_text().split("\n")
    Path("list.txt").write_text("\n".join([*text[:2], "", *text[2:], ""]))
    assert run("convert_imageset ./ list.txt out_lmdb") == 0
    assert [int(key.split("_")[0]) for key, _ in records("out_lmdb")] == [0, 1, 3, 4, 5, 6]
    assert "2 of 8 images could not be read" in capsys.readouterr().err


def test_images_that_cannot_be_read_are_left_out(images, capsys):
    Path(images[1]).unlink()
    Path(images[3]).write_bytes(b"no image")
    assert run("convert_imageset ./ list.txt out_lmdb") == 0
    assert [key for key, _ in records("out_lmdb")] == [f"{i:08d}_{images[i]}" for i in (0, 2, 4, 5)]
    said = messages(capsys.readouterr().err)
    assert sum(line.startswith("Could not open or find file") for line in said) == 2
    assert said[-2:] == ["Processed 4 files.", "2 of 6 images could not be read."]


def test_a_leveldb_holds_the_same_records(images):
    for kind in ("lmdb", "leveldb"):
        assert run(f"convert_imageset -backend {kind} ./ list.txt {kind}") == 0
    lmdb_reader, leveldb_reader = (open_database(name, name.upper()) for name in ("lmdb", "leveldb"))
    assert [bytes(lmdb_reader.read()) for _ in images] == [bytes(leveldb_reader.read()) for _ in images]
    assert lmdb_reader.position == leveldb_reader.position == 0


def test_shuffled_records_are_the_same_in_another_order(images, monkeypatch):
    monkeypatch.setattr(np.random, "default_rng", lambda: np.random.Generator(np.random.PCG64(2)))
    assert run("convert_imageset -shuffle ./ list.txt out_lmdb") == 0
    found = records("out_lmdb")
    assert [int(key[:8]) for key, _ in found] == list(range(6))
    assert sorted(key[9:] for key, _ in found) == sorted(images) and [key[9:] for key, _ in found] != images
    assert all(datum.label == 3 - images.index(key[9:]) for key, datum in found)


# compute_image_mean

@pytest.mark.parametrize("flags, mean_flags", [("-encode_type png", ""), ("-encode_type png -backend leveldb", ""),
                                               ("-encode_type png -backend=leveldb", "-backend leveldb")])
def test_mean_image(images, capsys, flags, mean_flags):
    assert run(f"convert_imageset -resize_height 4 -resize_width 5 {flags} ./ list.txt out") == 0
    capsys.readouterr()
    assert run(f"compute_image_mean {mean_flags} out mean.binaryproto") == 0
    expected = np.mean([read_image(path, True, (4, 5)) for path in images], axis=0)
    np.testing.assert_allclose(read_mean("mean.binaryproto"), expected, rtol=1e-6)
    blob = read_message("mean.binaryproto", "BlobProto")
    assert (blob.num, blob.channels, blob.height, blob.width) == (1, 3, 4, 5)
    said = messages(capsys.readouterr().err)
    assert {"Decoding Datum", "Starting iteration", "Processed 6 files.", "Write to mean.binaryproto"} <= {*said}
    values = [float(line.split(": ")[1]) for line in said if line.startswith("mean_value channel [")]
    np.testing.assert_allclose(values, expected.mean((1, 2)), rtol=1e-5)


def test_mean_of_floats_and_of_sizes_that_differ(tmp_path, capsys):
    for name, shapes in (("floats", [(1, 2, 2)] * 3), ("sizes", [(1, 2, 2), (1, 4, 1)])):
        with LmdbWriter(tmp_path / name) as writer:
            for i, (c, h, w) in enumerate(shapes):
                datum = new("Datum", channels=c, height=h, width=w, float_data=[i, 0.5, -1, 2])
                writer.put(b"%d" % i, datum.SerializeToString())
    assert main(["compute_image_mean", str(tmp_path / "floats"), str(tmp_path / "mean")]) == 0
    np.testing.assert_allclose(read_mean(tmp_path / "mean").ravel(), [1, 0.5, -1, 2])
    capsys.readouterr()
    assert main(["compute_image_mean", str(tmp_path / "sizes"), str(tmp_path / "other")]) == 1
    assert "record 1: expected an image of shape (1, 2, 2), as the first, got (1, 4, 1)" in capsys.readouterr().err
    assert not (tmp_path / "other").exists()


# extract_features

def test_features(tiny):
    Path("net.prototxt").write_text(NET.replace('type: "gaussian" }', "value: 2 }"))
    line = "extract_features net.caffemodel net.prototxt ip,loss {} 2 {}"
    assert run(line.format("ip_lmdb,loss_lmdb", "lmdb")) == 0
    assert run(line.format("ip.h5,loss.h5", "hdf5")) == run(line.format("ip.npz,loss.npz", "npz")) == 0
    net = Net("net.prototxt", TEST, "net.caffemodel")
    outputs = net.forward()
    ip, loss = np.tile(net.blobs["ip"].data, (2, 1)), [outputs["loss"]] * 2
    found = records("ip_lmdb")
    assert [key for key, _ in found] == [f"{i:010d}" for i in range(8)]
    np.testing.assert_array_equal([datum_to_array(datum) for _, datum in found], ip[:, :, None, None])
    np.testing.assert_array_equal([datum_to_array(datum).item() for _, datum in records("loss_lmdb")], loss)
    assert not found[0][1].HasField("label") and not found[0][1].HasField("data")
    with h5py.File("ip.h5") as h5, np.load("ip.npz") as npz:
        np.testing.assert_array_equal(h5["ip"][()], ip)
        np.testing.assert_array_equal(npz["ip"], ip)
    with h5py.File("loss.h5") as h5, np.load("loss.npz") as npz:
        assert h5["loss"][()].tolist() == npz["loss"].tolist() == loss


def test_a_blob_written_twice(tiny):
    assert run("extract_features net.caffemodel net.prototxt ip,ip a_lmdb,b_lmdb 2 lmdb") == 0
    one, two = ([datum_to_array(datum).tolist() for _, datum in records(path)] for path in ("a_lmdb", "b_lmdb"))
    assert len(one) == 8 and one == two


def test_features_of_five_axes_need_another_format(tiny, capsys):
    Path("net.prototxt").write_text(NET.replace("dim: 4 dim: 3 }", "dim: 4 dim: 3 dim: 1 dim: 1 dim: 1 }"))
    assert run("extract_features net.caffemodel net.prototxt x x_lmdb 1 lmdb") == 1
    assert "at most 4 axes" in capsys.readouterr().err and not Path("x_lmdb").exists()
    assert run("extract_features net.caffemodel net.prototxt x x.npz 1 npz") == 0


# upgrades

def test_upgrade_in_place_and_of_weights(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    old = '''layers { name: "ip" type: INNER_PRODUCT bottom: "x" top: "ip" inner_product_param { num_output: 2 }
             blobs { num: 1 channels: 1 height: 2 width: 3 data: [1, 2, 3, 4, 5, 6] } }'''
    Path("net.prototxt").write_text(old)
    Path("net.caffemodel").write_bytes(parse(old, "NetParameter").SerializeToString())
    Path("solver.prototxt").write_text('solver_type: ADAM net: "n"')
    assert run("upgrade_net_proto_text net.prototxt net.prototxt") == 0
    assert run("upgrade_net_proto_binary net.caffemodel net.caffemodel") == 0
    assert run("upgrade_solver_proto_text solver.prototxt solver.prototxt") == 0
    text, binary = (read_message(name, "NetParameter") for name in ("net.prototxt", "net.caffemodel"))
    assert text == binary and text.layer[0].type == "InnerProduct" and not text.layers
    assert list(text.layer[0].blobs[0].data) == [1, 2, 3, 4, 5, 6]
    solver = read_message("solver.prototxt", "SolverParameter")
    assert solver.type == "Adam" and not solver.HasField("solver_type")


# tools

@pytest.mark.parametrize("name", ["caffe", "convert_imageset", "convert_annoset", "compute_image_mean",
                                  "extract_features", "upgrade_net_proto_text", "upgrade_net_proto_binary",
                                  "upgrade_solver_proto_text", "draw_net", "summarize", "parse_log",
                                  "plot_training_log", "resize_and_crop_images"])
def test_scripts_of_classic_names(name, monkeypatch, capsys):
    script, words = ROOT / "tools" / f"{name}.py", ["train"] if name == "caffe" else []
    monkeypatch.setattr(sys, "argv", [str(script), *words, "--help"])
    monkeypatch.setattr(sys, "path", [str(script.parent), *sys.path])
    with pytest.raises(SystemExit) as stop:
        runpy.run_path(str(script), run_name="__main__")
    assert stop.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: blobnet {words[0] if words else name} ")
    assert sys.path[0] == str(ROOT)  # where no caffe.py lies that `import caffe` could find
