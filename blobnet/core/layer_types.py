"""LayerTypes: layer classes by name, of which those of a folder of pages are imported when they are asked for."""

from __future__ import annotations

import importlib
import os
from collections.abc import ItemsView, Iterator, KeysView, ValuesView
from typing import Any

from blobnet.core.layer import Layer


class LayerTypes(dict[str, type[Layer]]):
    """A dict of layer classes. A page is a file whose name is that of its type in small letters, without underscores;
    so a name tells its file, and only whoever wants all types waits for all of them.
    """

    def __init__(self) -> None:
        super().__init__()
        self._waiting: dict[str, list[str]] = {}  # modules by their name without underscores

    def add_pages(self, package: str, folder: str) -> None:
        """Let the pages in the folders of `folder`, the `package`, be found; nothing is imported."""
        for family in sorted(entry.name for entry in os.scandir(folder) if entry.is_dir()):
            for file in sorted(os.listdir(os.path.join(folder, family))):
                stem, suffix = os.path.splitext(file)
                if suffix == ".py" and not stem.startswith("_"):
                    self._waiting.setdefault(_plain(stem), []).append(f"{package}.{family}.{stem}")

    def _load(self, name: str) -> None:
        for module in self._waiting.get(_plain(name), ()):
            importlib.import_module(module)  # another thread that asks for it waits here
        self._waiting.pop(_plain(name), None)

    def _load_all(self) -> None:
        for name in sorted(self._waiting):
            self._load(name)

    def __setitem__(self, name: str, cls: type[Layer]) -> None:
        if cls.__module__ not in self._waiting.get(_plain(name), ()):
            self._load(name)  # else the page, imported later, would take the place of a class of the user's
        super().__setitem__(name, cls)

    def __contains__(self, name: object) -> bool:
        if isinstance(name, str) and not super().__contains__(name):
            self._load(name)
        return super().__contains__(name)

    def __missing__(self, name: str) -> type[Layer]:
        if name in self:
            return self[name]
        raise KeyError(name)

    def get(self, name: str, default: Any = None) -> Any:
        return self[name] if name in self else default

    def __iter__(self) -> Iterator[str]:
        self._load_all()
        return super().__iter__()

    def __len__(self) -> int:
        self._load_all()
        return super().__len__()

    def keys(self) -> KeysView[str]:  # type: ignore[override]  # as iter and len, all types are imported first
        self._load_all()
        return super().keys()

    def values(self) -> ValuesView[type[Layer]]:  # type: ignore[override]
        self._load_all()
        return super().values()

    def items(self) -> ItemsView[str, type[Layer]]:  # type: ignore[override]
        self._load_all()
        return super().items()


def _plain(name: str) -> str:
    return name.replace("_", "").lower()
