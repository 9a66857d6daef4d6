"""The layers of examples/faster_rcnn against plain loops and figures, and the nets that are made of them."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from blobnet.cli import main
from blobnet.core.context import TEST, TRAIN
from blobnet.core.net import Net
from blobnet.data.images.encode import encode_image
from blobnet.errors import BlobnetError, DataError, NetError
from blobnet.proto.text import parse
from blobnet.recipes import read_recipe, run_recipe
from blobnet.solvers import get_solver

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "examples/faster_rcnn"
PACKAGES = {path.name for path in EXAMPLE.iterdir() if path.is_dir()}


@pytest.fixture(autouse=True)
def found(monkeypatch):
    """Python finds the packages of the example in this test, and they are imported anew in the next."""
    monkeypatch.setattr(sys, "path", [str(EXAMPLE), *sys.path])
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] in PACKAGES]:
        del sys.modules[name]


def python(module, name, bottoms, tops, settings):
    blobs = "".join(f' bottom: "{blob}"' for blob in bottoms.split()) + "".join(f' top: "{t}"' for t in tops.split())
    return (f'layer {{ name: "it" type: "Python" {blobs} python_param {{ module: "{module}" layer: "{name}" '
            f'param_str: "{settings}" }} }}\n')


def inputs(**shapes):
    tops = "".join(f' top: "{name}"' for name in shapes)
    sizes = "".join(" shape { " + "".join(f"dim: {n} " for n in shape) + "}" for shape in shapes.values())
    return f'layer {{ name: "in" type: "Input"{tops} input_param {{{sizes} }} }}\n'


def build(text, phase=TRAIN, seed=1):
    return Net(parse(text, "NetParameter"), phase, random_seed=seed, python_layers=True, dtype="float64")


def iou(a, b):
    sides = [min(a[k + 2], b[k + 2]) - max(a[k], b[k]) + 1 for k in (0, 1)]
    common = sides[0] * sides[1] if min(sides) > 0 else 0
    size = sum((box[2] - box[0] + 1) * (box[3] - box[1] + 1) for box in (a, b))
    return common / (size - common)


def offsets(box, goal):
    sides, other = [(x[2] - x[0] + 1, x[3] - x[1] + 1) for x in (box, goal)]
    shift = [(goal[k] + other[k] / 2 - box[k] - sides[k] / 2) / sides[k] for k in (0, 1)]
    return [*shift, *(np.log(other[k] / sides[k]) for k in (0, 1))]


def anchors_at(y, x, stride=16):
    from rpn.generate_anchors import generate_anchors
    return generate_anchors() + np.array([x, y, x, y]) * stride


def test_the_published_anchors():
    """Those of the authors' program, which counts pixels from 1: [-83, -39, 100, 56] is its first."""
    assert (anchors_at(0, 0) + 1).tolist() == [
        [-83, -39, 100, 56], [-175, -87, 192, 104], [-359, -183, 376, 200], [-55, -55, 72, 72], [-119, -119, 136, 136],
        [-247, -247, 264, 264], [-35, -79, 52, 96], [-79, -167, 96, 184], [-167, -343, 184, 360]]


RNG = np.random.default_rng(3)
H, W = 5, 7
INFO = np.array([[H * 16, W * 16, 1.5]])
TRUTH = np.array([[5, 9, 60, 70, 2], [40, 10, 105, 60, 1], [70, 30, 90, 79, 3]], float)
MAPS = inputs(scores=(1, 18, H, W), shifts=(1, 36, H, W), im_info=(1, 3), truth=(3, 5))


@pytest.mark.parametrize("phase, settings", [
    (TRAIN, {}), (TEST, {}), (TEST, {"rpn_pre_nms_top_n": 40, "rpn_post_nms_top_n": 3, "rpn_nms_thresh": 0.4}),
    (TRAIN, {"rpn_min_size": 40, "rpn_post_nms_top_n": -1})])
