"""Every command with good and with bad input, over a folder of tiny generated files."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from blobnet.cli import COMMANDS, main
from blobnet.data.images.encode import encode_image
from blobnet.hashing.codes import Codes

NET = '''name: "tiny"
layer { name: "data" type: "Data" top: "data" top: "label"
        data_param { source: "images_lmdb" backend: LMDB batch_size: 4 } transform_param { scale: 0.01 } }
layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip"
        inner_product_param { num_output: 3 weight_filler { type: "xavier" } } }
layer { name: "accuracy" type: "Accuracy" bottom: "ip" bottom: "label" top: "accuracy" include { phase: TEST } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" loss_weight: 2 }
'''
OLD_NET = '''name: "old" input: "x" input_dim: 2 input_dim: 3 input_dim: 4 input_dim: 4
layers { name: "r" type: RELU bottom: "x" top: "r" }'''
SOLVER = 'net: "net.prototxt" base_lr: 0.1 lr_policy: "fixed" max_iter: 2 display: 1 snapshot_prefix: "run" '
RECIPE = """{paper: Nobody, task: train_hash, columns: [mAP], methods: {tiny: {solver: solver.prototxt, blob: ip,
    bits: 3, protocol: dsh-authors, queries: images_lmdb, base: images_lmdb}}}"""
EXERCISE = """
import blobnet
from blobnet.check.exercise import Exercise

@blobnet.register
class MyCopy(blobnet.Layer):
    def reshape(self, bottom, top):
        top[0].reshape(bottom[0].shape)

    def forward(self, bottom, top):
        top[0].data[...] = bottom[0].data

    def backward(self, top, propagate_down, bottom):
        if propagate_down[0]:
            bottom[0].diff[...] = top[0].diff

