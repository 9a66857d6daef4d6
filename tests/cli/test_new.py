"""`blobnet new hashing`: what is written fits the photos, trains, runs and starts from weights."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from blobnet.cli import main
from blobnet.core.context import TEST, TRAIN
from blobnet.core.net import Net
from blobnet.core.without_data import without_data
from blobnet.hashing.codes import Codes
from blobnet.hashing.metrics import evaluate
from blobnet.netdef.load import load
from blobnet.proto.files import read_message
from blobnet.recipes.drafts import trunks
from blobnet.solvers import get_solver
from blobnet.solvers.settings import read_solver

NET, SOLVER = "train_test.prototxt", "solver.prototxt"


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    """Photos of two colours, 20 each, imported as two classes (data/classes) and as three labels (data/rows)."""
    folder = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(1)
    table = ["image,red,blue,any"]
    for n in range(40):
        red = n % 2
        pixels = rng.integers(0, 60, (10, 12, 3), np.uint8)
        pixels[..., 0 if red else 2] += 150
        path = folder / "photos" / ("blue", "red")[red] / f"{n}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
        table.append(f"{path.parent.name}/{n}.png,{red},{1 - red},{int(n % 3 == 0)}")
    (folder / "table.csv").write_text("\n".join(table))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert main("data import photos --out data/classes --size 10x8".split()) == 0
        assert main("data import photos --out data/rows --size 8 --labels table.csv".split()) == 0
        assert main("data import photos --out data/gray --size 8 --gray".split()) == 0
    return folder


@pytest.fixture
def new(imported, monkeypatch, tmp_path):
    """A call of `blobnet new hashing` in the folder of the photos, and the folder that it wrote."""
    monkeypatch.chdir(imported)

    def call(data, *words, status=0):
        out = tmp_path / "net"
        assert main(["new", "hashing", "--data", f"data/{data}", "--out", str(out), *words]) == status
        return out
    return call


def layers(path):
    return read_message(path / NET, "NetParameter").layer


def test_what_is_written_for_classes(new, imported):
    out = new("classes", "--bits", "12")
    train, test, *middle, code, loss = layers(out)
    options = train.image_data_param
    assert (train.type, options.source, options.root_folder) == (
        "HashingImageData", "data/classes/train.txt", "data/classes/")
    assert (options.batch_size, options.cat_per_iter, test.type, test.image_data_param.batch_size) == (
        32, 2, "ImageData", 8)
    assert train.transform_param.mirror and not test.transform_param.mirror
    assert test.transform_param.mean_file == "data/classes/mean.binaryproto"
    assert (code.name, list(code.bottom), list(code.top), code.inner_product_param.num_output) == (
        "code", ["ip2"], ["code"], 12)
    assert (list(loss.bottom), loss.hashing_loss_param.bi_margin) == (["code", "label"], 24)
    assert [layer.name for layer in middle][0] == "conv1" and not middle[0].convolution_param.stride
    solver = read_solver(out / SOLVER)
    assert solver.net == f"{out}/{NET}" and solver.max_iter == 300 and list(solver.stepvalue) == [180, 255]
    for phase in (TRAIN, TEST):
        assert Net(str(out / NET), phase).blobs["data"].shape == ((32, 8)[phase], 3, 8, 10)


def test_hashnet_follows_the_length_of_the_codes(new):
    *_, code, continuation, loss = layers(new("rows", "--bits", "20", "--method", "hashnet"))
    assert code.inner_product_param.num_output == 20 and continuation.type == "ScaleTanH"
    assert loss.pairwise_param.sigmoid_param == 0.5 and not loss.include


def test_what_is_written_for_several_labels_and_for_gray_photos(new):
    out = new("rows")
    train, test, *_, loss = layers(out)
    assert (train.type, train.image_data_param.label_num, train.image_data_param.shuffle) == ("ImageData", 3, True)
    assert test.image_data_param.label_num == 3 and loss.hashing_loss_param.bi_margin == 48
    (out / NET).unlink()
    (out / SOLVER).unlink()
    (out / "recipe.yaml").unlink()
    assert Net(str(new("gray") / NET), TEST).blobs["data"].shape[1] == 1


@pytest.mark.parametrize("size, stride", [((32, 32), 0), ((63, 200), 0), ((64, 64), 2), ((128, 100), 3),
                                          ((500, 400), 4)])
def test_larger_photos_are_gone_through_in_longer_steps(size, stride):
    options = trunks.read_trunk("small", size).layers[0].convolution_param
    assert list(options.stride) == [stride] * bool(stride)
    assert options.kernel_size[0] == 2 * options.pad[0] + 1 > stride


def test_the_road_to_an_answer(new, imported, capsys):
    """Train, encode, search by a photo: the commands that are printed, as they are printed."""
    out = new("classes", "--bits", "8")
    text = (out / SOLVER).read_text()
    (out / SOLVER).write_text(re.sub("max_iter: 300", "max_iter: 20", text))
    commands = [line.split()[1:] for line in capsys.readouterr().out.partition("next:")[2].splitlines() if line]
    assert [words[0] for words in commands] == ["train", "encode", "search", "encode", "evaluate"]
    photo = sorted(Path("photos/red").iterdir())[0]
    for words in commands:
        line = " ".join(words).replace("iter_300", "iter_20").replace("PHOTO.jpg", str(photo))
        assert main(line.split()) == 0
    assert (out / "found.html").stat().st_size and (out / "scores.html").stat().st_size
    assert evaluate(Codes.load(out / "test.npz"), Codes.load(out / "train.npz")).mean_average_precision > 0.9
    assert main(["search", "--base", str(out / "train.npz"), "--query", str(photo)]) == 0
    output = capsys.readouterr().out
    found = [line.split("\t") for line in output.splitlines() if line.startswith(str(photo))]
    assert len(found) == 10
    names = Codes.load(out / "train.npz").ids.tolist()
    assert all(row[3] in names for row in found) and {row[4] for row in found} <= {"red", "blue"}
    assert sum("/red/" in row[3] for row in found) >= 0.9 * len(found)


def test_the_recipe_runs(new, imported, capsys, tmp_path):
    out = new("rows", "--bits", "8")
    recipe = out / "recipe.yaml"
    recipe.write_text(recipe.read_text() + "reduced: {max_iter: 4}\n")
    assert main(["run", str(recipe), "--out", str(tmp_path / "runs"), "--seeds", "1"]) == 0
    table = capsys.readouterr().out
    assert "| after one iteration |" in table and "| DSH 8 bits |" in table


def shrunk(monkeypatch, folder, crop=6):
    """A small published net in the place of AlexNet, and weights of it."""
    text = f"""