def test_proposals_against_loops(phase, settings):
    net = build(MAPS + python("rpn.proposal_layer", "ProposalLayer", "scores shifts im_info", "rois best",
                              str({"feat_stride": 16} | settings)), phase)
    scores, shifts = RNG.random((1, 18, H, W)), RNG.normal(0, 0.3, (1, 36, H, W))
    net.forward(scores=scores, shifts=shifts, im_info=INFO)
    options = dict(rpn_min_size=16, rpn_pre_nms_top_n=12000 if phase == TRAIN else 6000, rpn_nms_thresh=0.7,
                   rpn_post_nms_top_n=2000 if phase == TRAIN else 300) | settings
    found = []
    for y, x in np.ndindex(H, W):
        for k, (x1, y1, x2, y2) in enumerate(anchors_at(y, x)):
            d = shifts[0, 4 * k:4 * k + 4, y, x]
            w, h = x2 - x1 + 1, y2 - y1 + 1
            middle, half = (x1 + w / 2 + d[0] * w, y1 + h / 2 + d[1] * h), (np.exp(d[2]) * w / 2, np.exp(d[3]) * h / 2)
            box = [middle[0] - half[0], middle[1] - half[1], middle[0] + half[0], middle[1] + half[1]]
            box = [min(max(v, 0), limit - 1) for v, limit in zip(box, (W * 16, H * 16) * 2)]
            if min(box[2] - box[0], box[3] - box[1]) + 1 >= options["rpn_min_size"] * INFO[0, 2]:
                found.append((scores[0, 9 + k, y, x], box))
    kept = []
    for score, box in sorted(found, key=lambda pair: -pair[0])[:options["rpn_pre_nms_top_n"]]:
        if all(iou(box, other) <= options["rpn_nms_thresh"] for _, other in kept):
            kept.append((score, box))
    if options["rpn_post_nms_top_n"] > 0:
        kept = kept[:options["rpn_post_nms_top_n"]]
    np.testing.assert_allclose(net.blobs["rois"].data, [[0, *box] for _, box in kept], atol=1e-9)
    np.testing.assert_allclose(net.blobs["best"].data, [[score] for score, _ in kept])
    assert len(kept) >= 3


def test_no_proposal_is_large_enough():
    net = build(MAPS + python("rpn.proposal_layer", "ProposalLayer", "scores shifts im_info", "rois",
                              "{feat_stride: 16, rpn_min_size: 500}"))
    net.forward(scores=np.ones((1, 18, H, W)), im_info=INFO)
    assert net.blobs["rois"].shape == (0, 5)


TOPS = "labels offsets inside outside"


def anchor_net(settings="", seed=1, rows=3):
    maps = inputs(scores=(1, 18, H, W), truth=(rows, 5), im_info=(1, 3))
    return build(maps + python("rpn.anchor_target_layer", "AnchorTargetLayer", "scores truth im_info", TOPS,
                               "{feat_stride: 16, allowed_border: 60, scales: [2, 3, 4], " + settings + "}"), seed=seed)


@pytest.mark.parametrize("clobber", [False, True])
def test_targets_of_anchors_against_loops(clobber):
    from rpn.generate_anchors import generate_anchors
    net = anchor_net(f"rpn_batchsize: 5000, rpn_clobber_positives: {str(clobber).lower()}, rpn_positive_overlap: 0.5")
    net.forward(truth=TRUTH, im_info=INFO)
    boxes = {(y, x, k): box for y, x in np.ndindex(H, W) for k, box in
             enumerate(generate_anchors(16, (0.5, 1, 2), (2, 3, 4)) + np.array([x, y, x, y]) * 16)
             if min(box[:2]) >= -60 and box[2] < W * 16 + 60 and box[3] < H * 16 + 60}
    shares = {place: [iou(box, goal) for goal in TRUTH] for place, box in boxes.items()}
    best = np.max(list(shares.values()), axis=0)
    labels, t = np.full((9, H, W), -1.0), np.zeros((9, 4, H, W))
    for (y, x, k), own in shares.items():
        t[k, :, y, x] = offsets(boxes[y, x, k], TRUTH[np.argmax(own)])
        positive, negative = max(own) >= 0.5 or any(own == best), max(own) < 0.3
        labels[k, y, x] = 0 if negative and (clobber or not positive) else 1 if positive else -1
    drawn = (labels >= 0).sum()
    np.testing.assert_array_equal(net.blobs["labels"].data, labels.reshape(1, 1, 9 * H, W))
    np.testing.assert_allclose(net.blobs["offsets"].data, t.reshape(1, 36, H, W), atol=1e-12)
    np.testing.assert_array_equal(net.blobs["inside"].data, np.repeat(labels == 1, 4, axis=0)[None])
    np.testing.assert_allclose(net.blobs["outside"].data, np.repeat(labels >= 0, 4, axis=0)[None] / drawn)
    assert (labels == 1).sum() >= 3 and (labels == 0).sum() > 50