EXERCISE = Exercise('layer { name: "e" type: "MyCopy" bottom: "x" top: "y" }', [(2, 3)], "Power")
"""
LOG = "".join(f"I0210 13:39:2{i}.000000 1 solver.cpp:1] {text}\n" for i, text in enumerate([
    "Solving tiny", "Iteration 0, Testing net (#0)", "    Test net output #0: accuracy = 0.5",
    "Iteration 0, loss = 2", "    Train net output #0: loss = 2", "Iteration 0, lr = 0.1"]))


def write_files(folder):
    """The folder of the tests: images and their list, a database, nets, solvers, weights, codes."""
    rng = np.random.default_rng(1)
    images = folder / "images"
    images.mkdir()
    lines = []
    for i in range(10):
        suffix = ("png", "jpg")[i % 2]
        pixels = rng.integers(0, 256, (3, 6, 8 if i else 10), dtype=np.uint8)
        (images / f"{i}.{suffix}").write_bytes(encode_image(pixels, suffix))
        lines.append(f"{i}.{suffix} {i % 3}\n")
        photo = folder / "photos" / str(i % 2) / f"a{i}.png"
        photo.parent.mkdir(parents=True, exist_ok=True)
        photo.write_bytes(encode_image(pixels, "png"))
    for name, text in {
        "list.txt": "".join(lines), "net.prototxt": NET, "old.prototxt": OLD_NET,
        "solver.prototxt": SOLVER + "random_seed: 1",
        "tested.prototxt": SOLVER + "random_seed: 1 test_iter: 2 test_interval: 1",
        "old_solver.prototxt": SOLVER + "solver_type: SGD",
        "broken.prototxt": 'name: "n" layer { name: "a" typ: "ReLU" }', "empty.txt": "",
        "wide.txt": "0.png 3000000000\n", "noise.bin": "\x00\x01\x02", "none.txt": "a.png 1\nb.png 2\n",
        "exercise.py": EXERCISE,
        "train.log": LOG, "boxes.txt": "".join(line.split()[0] + " 0.txt\n" for line in lines),
        "images/0.txt": "1 2 0 8 3\n", "map.prototxt": 'item { name: "cat" label: 1 } item { name: "cat" label: 2 }',
    }.items():
        (folder / name).write_text(text)
    (folder / "recipe.yaml").write_text(RECIPE)
    codes = Codes.from_bits(rng.integers(0, 2, (6, 4)), labels=np.arange(6) % 2)
    codes.save(folder / "codes.npz")
    replace(codes, ids=np.array([f"photo{i}" for i in range(6)])).save(folder / "ids.npz")
    assert main(["convert", "codes.npz", "codes.parquet"]) == 0
    assert main("index shard codes.npz --out shards --items-per-shard 4".split()) == 0
    assert main(["convert_imageset", "-resize_height=6", "-resize_width=8", "images/", "list.txt", "images_lmdb"]) == 0
    assert main("data import photos --size 8 --out imported".split()) == 0
    assert main(["train", "-solver", "solver.prototxt"]) == 0
    assert main(["convert", "old.prototxt", "old.caffemodel"]) == 0
    assert main(["convert", "run_iter_2.caffemodel", "named.npz"]) == 0


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write_files(folder)
    return folder


@pytest.fixture
def files(prepared, monkeypatch):
    monkeypatch.chdir(prepared)
    return prepared


def listing(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


# What is typed; the files that are then there; what is printed. Commands that only print come with no files.
GOOD = [
    ("train -solver solver.prototxt -cpu", ["run_iter_2.caffemodel", "run_iter_2.solverstate"], "Optimization Done."),
    ("train --solver=solver.prototxt -snapshot run_iter_2.solverstate", ["run_iter_2.solverstate"], "Resuming from"),
    ("train -solver=solver.prototxt --weights run_iter_2.caffemodel", [], "Finetuning from run_iter_2.caffemodel"),
    ("train -solver tested.prototxt --log train2.log --log_json log.json --keep-best accuracy --early-stop accuracy:1",
     ["train2.log", "log.json", "run_best.caffemodel", "run_best.json"], "Best accuracy so far: "),
    ("train -solver solver.prototxt -find_rate 1e-4:1:9 --curve rates.png", ["rates.png"], "written: rates.png"),
    ("train -solver solver.prototxt --log_dir . --tensorboard events", ["events"], "Optimization Done."),
    ("train -solver=solver.prototxt --weights named.npz", [], "Finetuning from named.npz"),
    ("test -model net.prototxt -weights named.npz -iterations 3", [], "Batch 2, accuracy = "),
    ("port net.prototxt --weights named.npz", [], "1 copied"),
    ("explain net.prototxt --weights named.npz --out named.html", ["named.html"], "written: named.html"),
    ("encode net.prototxt --weights named.npz --blob ip --out named_codes.npz", ["named_codes.npz"], ""),
    ("test -model net.prototxt -weights run_iter_2.caffemodel -iterations 3", [], "Batch 2, accuracy = "),
    ("time --model net.prototxt --iterations=2", [], "*** Benchmark ends ***"),
    ("time -model net.prototxt -weights run_iter_2.caffemodel -phase TEST -iterations 1", [], "  accuracy\tforward: "),
    ("device_query", [], "Querying GPUs"),
    ("device-query", [], "Querying GPUs"),
    ("convert_imageset -gray -resize_height 5 -resize-width=4 images/ list.txt gray_lmdb", ["gray_lmdb/data.mdb"],
     "Processed 10 files."),
    ("convert-imageset --shuffle --encoded -encode_type png -gray=false images/ list.txt png_lmdb",
     ["png_lmdb/data.mdb"], "Shuffling data"),
    ("convert_annoset -anno_type=detection -label_type txt images/ boxes.txt boxes_lmdb", ["boxes_lmdb/data.mdb"],
     "Processed 10"),
    ("convert_imageset -backend leveldb images/ list.txt images_leveldb", ["images_leveldb/CURRENT"], "Processed 10"),
    ("compute_image_mean images_lmdb mean.binaryproto", ["mean.binaryproto"], "mean_value channel [2]: "),
    ("compute_image_mean -backend=lmdb images_lmdb", [], "Number of channels: 3"),
    ("extract_features run_iter_2.caffemodel net.prototxt ip,label ip_lmdb,label_lmdb 2 lmdb CPU",
     ["ip_lmdb/data.mdb", "label_lmdb/data.mdb"], "Extracted features of 8 query images for feature blob label"),
    ("extract_features run_iter_2.caffemodel net.prototxt ip ip_leveldb 2 leveldb", ["ip_leveldb/CURRENT"],
     "Successfully extracted"),
    ("extract_features run_iter_2.caffemodel net.prototxt ip ip.h5 2 hdf5", ["ip.h5"], "Successfully extracted"),
    ("extract_features run_iter_2.caffemodel net.prototxt ip ip.npz 2 npz", ["ip.npz"], "Successfully extracted"),
    ("upgrade_net_proto_text old.prototxt new.prototxt", ["new.prototxt"], "Wrote upgraded NetParameter text proto to"),
    ("upgrade-net-proto-text net.prototxt same.prototxt", ["same.prototxt"], "already in latest proto format"),
    ("upgrade_net_proto_binary old.caffemodel new.caffemodel", ["new.caffemodel"], "Wrote upgraded NetParameter"),
    ("upgrade_solver_proto_text old_solver.prototxt new_solver.prototxt", ["new_solver.prototxt"],
     "Wrote upgraded SolverParameter text proto to"),
    ("draw_net net.prototxt net.svg", ["net.svg"], "Drawing net to net.svg"),
    ("draw-net -rankdir=TB -phase TRAIN --display_lrm net.prototxt net.dot", ["net.dot"], "Drawing net to net.dot"),
    ("draw_net --fold net.prototxt net.html", ["net.html"], "Drawing net to net.html"),
    ("summarize -w 20 net.prototxt", [], "ip, label -> 2.0 * loss"),
    ("parse_log -verbose -delimiter ; train.log .", ["train.log.train", "train.log.test"], "Wrote train.log.test"),
    ("plot_training_log 6 curve.png train.log", ["curve.png"], "Train loss vs. Iters"),
    ("resize_and_crop_images -input_folder images -output_folder small -output-side-length=4",
     ["small/0.png", "small/9.jpg"], "10 images in small"),
    ("summary net.prototxt", [], "multiply-adds"),
    ("summary solver.prototxt", [], "multiply-adds"),
    ("port net.prototxt --weights run_iter_2.caffemodel", [], "1 nets, 1 parse, 1 build, 1 of 1 run forward"),
    ("port solver.prototxt --html ports.html", ["ports.html"], "no nets: 1 solver files"),
    ("weights run_iter_2.caffemodel", [], "2 arrays, 435 numbers"),
    ("weights named.npz", [], "ip     weight  3x144    432"),
    ("weights net.prototxt", [], "no weights are in this file"),
    ("weights --json run_iter_2.solverstate", [], '"layer": "history"'),
    ("summary --shape data=2,3,6,8 net.prototxt", [], "multiply-adds"),
    ("draw_net --shape data=2,3,6,8 --shape label=2 net.prototxt shapes.dot", ["shapes.dot"],
     "Drawing net to shapes.dot"),
    ("check net.prototxt --shape data=2,3,6,8", [], "gradients checked, 0 wrong"),
    ("grade exercise.py", [], "All right."),
    ("explain net.prototxt --weights run_iter_2.caffemodel --out page.html", ["page.html"], "written: page.html"),
    ("explain net.prototxt -solver solver.prototxt -steps 2 --break=ip:2 --batch 2 -out taught.html", ["taught.html"],
     "written: taught.html"),
    ("encode net.prototxt --weights run_iter_2.caffemodel --blob ip --out ip_codes.npz", ["ip_codes.npz"],
     "10 codes of 3 bits, bit = value >= 0"),
    ("encode net.prototxt --weights run_iter_2.caffemodel --blob ip --threshold 0.5 --out half.npz", ["half.npz"],
     "10 codes of 3 bits, bit = value >= 0.5"),
    ("encode net.prototxt --weights run_iter_2.caffemodel --blob ip --channels bgr --out one.npz --images images/3.jpg",
     ["one.npz"], "one.npz: 1 code of 3 bits, bit = value >= 0, from images/3.jpg"),
    ("encode net.prototxt --weights run_iter_2.caffemodel --blob ip --channels rgb --images images --out folder.npz",
     ["folder.npz"], "10 codes of 3 bits"),
    ("run recipe.yaml --data . --out results", ["results/results.md", "results/tiny/seed_1/queries.npz"], "| tiny | "),
    ("index add new_index.npz ids.npz", ["new_index.npz"], "new_index.npz: 6 items, 6 more than before"),
    ("index info ids.npz", [], "items    6, "),
    ("index shard codes.npz codes.npz --out pieces --items-per-shard 5", ["pieces/shards.json", "pieces/00002.faiss"],
     "pieces: 12 items of 4 bits in 3 shards of 1 lists"),
    ("search --shards shards --queries codes.npz --top 1", [], "query\trank"),
    ("search --codes codes.npz --queries codes.npz --top 1", [], "query\trank"),
    ("search --base codes.npz --queries codes.npz --engine multi-index --radius 1", [], "query\trank"),
    ("search --codes codes.npz --queries codes.npz --top 1 --html found.html", ["found.html"], "written: found.html"),
    ("evaluate --queries codes.npz --protocol dsh-authors", [], "protocol dsh-authors"),
    ("evaluate --queries codes.npz --protocol dsh-authors --html scores.html", ["scores.html"],
     "written: scores.html"),
    ("convert net.prototxt net.yaml", ["net.yaml"], "NetParameter from net.prototxt"),
    ("convert net.prototxt --to onnx --weights run_iter_2.caffemodel --dynamic-batch", ["net.onnx"],
     "inputs data batch x 3 x 6 x 8; outputs ip batch x 3\nleft out: layer 'accuracy' (Accuracy), a measure"),
    ("convert net.prototxt --to onnx late.onnx", ["late.onnx"], "late.onnx: "),
    ("convert run_iter_2.caffemodel w.safetensors", ["w.safetensors"], "w.safetensors: 2 arrays of 1 layers from run"),
    ("convert --to npz run_iter_2.caffemodel", ["run_iter_2.npz"], "run_iter_2.npz: 2 arrays of 1 layers"),
    ("convert named.npz back.caffemodel --net net.prototxt", ["back.caffemodel"], "2 arrays of 1 layers from named"),
    ("convert ids.npz ids.parquet", ["ids.parquet"], "ids.parquet: 6 codes of 4 bits from ids.npz"),
    ("convert codes.parquet codes_again.npz", ["codes_again.npz"], "6 codes of 4 bits from codes.parquet"),
    ("convert ids.npz ids.faiss --faiss-index ivf --nlist 2", ["ids.faiss", "ids.faiss.ids"], "left out: labels"),
    ("convert --to faiss codes.npz --faiss-index hnsw", ["codes.faiss"], "4 zeros after each code"),
    ("convert codes.npz codes.sql --table items", ["codes.sql"], "codes.sql: 6 codes of 4 bits from codes.npz"),
    ("data info images_lmdb", [], "records  10"),
    ("data import photos --size 8 --test 0.2 --out taken", ["taken/train.txt", "taken/images/1/a1.png"],
     "taken: 8 training and 2 test photos, 2 classes"),
    ("new hashing --data imported --bits 8 --out drafted", ["drafted/recipe.yaml", "drafted/solver.prototxt"],
     "blobnet train --solver drafted/solver.prototxt"),
    ("prototxt list", [], "blobnet run dsh | dsh/better"),
    ("prototxt copy lenet --to copies", ["copies/prototxt/lenet/solver.prototxt"], "copies/prototxt/lenet"),
    ("layers", [], "InnerProduct"),
    ("layer InnerProduct", [], "num_output"),
    ("doctor", [], "blobnet works"),
    ("doctor --json", [], '"works": true'),
    ("completion bash", [], "complete -o bashdefault"),
]
# What is typed; the exit status; what the one line says.
BAD = [
    ("train", 2, "the following arguments are required: --solver"),
    ("train -solver solvr.prototxt", 1, "did you mean 'solver.prototxt'"),
    ("train -solver net.prototxt", 1, "this is a net; give its solver file"),
    ("explain net.prototxt", 2, "the following arguments are required: --out"),
    ("explain net.prototxt --break ip --out page.html", 2, "expected LAYER:FACTOR"),
    ("explain net.prototxt --break ipp:2 --out page.html", 1, "did you mean 'ip'"),
    ("explain net.prototxt --inputs no.npz --out page.html", 1, "arrays by blob name"),
    ("explain net.prototxt --weights old.caffemodel --out page.html", 1, "no layer with parameters"),
    ("explain nt.prototxt --out page.html", 1, "did you mean 'net.prototxt'"),
    ("grade no.py", 2, "expected a Python file with an exercise"),
    ("check solver.prototxt", 1, "this is a solver file; its net is 'net.prototxt'"),
    ("port no.prototxt", 1, "no.prototxt: no such file"),
    ("train -solver solver.prototxt -snapshot run_iter_2.caffemodel", 1, "expected a .solverstate"),
    ("train -solver solver.prototxt -weights run_iter_2.solverstate", 1, "expected weights"),
    ("train -solver tested.prototxt --early-stop acuracy:2", 1, "did you mean 'accuracy'"),
    ("train -solver solver.prototxt --keep-best accuracy", 1, "no test whose output 'accuracy' could be watched"),
    ("train -solver solver.prototxt --log no/train.log", 1, "no/train.log: there is no folder 'no'"),
    ("train -solver solver.prototxt --log list.txt", 1, "list.txt: expected a log, or no such file"),
    ("train -solver solver.prototxt --log-json list.txt", 1, "list.txt:1: expected an object with an iteration"),
    ("train -solver solver.prototxt --find-rate 1:2", 2, "expected LOW:HIGH:STEPS"),
    ("train -solver solver.prototxt --find-rate 1:0.1:5", 1, "expected 0 < low < high"),
    ("train -solver solver.prototxt --find-rate --keep-best loss", 1, "--keep-best would have no effect"),
    ("train -solver solver.prototxt --curve rates.png", 1, "draws what --find-rate finds"),
    ("train -solver solver.prototxt -snapshot a -weights b", 2, "not allowed with argument"),
    ("train -solver solver.prototxt -sigint_effect halt", 2, "choose from"),
    ("train -solver solver.prototxt -gpu 0,1", 1, "device 'gpu:0': no GPU can be used"),
    ("train -solver solver.prototxt -gpu first", 2, "expected the number of a GPU, several with commas, or all"),
    ("test -model net.prototxt", 2, "the following arguments are required: --weights"),
    ("test -weights run_iter_2.caffemodel", 2, "the following arguments are required: --model"),
    ("test -model net.prototxt -weights no.caffemodel", 1, "no.caffemodel: no such file"),
    ("test -model net.prototxt -weights old.caffemodel", 1, "no layer with parameters in 'old.caffemodel'"),
    ("test -model net.prototxt -weights run_iter_2.caffemodel -iterations 0", 2, "a whole number of at least 1"),
    ("time -model broken.prototxt", 1, "did you mean 'type'"),
    ("time -model net.prototxt -phase test", 2, "choose from"),
    ("time -model net.prototxt -iteration x", 2, "a whole number"),
    ("device_query -gpu x", 2, "expected the number of a GPU"),
    ("convert_annoset -anno_type=detection images/ boxes.txt new_lmdb", 1, "--label_map_file with --anno_type"),
    ("convert_annoset -anno_type=detection -label_map_file=map.prototxt --check_label images/ boxes.txt new_lmdb", 1,
     "map.prototxt: has the name 'cat' twice"),
    ("convert_annoset -anno_type=detection -label_map_file=map.prototxt images/ boxes.txt new_lmdb", 1,
     "images/0.txt: is no XML file"),
    ("convert_annoset -anno_type=detection -label_type txt images/ none.txt new_lmdb", 1, "none of its 2 images"),
    ("convert net.prototxt --to onxx", 2, "choose from"),
    ("convert net.prototxt --to onnx --blob ipp", 1, "no blob 'ipp'; did you mean 'ip'"),
    ("convert_annoset images/ boxes.txt", 2, "the following arguments are required: DB_NAME"),
    ("convert_imageset images/ list.txt", 2, "the following arguments are required: DB_NAME"),
    ("convert_imageset images/ lst.txt new_lmdb", 1, "did you mean 'list.txt'"),
    ("convert_imageset images/ empty.txt new_lmdb", 1, "expected lines of a path and a label"),
    ("convert_imageset images/ wide.txt new_lmdb", 1, "wide.txt:1: expected a label below 2^31 in size"),
    ("convert_imageset images/ none.txt new_lmdb", 1, "none of its 2 images could be read"),
    ("convert_imageset images list.txt new_lmdb", 1, "add a slash at the end"),
    ("convert_imageset picture/ list.txt new_lmdb", 1, "there is no folder 'picture'"),
    ("convert_imageset images/ list.txt images_lmdb", 1, "is there already"),
    ("convert_imageset images/ list.txt no/new_lmdb", 1, "there is no folder"),
    ("convert_imageset -check_size images/ list.txt new_lmdb", 1, "expected 180 values"),
    ("convert_imageset -resize_width 4 images/ list.txt new_lmdb", 1, "--resize_width and --resize_height, or neither"),
    ("convert_imageset -encode_type gif images/ list.txt new_lmdb", 1, "expected an image format among jpg"),
    ("convert_imageset -backend mdb images/ list.txt new_lmdb", 2, "choose from"),
    ("compute_image_mean no_lmdb out.binaryproto", 1, "no such folder"),
    ("compute_image_mean list.txt out.binaryproto", 1, "expected a folder, got a file"),
    ("compute_image_mean images out.binaryproto", 1, "expected the files of an LMDB"),
    ("compute_image_mean -backend leveldb images_lmdb out.binaryproto", 1, "expected a database of backend leveldb"),
    ("compute_image_mean images_lmdb no/out.binaryproto", 1, "there is no folder"),
    ("extract_features run_iter_2.caffemodel net.prototxt ip", 2, "the following arguments are required"),
    ("extract_features run_iter_2.caffemodel net.prototxt ip,data out_lmdb 1 lmdb", 1, "datasets as blobs, 2"),
    ("extract_features run_iter_2.caffemodel net.prototxt ipp out_lmdb 1 lmdb", 1, "did you mean 'ip'"),
    ("extract_features run_iter_2.caffemodel net.prototxt ip out_lmdb 0 lmdb", 2, "a whole number of at least 1"),
    ("extract_features run_iter_2.caffemodel net.prototxt ip out_lmdb 1 csv", 2, "choose from"),
    ("extract_features net.prototxt run_iter_2.caffemodel ip out_lmdb 1 lmdb", 1, "the weights, and then the net"),
    ("extract_features run_iter_2.caffemodel net.prototxt ip images_lmdb 1 lmdb", 1, "is there already"),
    ("extract_features run_iter_2.caffemodel net.prototxt ip no/out.h5 1 hdf5", 1, "there is no folder"),
    ("upgrade_net_proto_text no.prototxt out.prototxt", 1, "no.prototxt: no such file"),
    ("upgrade_net_proto_text old.caffemodel out.prototxt", 1, "expected prototxt, got a binary file"),
    ("upgrade_net_proto_text broken.prototxt out.prototxt", 1, "broken.prototxt:1:29"),
    ("upgrade_net_proto_text old.prototxt no/out.prototxt", 1, "there is no folder"),
    ("upgrade_net_proto_binary old.prototxt out.caffemodel", 1, "expected a binary NetParameter, got text"),
    ("upgrade_net_proto_binary noise.bin out.caffemodel", 1, "noise.bin"),
    ("upgrade_solver_proto_text old.prototxt out.prototxt", 1, "SolverParameter has no field"),
    ("upgrade_solver_proto_text old_solver.prototxt", 2, "the following arguments are required: NEW"),
    ("draw_net no.prototxt net.svg", 1, "no.prototxt: no such file"),
    ("draw_net net.prototxt no/net.svg", 1, "there is no folder"),
    ("draw_net net.prototxt net.svg -phase BOTH", 2, "choose from"),
    ("draw_net net.prototxt net.html -rankdir BT", 1, "expected LR or TB"),
    ("draw_net net.prototxt net.dot --fold", 1, "which can be folded"),
    ("summarize broken.prototxt", 1, "broken.prototxt:1:29"),
    ("parse_log list.txt .", 1, "expected a training log"),
    ("plot_training_log 9 curve.png train.log", 2, "choose from"),
    ("plot_training_log 0 curve.png trian.log", 1, "did you mean 'train.log'"),
    ("resize_and_crop_images -input_folder images", 2, "required: --output_folder"),
    ("resize_and_crop_images -input_folder imags -output_folder small", 1, "no such folder"),
    ("summary no.prototxt", 1, "no.prototxt: no such file"),
    ("weights noise.bin", 1, "noise.bin"),
    ("check net.prototxt --shape data=2", 1, "got axis 1"),
    ("encode net.prototxt --weights run_iter_2.caffemodel --blob i --out out.npz", 1, "no blob 'i'"),
    ("encode net.prototxt --weights run_iter_2.caffemodel --blob ip --images images --out out.npz", 1,
     "give it: --channels rgb"),
    ("encode net.prototxt --weights run_iter_2.caffemodel --blob ip --images no.jpg --out out.npz", 1, "no.jpg"),
    ("encode net.prototxt --weights run_iter_2.caffemodel --blob ip --images images --count 2 --out out.npz", 1,
     "--count beside --images"),
    ("run recipe.yaml --data . --only tine", 1, "did you mean 'tiny'?"),
    ("run recipe.yaml --seeds 1,a", 1, "whole numbers such as 1,2,3"),
    ("index add ids.npz ids.npz", 1, "ids.npz: codes: 6 of 6 ids are in the index already"),
    ("index add ids.npz", 1, "expected codes files, or photos after --images, got neither"),
    ("index remove ids.npz pohto1", 1, "no item 'pohto1' in the index; did you mean 'photo1'"),
    ("index info list.txt", 1, "list.txt: not a whole .npz file"),
    ("search --shards codes.npz --queries codes.npz", 1, "shards.json: no such file"),
    ("search --shards shards --queries codes.npz --engine faiss", 1, "no --engine with --shards, got hamming, faiss"),
    ("search --shards shards --codes codes.npz --queries codes.npz", 2, "not allowed with argument"),
    ("search --shards shards --queries codes.npz --nprobe 0", 2, "a whole number of at least 1"),
    ("search --codes codes.npz --queries codes.npz --nprobe 2", 1, "--shards"),
    ("index shard codes.npz --out shards", 1, "shards: is there already"),
    ("index shard codes.npz no.npz --out more", 1, "no.npz: no such file"),
    ("convert codes.npz codes.parquet --to sql", 1, "expected a name that ends in .sql, got codes.parquet"),
    ("convert codes.parquet codes.yaml", 1, "expected a name that ends in .npz or .parquet or .faiss or .sql"),
    ("convert net.prototxt net.parquet", 1, "net.prototxt: not a whole .npz file"),
    ("convert list.txt list.sql", 1, "list.txt: not a whole .npz file"),
    ("convert codes.npz a.faiss --faiss-index ivf --nlist 9", 1, "from 1 to 6 lists, for so many items, got 9"),
    ("search --codes codes.npz --queries no.npz", 1, "no.npz: no such file"),
    ("evaluate --queries codes.npz", 1, "a base apart from the queries"),
    ("convert net.prototxt net.json", 1, "cannot tell a format from this name"),
    ("convert net.prototxt net.npz", 1, "net.prototxt: expected weights, got a file without any"),
    ("convert named.npz back.caffemodel", 1, "--net NET.prototxt"),
    ("convert --to npz run_iter_2.caffemodel w.safetensors", 1, "expected a name that ends in .npz"),
    ("convert --to npz net.prototxt w.npz --weights run_iter_2.caffemodel", 1, "OUT --net net.prototxt"),
    ("convert codes.npz w.safetensors", 1, "codes.npz: array 'header', expected numbers"),
    ("data split cifar-10-I", 1, "did you mean 'cifar10-I'"),
    ("data info images", 1, "expected the files of an LMDB"),
    ("data import images --out new", 1, "is in no folder of a class"),
    ("data import image", 1, "nor is there such a folder"),
    ("new hashing --data images", 1, "images: no imported photos"),
    ("new hashing --data imported --out drafted --net alexnet", 1, "no weights to start from"),
    ("prototxt copy lenett", 1, "did you mean 'lenet'"),
    ("layers --plugin no.py", 1, "expected a Python file"),
    ("layer InnerProdukt", 1, "did you mean 'InnerProduct'"),
    ("doctor net.prototxt", 2, "`blobnet doctor --help` lists what there is"),
    ("completion powershell", 2, "choose from"),
    ("trian -solver solver.prototxt", 2, "did you mean 'train'"),
    ("version", 2, "`blobnet --help` lists them"),
    ("-solver solver.prototxt", 2, "the command comes first, and then -solver; `blobnet --help` lists the commands"),
    ("train solver.prototxt", 2, "'solver.prototxt' needs its flag: --solver solver.prototxt"),
    ("train -slover solver.prototxt", 2, "did you mean '--solver'?"),
    ("train -solver solver.prototxt --epochs 10", 2, "--epochs 10; `blobnet train --help` lists what there is"),
    ("train -solver images", 1, "expected a file, got a folder; give a file in it"),
    ("test net.prototxt run_iter_2.caffemodel", 2, "'net.prototxt' needs its flag: --model net.prototxt"),
    ("summary net.prototxt --levle 1", 2, "did you mean '--level'?"),
    ("summary net.prototxt solver.prototxt", 2, "unrecognized arguments: solver.prototxt"),
    ("convert net.prototxt", 1, "convert: expected OUT, the file to write, got none"),
    ("data", 2, "COMMAND; one of import, split, info"),
    ("data imprt photos", 2, "choose from"),
    ("run prototxt/dsh", 1, "did you mean 'dsh'"),
    ("plot_training_log curve.png train.log", 2, "expected a whole number of at least 0, got 'curve.png'"),
]


@pytest.mark.parametrize("line, written, says", GOOD, ids=[row[0] for row in GOOD])
def test_good_input(files, capsys, line, written, says):
    before = listing(files)
    for name in written:
        assert name.startswith("run_iter") or not Path(name).exists()
    assert main(line.split()) == 0
    output = capsys.readouterr()
    assert says in output.out + output.err
    assert all(Path(name).stat().st_size for name in written)
    if not written and not line.startswith("train"):
        assert listing(files) == before


@pytest.mark.parametrize("line, status, says", BAD, ids=[row[0] for row in BAD])
def test_bad_input(files, capsys, line, status, says):
    before = listing(files)
    try:
        got = main(line.split())
    except SystemExit as stop:  # what argparse finds
        got = stop.code
    error = capsys.readouterr().err
    lines = error.splitlines()
    said = [i for i, text in enumerate(lines) if re.match(r"blobnet.*: ", text)]
    assert got == status and len(said) == 1, error
    assert all(text.startswith("    ") for text in lines[said[0] + 1:])  # the place in a prototxt
    assert says in lines[said[0]]
    assert listing(files) == before


def test_the_tables_have_every_command():
    for table in (GOOD, BAD):
        assert {line.split()[0].replace("-", "_") for line, *_ in table} >= set(COMMANDS)
