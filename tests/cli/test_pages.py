"""`blobnet search --html` and `blobnet evaluate --html`: what is written and said, and where pictures are found."""

import re

import numpy as np
import pytest

from blobnet.cli import main
from blobnet.data.images.encode import encode_image
from blobnet.data.stores.datum import array_to_datum
from blobnet.data.stores.lmdb_writer import LmdbWriter
from blobnet.hashing.codes import Codes


def pictures(path):
    """How many pictures are in the page, and the names of those that are shown."""
    html = path.read_text("utf-8")
    return html.count("<image "), set(re.findall(r'<svg class="picture[^"]*" role="img" aria-label="([^"]*)"', html))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Two queries and four items, gray images as files and in two databases with the same keys."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    bits, labels = rng.integers(0, 2, (6, 8)), np.arange(6) % 2
    (tmp_path / "photos").mkdir()
    for name, part in (("query", slice(0, 2)), ("base", slice(2, 6))):
        count = part.stop - part.start
        with LmdbWriter(tmp_path / f"{name}_lmdb") as writer:
            for i in range(count):
                image = np.full((1, 5, 5), 40 * i + 10 * (name == "base"), np.uint8)
                (tmp_path / "photos" / f"{name}{i}.png").write_bytes(encode_image(image, "png"))
                writer.put(b"%d" % i, array_to_datum(image).SerializeToString())
        for kind, ids in (("files", [f"{name}{i}.png" for i in range(count)]), ("keys", list(map(str, range(count))))):
            Codes.from_bits(bits[part], labels=labels[part], ids=ids).save(tmp_path / f"{name}_{kind}.npz")
    return tmp_path


FILES = "--queries query_files.npz --base base_files.npz --html page.html"
KEYS = "--queries query_keys.npz --base base_keys.npz --html page.html"


@pytest.mark.parametrize("command", ["search --top 4", "evaluate"])
@pytest.mark.parametrize("options, count", [
    (f"{FILES} --root photos", 6), (FILES, 0), (f"{FILES} --query-root photos", 2),
    (f"{KEYS} --root base_lmdb", 4),  # the queries have these keys too, but not these pictures
    (f"{KEYS} --root base_lmdb --query-root query_lmdb", 6)])
def test_where_pictures_are(folder, capsys, command, options, count):
    assert main([*command.split(), *options.split()]) == 0
    found, shown = pictures(folder / "page.html")
    assert found == count
    if "base_files" in options and count == 6:
        assert shown == {f"base{i}.png" for i in range(4)} | {"query0.png", "query1.png"}
    said = capsys.readouterr().out
    size = (folder / "page.html").stat().st_size
    assert f"written: page.html, {size / 1e3:.0f} kB" in said
    assert ("--root and --query-root say where pictures are" in said) == (count < 6)


def test_pictures_beside_the_codes_and_above_are_found(folder):
    (folder / "photos/run/1").mkdir(parents=True)
    (folder / "query_files.npz").rename(folder / "photos/q.npz")
    (folder / "base_files.npz").rename(folder / "photos/run/1/b.npz")
    assert main("evaluate --queries photos/q.npz --base photos/run/1/b.npz --html page.html".split()) == 0
    assert pictures(folder / "page.html")[0] == 6


@pytest.mark.parametrize("protocol", ["dsh-authors", "all"])
def test_queries_that_are_ranked_among_themselves(folder, protocol):
    """The pictures of a row that ranks the queries are theirs, not those of the base with the same keys."""
    base = " --base base_keys.npz --root base_lmdb" if protocol == "all" else " --root query_lmdb"
    rows = Codes.load("query_keys.npz")
    Codes(rows.packed, rows.bits, labels=[0, 0], ids=rows.ids).save("query_keys.npz")
    assert main(f"evaluate --queries query_keys.npz{base} --protocol {protocol} --html page.html".split()) == 0
    html = (folder / "page.html").read_text("utf-8")
    part = html[html.rindex('<section class="part"'):]
    assert ("no picture" in part) == (protocol == "all") != ('<svg class="picture' in part)


def test_lists_of_neighbours_mark_the_results(folder):
    for name in ("query_files.npz", "base_files.npz"):
        codes = Codes.load(name)
        Codes(codes.packed, codes.bits, ids=codes.ids).save(name)
    assert main("search --queries query_files.npz --base base_files.npz --top 1 --out near.npz".split()) == 0
    assert main(f"evaluate {FILES} --neighbours near.npz".split()) == 0
    assert (folder / "page.html").read_text("utf-8").count('title="relevant"') == 2


def test_a_search_writes_instead_of_printing(folder, capsys):
    assert main(f"search {FILES} --root photos --out found.npz".split()) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[0] == "8 results of 2 queries written to found.npz" and "query\trank" not in out
    assert (folder / "found.npz").exists() and (folder / "page.html").exists()


@pytest.mark.parametrize("command", ["search", "evaluate"])
@pytest.mark.parametrize("options, said", [
    (f"{FILES} --root photo", "--root photo: no such folder"),
    (f"{FILES} --query-root base_files.npz", "--query-root base_files.npz: no such folder"),
    ("--queries query_files.npz --base base_files.npz --html no/page.html", "there is no folder 'no'"),
    ("--queries query_files.npz --base base_files.npz --root photos", "expected --html")])
def test_wrong_options(folder, capsys, command, options, said):
    assert main([command, *options.split()]) == 1
    assert said in capsys.readouterr().err
    assert not (folder / "page.html").exists()