def test_a_sample_of_the_anchors():
    nets = [anchor_net("rpn_batchsize: 20, rpn_positive_overlap: 0.3, rpn_negative_overlap: 0.3", seed)
            for seed in (1, 1, 2)]
    drawn = [[net.forward(truth=TRUTH, im_info=INFO)["labels"].copy() for _ in range(2)] for net in nets]
    for labels in drawn[0]:
        assert ((labels == 1).sum(), (labels == 0).sum()) == (10, 10)  # half of them objects
    assert np.array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[0][0], drawn[0][1]) and not np.array_equal(drawn[0][0], drawn[2][0])
    few = anchor_net("rpn_batchsize: 40, rpn_fg_fraction: 0.9, rpn_positive_overlap: 0.99")
    labels = few.forward(truth=TRUTH, im_info=INFO)["labels"]
    assert 3 <= (labels == 1).sum() < 36 and (labels >= 0).sum() == 40  # background takes the place of objects
    assert np.unique(few.blobs["outside"].data).tolist() == [0, 1 / 40]


def test_weights_of_objects_and_background():
    net = anchor_net("rpn_batchsize: 20, rpn_positive_weight: 0.25")
    labels = net.forward(truth=TRUTH, im_info=INFO)["labels"].reshape(9, H, W)
    weights = net.blobs["outside"].data.reshape(9, 4, H, W)[:, 0]
    for label, share in ((1, 0.25), (0, 0.75)):
        np.testing.assert_allclose(weights[labels == label].sum(), share)


def test_an_image_without_true_boxes():
    net = anchor_net("rpn_batchsize: 20", rows=0)
    net.forward(truth=np.zeros((0, 5)), im_info=INFO)
    assert ((net.blobs["labels"].data == 0).sum(), (net.blobs["labels"].data == 1).sum()) == (20, 0)


def target_net(settings="", rows=4, truth=2):
    return build(inputs(proposals=(rows, 5), truth=(truth, 5)) + python(
        "rpn.proposal_target_layer", "ProposalTargetLayer", "proposals truth", "rois labels offsets inside outside",
        "{num_classes: 3, " + settings + "}"))


def test_targets_of_proposals_in_figures():
    """A box of 10 x 10 pixels with the label 2, one of 20 x 10 with the label 1, and proposals at known overlaps."""
    truth = np.array([[10, 10, 19, 19, 2], [40, 20, 59, 29, 1]])
    proposals = np.array([[0, 10, 10, 19, 19], [0, 12, 10, 21, 19], [0, 16, 10, 25, 19], [0, 70, 70, 79, 79]])
    net = target_net()  # overlaps 1, 80/120, 40/160, 0
    net.forward(proposals=proposals, truth=truth)
    rows = [tuple(row) for row in net.blobs["rois"].data]
    labels = dict(zip(rows, net.blobs["labels"].data))
    assert len(rows) == 6
    assert labels == {(0, 10, 10, 19, 19): 2, (0, 12, 10, 21, 19): 2, (0, 16, 10, 25, 19): 0, (0, 70, 70, 79, 79): 0,
                      (0, 40, 20, 59, 29): 1}
    assert net.blobs["labels"].data.tolist() == sorted(net.blobs["labels"].data, key=lambda label: label == 0)
    shifted = rows.index((0, 12, 10, 21, 19))
    np.testing.assert_allclose(net.blobs["offsets"].data[shifted], [0] * 8 + [-0.2 / 0.1, 0, 0, 0])  # -2 of 10 pixels
    assert net.blobs["inside"].data[shifted].tolist() == [0] * 8 + [1] * 4
    assert np.array_equal(net.blobs["outside"].data, net.blobs["inside"].data)
    assert not net.blobs["offsets"].data[rows.index((0, 16, 10, 25, 19))].any()


