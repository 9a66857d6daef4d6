"""Published files: finding, checking and downloading them."""

from __future__ import annotations

import hashlib
import http.client
import urllib.error
import urllib.request
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path

from tqdm import tqdm

from blobnet.errors import DataError
from blobnet.proto.storage import atomic_write

CHUNK = 1 << 20


def find_file(folder: Path, names: Iterable[str]) -> Path | None:
    """The first of `names` that is a file in `folder`, or None."""
    return next((folder / name for name in names if (folder / name).is_file()), None)


def inside(folder: Path, name: str, where: str) -> Path:
    """The file `name` of a list, which must be in `folder`; DataError for one that leads elsewhere."""
    path = Path(name)
    if path.is_absolute() or ".." in path.parts or "\0" in name:
        raise DataError(where, expected="names of files in the folder of the set", got=repr(name))
    return folder / path


def missing(title: str, folder: Path, name: str) -> DataError:
    """The error that says that the file `name` of a data set is not in `folder`."""
    return DataError(title, f"no {name} in {str(folder)!r}",
                     hint="give the folder of the published files (--from), or --download them")


def warn_if_changed(path: Path, md5: str) -> None:
    """Warn if the file at `path` is not the published one."""
    digest = hashlib.md5(usedforsecurity=False)
    with open(path, "rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    if digest.hexdigest() != md5:
        warnings.warn(f"{path} is not the published file: MD5 {digest.hexdigest()}, expected {md5}", stacklevel=2)


def download_file(urls: Sequence[str], path: Path, md5: str) -> None:
    """Fetch `path` from the first of `urls` that gives the file of this MD5 sum; DataError saying why none did.

    The file gets its name only when it is complete and verified.
    """
    reasons = []
    for url in urls:
        try:
            return _download(url, path, md5)
        except (OSError, http.client.HTTPException, DataError) as error:
            reasons.append(f"{url}: {error}")
    raise DataError(f"download of {path.name}", "; ".join(reasons), hint="fetch it elsewhere and import with --from")


def _download(url: str, path: Path, md5: str) -> None:
    digest = hashlib.md5(usedforsecurity=False)
    with urllib.request.urlopen(url, timeout=60) as response, atomic_write(path) as file:
        length = response.headers.get("Content-Length")
        total = int(length) if length else None
        with tqdm(total=total, desc=path.name, unit="B", unit_scale=True, disable=None) as bar:
            while chunk := response.read(CHUNK):
                file.write(chunk)
                digest.update(chunk)
                bar.update(len(chunk))
        if digest.hexdigest() != md5:
            raise DataError(url, expected=f"MD5 {md5}", got=f"{digest.hexdigest()} ({file.tell()} bytes)")
