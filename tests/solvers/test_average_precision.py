"""Average precision against figures, and solvers that test by it."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from blobnet.data.stores.hdf5 import write_datasets
from blobnet.errors import DataError, ShapeError, SolverError
from blobnet.solvers.average_precision import average_precision, average_precisions

SCORES, HITS = np.array([0.6, 0.9, 0.7, 0.8]), np.array([1, 1, 1, 0])  # by score 1 0 1 1: precision 1, 1/2, 2/3, 3/4


@pytest.mark.parametrize("version, expected", [
    ("Integral", (1 + 2 / 3 + 3 / 4) / 4), ("MaxIntegral", (1 + 3 / 4 + 3 / 4) / 4), ("11point", (3 + 5 * 3 / 4) / 11)])
def test_versions(version, expected):
    assert average_precision(SCORES, HITS, 4, version) == pytest.approx(expected, abs=1e-7)
    assert average_precision(SCORES[:0], HITS[:0], 4, version) == average_precision(SCORES, HITS, 0, version) == 0


def test_equal_scores_keep_their_order():
    assert [average_precision(np.ones(2), np.array(hits), 1) for hits in ([1, 0], [0, 1])] == [1, 0.5]


def test_a_recall_of_7_of_10_is_less_than_0_7_in_float32():
    assert average_precision(np.ones(7), np.ones(7), 10, "11point") == pytest.approx(7 / 11)


def test_rows_of_several_batches():
    rows = np.array([[-1, 1, 2, -1, -1], [-1, 2, 0, -1, -1], [-1, 3, 1, -1, -1], [0, 1, 0.9, 1, 0], [0, 1, 0.8, 0, 1],
                     [1, 1, 0.85, 0, 0], [0, 2, 0.3, 0, 1],
                     [-1, 1, 1, -1, -1], [-1, 2, 0, -1, -1], [-1, 3, 0, -1, -1], [0, 1, 0.7, 1, 0]])
    assert average_precisions(rows) == {1: pytest.approx((1 + 2 / 3) / 3), 2: 0, 3: 0}  # the row 0, 0 does not count


def test_an_unknown_version():
    with pytest.raises(DataError, match="unknown version '11points'; did you mean '11point'"):
        average_precision(SCORES, HITS, 4, "11points")


NET = """
name: "detector"
layer { name: "x" type: "DummyData" top: "x" include { phase: TRAIN } dummy_data_param { shape { dim: 1 dim: 2 } } }
layer { name: "ip" type: "InnerProduct" bottom: "x" top: "ip" include { phase: TRAIN }
  inner_product_param { num_output: 1 } }
layer { name: "loss" type: "EuclideanLoss" bottom: "ip" bottom: "ip" top: "loss" include { phase: TRAIN } }
layer { name: "rows" type: "HDF5Data" top: "found" top: "truth" include { phase: TEST }
  hdf5_data_param { source: "list.txt" batch_size: 1 } }
layer { name: "eval" type: "DetectionEvaluate" bottom: "found" bottom: "truth" top: "eval" include { phase: TEST }
  detection_evaluate_param { num_classes: 3 } }
"""
BOX, OTHER = [0.1, 0.1, 0.4, 0.4], [0.6, 0.6, 0.9, 0.9]
SETTINGS = 'test_iter: 2 test_interval: 1 '


@pytest.fixture
def rows(tmp_path):
    """Two batches: true boxes of the classes 1 and 2, and 1; hits of the scores 0.9, 0.5 and 0.4, a miss of 0.7."""
    found = [[[[0, 1, 0.9, *BOX], [0, 2, 0.5, *OTHER]]], [[[0, 1, 0.7, *OTHER], [0, 1, 0.4, *BOX]]]]
    truth = [[[[0, 1, 0, *BOX, 0], [0, 2, 0, *OTHER, 0]]], [[[0, 1, 0, *BOX, 0], [-1] * 8]]]
    write_datasets(tmp_path / "rows.h5", {"found": np.array(found, "f"), "truth": np.array(truth, "f")})
    (tmp_path / "list.txt").write_text("rows.h5\n")


@pytest.mark.parametrize("version, first", [("Integral", (1 + 2 / 3) / 2), ("11point", (6 + 5 * 2 / 3) / 11)])
def test_a_solver_scores_detections(version, first, rows, make_solver, caplog):
    caplog.set_level(logging.INFO, "blobnet")
    solver = make_solver(f'{SETTINGS}eval_type: "detection" ap_version: "{version}" show_per_class_result: true', NET)
    (means,) = solver.test_all()
    assert means["eval"] == pytest.approx((first + 1) / 2)
    said = [record.getMessage() for record in caplog.records][-3:]
    assert said == [f"class1: {first:g}", "class2: 1", f"    Test net output #0: eval = {(first + 1) / 2:g}"]


def test_other_outputs_are_refused(rows, make_solver):
    net = NET + 'layer { name: "more" type: "Power" bottom: "truth" top: "more" include { phase: TEST } }'
    with pytest.raises(ShapeError, match="output 'more': expected rows of 5, as DetectionEvaluate gives, .* silence"):
        make_solver(f'{SETTINGS}eval_type: "detection"', net).test_all()


@pytest.mark.parametrize("settings, message", [
    ('eval_type: "detections"', "unknown eval_type 'detections'; did you mean 'detection'"),
    ('ap_version: "11-point"', "unknown ap_version '11-point'; did you mean '11point'")])
def test_settings_that_are_unknown(settings, message, make_solver):
    with pytest.raises(SolverError, match=message):
        make_solver(settings)