def test_a_sample_of_the_proposals():
    rng = np.random.default_rng(1)
    proposals = np.zeros((200, 5))
    proposals[:, 1:3] = rng.integers(0, 60, (200, 2))
    proposals[:, 3:] = proposals[:, 1:3] + rng.integers(15, 40, (200, 2))
    net = target_net("batch_size: 40, fg_fraction: 0.2, fg_thresh: 0.3, bg_thresh_hi: 0.3, bg_thresh_lo: 0.1", 200, 3)
    drawn = []
    for _ in range(2):
        net.forward(proposals=proposals, truth=np.column_stack([TRUTH[:, :4], [1, 2, 1]]))
        labels, rois = net.blobs["labels"].data, net.blobs["rois"].data
        assert (len(labels), (labels > 0).sum()) == (40, 8)
        most = [max(iou(box[1:], goal) for goal in TRUTH) for box in rois]
        assert min(most[:8]) >= 0.3 > max(most[8:]) and min(most[8:]) >= 0.1
        drawn.append(rois.copy())
    assert not np.array_equal(*drawn)


@pytest.fixture
def images(tmp_path):
    """Two images of 40 x 60 and 50 x 30 pixels, each with a bright true box and a proposal; the list."""
    lines = []
    for name, (height, width), boxes in (("a.png", (40, 60), [[1, 5, 10, 24, 29], [0, 30, 2, 50, 20]]),
                                         ("b.png", (50, 30), [[2, 3, 20, 17, 44], [0, 2, 22, 17, 40]])):
        image = np.full((3, height, width), 20, np.uint8)
        _, x1, y1, x2, y2 = boxes[0]
        image[:, y1:y2 + 1, x1:x2 + 1] = 250
        (tmp_path / name).write_bytes(encode_image(image, "png"))
        lines.append(f"{name} {' '.join(str(number) for box in boxes for number in box)}\n")
    (tmp_path / "list.txt").write_text("\n".join(lines))
    return tmp_path / "list.txt"


def data_net(path, tops="data im_info truth", settings="scales: [80], max_size: 100", seed=1):
    return build(python("roi_data_layer.layer", "RoIDataLayer", "", tops,
                        "{num_classes: 3, source: " + str(path) + ", " + settings + "}"), seed=seed)


def test_images_come_scaled_and_mirrored_with_their_boxes(images):
    net, seen = data_net(images), set()
    for _ in range(4):
        data, info, truth = net.forward().values()
        height, width = data.shape[2:]
        assert (height, width) in ((67, 100), (100, 60))  # the longer side would have 120, or 133
        scale = 100 / (60 if height < width else 50)
        np.testing.assert_allclose(info, [[height, width, scale]])
        (x1, y1, x2, y2, label), = truth
        bright = data[0].mean(0) > 100
        assert label == (1 if height < width else 2)
        rows, columns = np.flatnonzero(bright.any(1)), np.flatnonzero(bright.any(0))
        for box, places in (((x1, x2), columns), ((y1, y2), rows)):
            assert abs(places[0] - box[0]) <= 1 and abs(places[-1] + 1 - box[1] - scale) <= 1
        assert data.max() == pytest.approx(250 - 102.9801) and data[0, 2].max() == pytest.approx(250 - 122.7717)
        seen.add((int(label), round(float(x1), 3)))
    assert seen == {(1, round(5 * 5 / 3, 3)), (1, round(35 * 5 / 3, 3)), (2, 6), (2, 24)}  # 60 - 1 - 24, 30 - 1 - 17


def test_the_batch_of_a_step_depends_on_the_seed_alone(images):
    def labels(net, start, count):
        net.context.step = start
        return [tuple(net.forward()["truth"][0]) for _ in range(count)]

    whole = labels(data_net(images), 0, 12)
    assert labels(data_net(images), 5, 7) == whole[5:]
    assert labels(data_net(images, seed=2), 0, 12) != whole
    assert len(set(whole[:4])) == len(set(whole[4:8])) == 4