layer {{ name: "data" type: "Data" top: "data" top: "label" include {{ phase: TRAIN }}
  transform_param {{ mirror: true crop_size: {crop} mean_value: [104, 117, 123] }} data_param {{ source: "x" }} }}
layer {{ name: "conv1" type: "Convolution" bottom: "data" top: "conv1"
  convolution_param {{ num_output: 4 kernel_size: 3 weight_filler {{ type: "xavier" }} }} }}
layer {{ name: "bn" type: "BatchNorm" bottom: "conv1" top: "conv1" }}
layer {{ name: "fc7" type: "InnerProduct" bottom: "conv1" top: "fc7"
  inner_product_param {{ num_output: 9 weight_filler {{ type: "xavier" }} }} }}
layer {{ name: "fc8" type: "InnerProduct" bottom: "fc7" top: "fc8" param {{ lr_mult: 1 }} param {{ lr_mult: 2 }}
  inner_product_param {{ num_output: 10 weight_filler {{ type: "xavier" }} }} }}
layer {{ name: "loss" type: "SoftmaxWithLoss" bottom: "fc8" bottom: "label" top: "loss" }}
"""
    (folder / "prototxt" / "tiny").mkdir(parents=True, exist_ok=True)
    (folder / "prototxt" / "tiny" / "net.prototxt").write_text(text)
    monkeypatch.setattr(trunks, "ROOT", folder)
    monkeypatch.setitem(trunks.NETS, "alexnet", "tiny/net")
    definition = load(str(folder / "prototxt/tiny/net.prototxt"), TRAIN)
    net = Net(without_data(definition, {"data": (2, 3, crop, crop)}), TRAIN, random_seed=3)
    net.save(str(folder / "tiny.caffemodel"))
    return net


def test_fine_tuning_copies_all_layers_but_the_new_one(new, monkeypatch, tmp_path):
    given = shrunk(monkeypatch, tmp_path)
    out = new("classes", "--net", "alexnet", "--weights", str(tmp_path / "tiny.caffemodel"), "--bits", "8")
    train, test, conv, bn, fc7, code, loss = layers(out)
    assert [rule.lr_mult for rule in code.param] == [10, 20] and list(code.bottom) == ["fc7"]
    assert list(train.transform_param.mean_value) == [104, 117, 123] and train.transform_param.crop_size == 6
    assert not train.image_data_param.new_height  # 8 x 10 is enough for crops of 6
    solver = read_solver(out / SOLVER)
    assert solver.type == "SGD" and list(solver.weights) == [str(tmp_path / "tiny.caffemodel")]
    net = get_solver(str(out / SOLVER)).net
    assert sorted(net.params) == ["bn", "code", "conv1", "fc7"]
    for name in ("bn", "conv1", "fc7"):
        for mine, theirs in zip(net.params[name], given.params[name], strict=True):
            np.testing.assert_array_equal(mine.data, theirs.data)
    assert net.params["code"][0].data.shape == (8, 9)


def test_photos_smaller_than_the_crop_are_enlarged(new, monkeypatch, tmp_path):
    shrunk(monkeypatch, tmp_path, crop=20)
    out = new("rows", "--net", "alexnet", "--weights", str(tmp_path / "tiny.caffemodel"))
    for layer in layers(out)[:2]:
        assert (layer.image_data_param.new_height, layer.image_data_param.new_width) == (32, 32)
    assert Net(str(out / NET), TEST).blobs["data"].shape == (8, 3, 20, 20)


def test_weights_that_do_not_fit(new, monkeypatch, tmp_path, capsys):
    given = shrunk(monkeypatch, tmp_path)
    message = read_message(tmp_path / "tiny.caffemodel", "NetParameter")
    other = type(message)()
    other.layer.extend(layer for layer in message.layer if layer.name != "fc7")
    (tmp_path / "part.caffemodel").write_bytes(other.SerializeToString())
    for layer in message.layer:
        if layer.name == "fc7":
            layer.blobs[0].shape.dim[1] += 1
            layer.blobs[0].data.extend([0] * 9)
    (tmp_path / "shapes.caffemodel").write_bytes(message.SerializeToString())
    for name, says in (("part", "expected parameters of all layers but 'code', got none for fc7"),
                       ("shapes", "does the file belong to the net of --net?"), ("no", "no such file")):
        out = new("classes", "--net", "alexnet", "--weights", str(tmp_path / f"{name}.caffemodel"), status=1)
        error = capsys.readouterr().err
        assert says in error and f"{name}.caffemodel" in error
        assert not out.exists()
    new("classes", "--net", "alexnet", status=1)
    assert "no weights to start from; give a published .caffemodel of it with --weights" in capsys.readouterr().err
    assert "fc8" in given.params


def test_files_that_are_there_stay(new, capsys):
    out = new("classes")
    before = {path: path.read_bytes() for path in out.iterdir()}
    new("classes")
    new("classes", "--bits", "12", status=1)
    assert "is there already, and differs" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in out.iterdir()} == before


def test_a_folder_that_was_not_imported(new, imported, capsys):
    assert main(["new", "hashing", "--data", "photos"]) == 1
    assert "photos: no imported photos" in capsys.readouterr().err
    for words in (["--bits", "0"], ["--method", "dhs"], ["--net", "lenet"]):
        with pytest.raises(SystemExit):
            main(["new", "hashing", "--data", "data/classes", *words])


def test_the_default_folder(imported, monkeypatch, capsys):
    monkeypatch.chdir(imported)
    assert main(["new", "hashing", "--data", "data/rows", "--bits", "16"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "data/rows/dsh_16/train_test.prototxt"
    assert 'queries: "rows/test.txt"' in Path("data/rows/dsh_16/recipe.yaml").read_text()
