"""Links in the texts of the repository lead somewhere, and broken links of built pages are found."""

import pytest
from check_links import broken_links
from pages import all_pages
from pages.links import DOCS, GENERATED, ROOT, relinked, targets

TEXTS = [path for pattern in ("*.md", "examples/**/*.md", "prototxt/*/*.md", "tools/docs/**/*.md")
         for path in sorted(ROOT.glob(pattern)) if not {"_build", "_generated"} & set(path.parts)]


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_relative_links_lead_to_files(path):
    for target in targets(path.read_text("utf-8")):
        there = (path.parent / target).resolve()
        assert there.exists() or there.relative_to(GENERATED).as_posix() in all_pages(), target


def test_links_of_a_copied_text():
    text = "[a](README.md), [b](tools/docs/gpu.md#using-one), [c](setup.py), [d](https://x.org/README.md), [e](no.md)"
    assert relinked(text, ROOT / "DESIGN.md", GENERATED / "papers/x.md") == (
        "[a](../readme.md), [b](../../gpu.md#using-one), [c](../../../../setup.py), [d](https://x.org/README.md), "
        "[e](no.md)")
    assert relinked("[course](../../../examples/course/README.md)", DOCS / "guide/a.md", DOCS / "guide/a.md") == (
        "[course](../_generated/course.md)")


def test_broken_links_are_found(tmp_path):
    (tmp_path / "a.html").write_text('<p id="here"><a href="#here">1</a> <a href="b.html#there">2</a> '
                                     '<a href="https://example.org">3</a><img src="x.png"></p>')
    (tmp_path / "b.html").write_text('<a href="a.html#here">1</a><a href="a.html#gone">2</a><a href="c.html">3</a>'
                                     '<a href="file:line:column">4</a>'
                                     '\n<script src="https://cdn.example.org/x.js"></script>')
    external = set()
    assert list(broken_links(tmp_path, external)) == [
        "a.html:1: no place b.html#there", "a.html:1: no file x.png", "b.html:1: no place a.html#gone",
        "b.html:1: no file c.html", "b.html:1: no address: file:line:column",
        "b.html:2: asks another place for https://cdn.example.org/x.js"]
    assert external == {"https://example.org", "https://cdn.example.org/x.js"}