def test_batches_of_fast_rcnn(images):
    net = data_net(images, "data rois labels offsets inside outside",
                   "scales: [40], max_size: 100, use_flipped: false, fg_thresh: 0.8, bg_thresh_hi: 0.8")
    net.forward()
    data, rois, labels, t = (net.blobs[name].data for name in ("data", "rois", "labels", "offsets"))
    assert data.shape == (2, 3, 67, 60) and labels.tolist() in ([1, 2, 0], [2, 0, 1])
    wide = int(labels[0] == 2)  # 40 x 60 keeps its size, 50 x 30 becomes 67 x 40
    assert not data[wide, :, 40:].any() and not data[1 - wide, :, :, 40:].any()
    rows = {(int(row[0] == wide), label): row[1:] for row, label in zip(rois, labels)}
    np.testing.assert_allclose(rows[1, 1], [5, 10, 24, 29])
    np.testing.assert_allclose(rows[0, 2], np.array([3, 20, 17, 44]) * 4 / 3)
    np.testing.assert_allclose(rows[0, 0], np.array([2, 22, 17, 40]) * 4 / 3)  # overlap 285 / 391; the other has 0
    assert t.shape == (3, 12) and not t.any()


@pytest.mark.parametrize("text, words", [
    ("a.png 1 2 3\n", "list.txt:1: expected five numbers a box: label, from 0 to 2, x1 y1 x2 y2, got 1 2 3"),
    ("\na.png 1 5 5 4 9\n", "list.txt:2: expected five numbers a box.*, got 1 5 5 4 9"),
    ("a.png 3 5 5 9 9\n", "got 3 5 5 9 9"), ("a.png 0.5 5 5 9 9\n", "got 0.5 5 5 9 9"),
    ("a.png -1 5 5 9 9\n", "got -1"), ("a.png 1 nan 5 9 9\n", "got 1 nan 5 9 9"),
    ("a.png one 5 5 9 9\n", "got one 5 5 9 9"),
    ("", "list.txt: expected images and boxes, got an empty list"),
    ("a.png 1 5 5 60 9\n", "boxes of '.*a.png': expected boxes in an image of 60 x 40"),
    ("c.png\n", "c.png: no such file")])
def test_lists_that_are_none(images, text, words):
    images.write_text(text)
    with pytest.raises(DataError, match=words):
        data_net(images).forward()


ANCHORS = "rpn.anchor_target_layer", "AnchorTargetLayer"
TARGETS = "rpn.proposal_target_layer", "ProposalTargetLayer"


@pytest.mark.parametrize("settings, words", [
    ("", "no 'feat_stride' in param_str; write param_str:"),
    ("feat_stride", "expected param_str with names and values"),
    ("{feat_stride: 0}", "'feat_stride' in param_str, expected a whole number of at least 1, got 0"),
    ("{feat_stride: 1.5}", "expected a whole number of at least 1, got 1.5"),
    ("{feat_stride: 99999999}", "got 99999999"), ("{feat_stride: [1]}", "got .1."),
    ("{a: b: c}", "param_str is no YAML"),
    ("{feat_strid: 16}", "no setting 'feat_strid' in param_str; did you mean 'feat_stride'"),
    ("{feat_stride: 16, scales: []}", "expected one or more numbers above 0"),
    ("{feat_stride: 16, scales: [.nan]}", "one or more numbers above 0"),
    ("{feat_stride: 16, scales: [8]}",
     r"expected a map \(1, 6, H, W\), of one image and 3 anchors, got \(1, 18, 5, 7\)"),
    ("{feat_stride: 16, rpn_clobber_positives: 1}", "expected true or false, got 1"),
    ("{feat_stride: 16, rpn_batchsize: -4}", "expected a whole number of at least 0, got -4"),
    ("{feat_stride: 16, bbox_normalize_stds: [1, 1, 0, 1]}", "expected four numbers above 0"),
    ("{feat_stride: 16, rpn_positive_weight: 1.0}", "expected RPN_POSITIVE_WEIGHT below 1, got 1.0")])
def test_settings_that_are_none(settings, words):
    with pytest.raises(BlobnetError, match=words):
        build(MAPS + python(*ANCHORS, "scores truth im_info", TOPS, settings))


