"""How much memory a file may ask for: what it unpacks to is checked against a limit before anything is allocated.

A file of a few kilobytes can claim, or unpack to, more than any machine has. It gets LIMIT bytes, or GROWTH times its
own size where that is more. The environment variable BLOBNET_MAX_MEMORY, which the commands' flag --max-memory sets,
gives another limit: 4G, 500M, or bytes.
"""

from __future__ import annotations

import os
import re

from blobnet.errors import DataError

VARIABLE = "BLOBNET_MAX_MEMORY"
LIMIT = 1 << 30
GROWTH = 8   # times its own size that a file may unpack to, whatever the limit
BATCH = 4    # times the limit that a batch may take, whose size the net says and not the file alone
UNITS = {"": 0, "K": 10, "M": 20, "G": 30, "T": 40}


def limit() -> int:
    """The bytes that a file may ask for; DataError if BLOBNET_MAX_MEMORY is no size."""
    text = os.environ.get(VARIABLE, "").strip()
    found = re.fullmatch(r"(\d{1,12})([KMGT]?)I?B?", text.upper(), re.ASCII)
    if text and not found:
        raise DataError(f"{VARIABLE} or --max-memory", expected="a size, such as 4G or 500M", got=repr(text))
    return int(found[1]) << UNITS[found[2]] if found else LIMIT


def allowed(stored: int = 0) -> int:
    """The bytes that a file of `stored` bytes may ask for."""
    return max(limit(), GROWTH * stored)


def require(size: int, where: str, what: str = "", stored: int = 0) -> None:
    """DataError if `what`, in a file of `stored` bytes, would take more memory than it may: `size` bytes.

    >>> require(10 ** 12, "bomb.png")
    Traceback (most recent call last):
    blobnet.errors.DataError: bomb.png: expected at most 1.0 GiB in memory, got 931.3 GiB; if the file is meant to be \
so large, set BLOBNET_MAX_MEMORY=932G, or give a command --max-memory 932G
    """
    most = allowed(stored)
    if size > most:
        raise DataError(where, what, expected=f"at most {in_words(most)} in memory", got=in_words(size),
                        hint=f"if the file is meant to be so large, {_remedy(-(-size >> 30))}")


def require_batch(count: int, item: int, where: str) -> None:
    """DataError if a batch of `count` items, `item` bytes each, would take more memory than batches may."""
    most = BATCH * limit()
    if count * item > most:
        remedy = _remedy(-(-count * item // BATCH >> 30))
        raise DataError(where, f"batch_size {count}, {item} bytes each", expected=f"at most {in_words(most)} a batch",
                        got=in_words(count * item), hint=f"lower batch_size, or {remedy}")


def _remedy(gibibytes: int) -> str:
    return f"set {VARIABLE}={gibibytes}G, or give a command --max-memory {gibibytes}G"


def in_words(size: float) -> str:
    """`size` bytes in the unit that fits.

    >>> in_words(1536), in_words(3 << 30)
    ('1.5 KiB', '3.0 GiB')
    """
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.1f} {unit}" if unit != "bytes" else f"{size} bytes"
        size /= 1024
    return f"{size:.1f} TiB"
