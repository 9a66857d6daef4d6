"""What images are called: the keys of a database, the paths of a list."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice


def first_ids(names: Iterable[str | bytes], count: int) -> list[str]:
    """The first `count` names as text. Bytes that are not UTF-8, and zero bytes, become escapes.

    >>> first_ids(["a/b.png", b"00000001", b"\\xff\\0"], 3)
    ['a/b.png', '00000001', '\\\\xff\\\\x00']
    """
    data = (name if isinstance(name, bytes) else name.encode("utf-8", "surrogateescape") for name in names)
    return [each.decode("utf-8", "backslashreplace").replace("\0", "\\x00") for each in islice(data, count)]