def test_the_settings_of_old_nets():
    net = build(inputs(scores=(1, 24, H, W), truth=(3, 5), im_info=(1, 3)) + python(
        *ANCHORS, "scores truth im_info", TOPS, "'feat_stride': 16 \\n'scales': !!python/tuple [4, 8, 16, 32]"))
    assert net.blobs["offsets"].shape == (1, 48, H, W)


def test_inputs_that_cannot_be():
    net = target_net()
    with pytest.raises(DataError, match="expected proposals of one image, got image 1"):
        net.forward(proposals=np.ones((4, 5)), truth=np.ones((2, 5)))
    for label in (0, 3):
        with pytest.raises(DataError, match="expected labels from 1 to 2, got"):
            net.forward(proposals=np.zeros((4, 5)), truth=np.full((2, 5), label))
    layer = python(*TARGETS, "proposals truth", "a b c d e", "num_classes: 3")
    with pytest.raises(NetError, match="num_classes of at least 2, got 1"):
        build(inputs(proposals=(4, 5), truth=(2, 5)) + layer.replace("3", "1"))
    with pytest.raises(BlobnetError, match=r"expected true boxes \(N, 5\), got \(3, 4\)"):
        build(inputs(proposals=(4, 5), truth=(3, 4)) + layer).forward()
    with pytest.raises(NetError, match="expected 3 tops, data im_info gt_boxes, or 6"):
        data_net("list.txt", "a b c d")


@pytest.fixture
def trial(tmp_path):
    """The recipe with few images and iterations, run once."""
    text = (ROOT / "prototxt/faster_rcnn/recipe_shapes.yaml").read_text().replace("seeds: [1, 2, 3]", "seeds: [1]")
    for name in ("shapes_train.prototxt", "shapes_test.prototxt", "shapes_solver.prototxt"):
        (tmp_path / name).write_text((ROOT / "prototxt/faster_rcnn" / name).read_text())
    (tmp_path / "recipe.yaml").write_text(text.replace(
        "settings: {", "settings: {train_images: 12, test_images: 3, overrides: {}, ") + "reduced: {max_iter: 6}\n")
    return tmp_path


def run(folder, out, **options):
    recipe = read_recipe(folder / "recipe.yaml")
    return run_recipe(recipe, out, folder, note=[].append, python_layers=True, **options)


def test_the_recipe_runs_and_says_the_same_again(trial, tmp_path):
    first, second = run(trial, tmp_path / "one"), run(trial, tmp_path / "two")
    assert first == second and "average precision at 11 recalls" in first
    found = [(tmp_path / name / "faster_r_cnn/seed_1/found.json").read_bytes() for name in ("one", "two")]
    assert found[0] == found[1]


def test_a_resumed_training_goes_on_bit_for_bit(trial, images):
    text = (trial / "shapes_train.prototxt").read_text().replace("data/shapes_train.txt", str(images))
    (trial / "net.prototxt").write_text(text.replace("96", "64"))
    (trial / "solver.prototxt").write_text(
        f'net: "{trial}/net.prototxt" base_lr: 0.001 lr_policy: "fixed" momentum: 0.9 iter_size: 2 random_seed: 3 '
        f'snapshot_prefix: "{trial}/it"')
    whole, again = (get_solver(trial / "solver.prototxt", python_layers=True) for _ in range(2))
    whole.step(3)
    _, state = whole.snapshot()
    whole.step(2)
    again.restore(state)
    again.step(2)
    for a, b in zip(whole.net.parameters, again.net.parameters, strict=True):
        assert np.isfinite(a.blob.data).all()
        np.testing.assert_array_equal(a.blob.data, b.blob.data)


def test_who_asks_for_the_layers_is_told_where_they_are(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "path", sys.path[1:])
    net = ROOT / "prototxt/faster_rcnn/shapes_train.prototxt"
    assert main(["summary", str(net), "--python-layers"]) == 1
    said = capsys.readouterr().err
    assert ("no module 'roi_data_layer.layer', which should have the class 'RoIDataLayer', in " in said
            and f"blobnet's own is in its example faster_rcnn: give --python-path {EXAMPLE}, or add that to" in said)
    assert main(["summary", str(net), "--python-layers", "--python-path", str(EXAMPLE)]) == 0
    assert "roi_pool5" in capsys.readouterr().out and sys.path[0] == str(EXAMPLE)
