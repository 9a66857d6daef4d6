import dataclasses

import numpy as np
import pytest
from cases_data import fill
from cases_lists import fill as fill_lists
from cases_sbir import fill as fill_triplets
from layer_cases import CASES

from blobnet.data.stores.datum import array_to_datum
from blobnet.data.stores.lmdb_writer import LmdbWriter
from blobnet.proto.blobs import write_blob


@pytest.fixture(scope="session")
def data_folder(tmp_path_factory):
    """A folder with made-up data for the layers that read some."""
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    with LmdbWriter(folder / "lmdb") as writer:
        for i in range(5):
            datum = array_to_datum(rng.integers(0, 256, (3, 4, 5), np.uint8), i % 2)
            writer.put(b"%08d" % i, datum.SerializeToString())
    write_blob(folder / "infogain.binaryproto", rng.uniform(0, 1, (1, 1, 4, 4)).astype("float32"))
    fill(folder)
    fill_triplets(folder)
    fill_lists(folder)
    return folder


@pytest.fixture(params=CASES)
def case(request, data_folder):
    """Every row of the table."""
    row = CASES[request.param]
    return dataclasses.replace(row, source=row.source.replace("FOLDER", str(data_folder)))
