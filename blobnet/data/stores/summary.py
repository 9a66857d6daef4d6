"""What a database holds."""

from __future__ import annotations

import dataclasses
import os
from collections import Counter

from blobnet.data.stores.database import database_kind, open_database
from blobnet.data.stores.datum import datum_to_array, parse_datum


@dataclasses.dataclass
class Summary:
    """Backend, number of records, shape (C, H, W) and storage of the first image, how often each label occurs."""

    backend: str
    records: int
    shape: tuple[int, ...]
    storage: str
    labels: Counter[int]


def summarize(path: str | os.PathLike) -> Summary:
    """Read through the database at `path`."""
    backend = database_kind(path)
    reader = open_database(path, backend)
    labels: Counter[int] = Counter()
    for i in range(len(reader)):
        datum = parse_datum(reader.read(), f"{reader.where} record {i}")
        labels[datum.label] += 1
        if i == 0:
            shape = datum_to_array(datum, where=f"{reader.where} record 0").shape
            storage = "compressed" if datum.encoded else "bytes" if datum.data else "floats"
    return Summary(backend, len(reader), shape, storage, labels)
