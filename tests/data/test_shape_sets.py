"""The sets of drawn shapes as files: records with boxes, lists with masks."""

from __future__ import annotations

import numpy as np
import pytest

from blobnet.data.images.files import read_image
from blobnet.data.sets import import_set, set_paths, shape_sets
from blobnet.data.sets.shapes import draw_masks, draw_shapes
from blobnet.data.stores.annotated_datum import objects_of, parse_annotated_datum
from blobnet.data.stores.datum import datum_to_array
from blobnet.data.stores.lmdb_reader import LmdbReader
from blobnet.errors import DataError


@pytest.fixture(autouse=True)
def few(monkeypatch):
    monkeypatch.setattr(shape_sets, "COUNTS", {"train": 5, "test": 3})


@pytest.mark.parametrize("split", ["train", "test"])
def test_records_have_the_boxes_of_their_images(split, tmp_path):
    assert import_set("shapes", tmp_path) == [tmp_path / "shapes_train_lmdb", tmp_path / "shapes_test_lmdb"]
    reader = LmdbReader(tmp_path / f"shapes_{split}_lmdb")
    images, boxes = draw_shapes(shape_sets.COUNTS[split], 96, shape_sets.SEEDS[split])
    assert len(reader) == len(images)
    for image, found in zip(images, boxes):
        record = parse_annotated_datum(reader.read())
        objects = objects_of(record)
        np.testing.assert_array_equal(datum_to_array(record.datum), image[..., ::-1].transpose(2, 0, 1))
        rows = np.column_stack([objects.labels, objects.boxes * 96])
        assert sorted(np.rint(rows).astype(int).tolist()) == sorted(map(list, found))
        np.testing.assert_allclose(rows, np.rint(rows), atol=1e-5)


@pytest.mark.parametrize("split", ["train", "test"])
def test_lists_lead_to_images_and_their_masks(split, tmp_path):
    import_set("shapes_masks", tmp_path)
    lines = (tmp_path / f"shapes_masks_{split}.txt").read_text().splitlines()
    count, seed = shape_sets.COUNTS[split], shape_sets.SEEDS[split]
    assert len(lines) == count
    for line, image, mask in zip(lines, draw_shapes(count, 96, seed)[0], draw_masks(count, 96, seed)):
        of_image, of_mask = line.split()
        np.testing.assert_array_equal(read_image(tmp_path / of_image), image[..., ::-1].transpose(2, 0, 1))
        np.testing.assert_array_equal(read_image(tmp_path / of_mask, color=False)[0], mask)


@pytest.mark.parametrize("name", ["shapes", "shapes_masks"])
def test_a_set_is_whole_or_an_error(name, tmp_path):
    paths = import_set(name, tmp_path)
    assert paths == set_paths(name, tmp_path) == import_set(name, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in paths}
    paths[0].rename(tmp_path / "elsewhere")
    with pytest.raises(DataError, match="already there, the others are missing"):
        import_set(name, tmp_path)
