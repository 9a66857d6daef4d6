"""The records of a database by number."""

from __future__ import annotations

import numpy as np
import pytest

from blobnet.data.images.encode import encode_image
from blobnet.data.stores.database import open_database
from blobnet.data.stores.datum import array_to_datum
from blobnet.data.stores.leveldb_writer import LevelDbWriter
from blobnet.data.stores.lmdb_writer import LmdbWriter
from blobnet.data.stores.records import Records
from blobnet.errors import DataError
from blobnet.proto.messages import new

IMAGES = np.random.default_rng(4).integers(0, 256, (9, 3, 5, 4), np.uint8)


@pytest.mark.parametrize("encoded", [False, True])
@pytest.mark.parametrize(("kind", "writer"), [("LMDB", LmdbWriter), ("LEVELDB", LevelDbWriter)])
def test_images_and_labels(tmp_path, kind, writer, encoded):
    with writer(tmp_path / "db") as database:
        for i, image in enumerate(IMAGES):
            datum = (new("Datum", data=encode_image(image, "png"), label=i * i, encoded=True) if encoded
                     else array_to_datum(image, i * i))
            database.put(b"%d" % i, datum.SerializeToString())
    reader = open_database(tmp_path / "db", kind)
    reader.seek(4)
    records = Records(reader)
    assert len(records) == 9 and records.labels().tolist() == [i * i for i in range(9)]
    np.testing.assert_array_equal(records.images([8, 0, 3, 3]), IMAGES[[8, 0, 3, 3]])
    assert records.images([]) == []


def test_a_damaged_record_is_named(tmp_path):
    with LmdbWriter(tmp_path / "db") as database:
        database.put(b"0", array_to_datum(IMAGES[0], 1).SerializeToString())
        database.put(b"1", new("Datum", channels=3, height=5, width=4, data=b"few").SerializeToString())
    records = Records(open_database(tmp_path / "db", "LMDB"))
    assert records.labels().tolist() == [1, 0]
    with pytest.raises(DataError, match="db' record 1: expected 3 x 5 x 4 values, got 3"):
        records.images([0, 1])
