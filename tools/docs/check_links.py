"""Check a folder of HTML: every link and every picture leads to a file that is there, every #anchor to an element.

Nothing is fetched: addresses of the web are counted, and printed with --external. What makes a page ask another place
for something (a script, a style sheet, a font, a picture) is an error too, as pages are read without a network.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {"script", "link", "img", "iframe", "source", "video", "audio", "object", "embed"}
WEB = {"http", "https", "mailto"}


class Page(HTMLParser):
    """The ids of an HTML file, and its links: line, tag, address."""

    def __init__(self, path: Path):
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[tuple[int, str, str]] = []
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        for name, value in attributes:
            if name == "id" or name == "name" and tag == "a":
                self.ids.add(value or "")
            elif name in ("href", "src", "data") and value:
                self.links.append((self.getpos()[0], tag, value))


@cache
def page(path: Path) -> Page:
    return Page(path)


def broken_links(folder: Path, external: set[str]) -> Iterator[str]:
    """What is wrong with the links of the pages in `folder`, a line each; addresses of the web go into `external`."""
    for path in sorted(folder.rglob("*.html")):
        for line, tag, address in page(path).links:
            where, parts = f"{path.relative_to(folder)}:{line}", urlsplit(address)
            if parts.scheme == "data":
                continue
            if parts.scheme in WEB or parts.netloc:
                external.add(address)
                if tag in LOADED:
                    yield f"{where}: asks another place for {address}"
                continue
            if parts.scheme:
                yield f"{where}: no address: {address}"
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            if not target.is_file():
                yield f"{where}: no file {address}"
            elif parts.fragment and target.suffix == ".html" and unquote(parts.fragment) not in page(target).ids:
                yield f"{where}: no place {address}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the pages are")
    parser.add_argument("--external", action="store_true", help="list the addresses of the web")
    args = parser.parse_args()
    external: set[str] = set()
    broken = list(broken_links(args.folder, external))
    for line in [*broken, *sorted(external if args.external else ())]:
        print(line)
    print(f"{len(broken)} broken links, {len(external)} addresses of the web (not fetched)")
    return bool(broken)


if __name__ == "__main__":
    raise SystemExit(main())
