"""The report of an evaluation: its numbers are those of the codes, its parts hold together, and nothing is fetched."""

import re
from html import unescape

import numpy as np
import pytest

from blobnet.data.images.encode import encode_image
from blobnet.hashing.codes import Codes
from blobnet.hashing.engines import build_index, exact_index
from blobnet.hashing.metrics import evaluate
from blobnet.hashing.neighbours import Neighbours
from blobnet.hashing.packing import unpack
from blobnet.hashing.protocol import get_protocol
from blobnet.view.web import class_tables, statistics
from blobnet.view.web.items import Side
from blobnet.view.web.report import Entry, report
from blobnet.view.web.statistics import bits_of, confusion, pair_distances

CELLS = [("queries", "mAP"), ("q.npz", "0.5")]


def made(count, seed, several=False, bits=6, classes=("cat", "dog", "<emu>")):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, count)
    rows = (np.eye(3, dtype=int)[labels] | rng.integers(0, 2, (count, 3))) if several else labels
    values = np.eye(3)[labels] @ np.resize([1.0, -1, 1, -1, -1, 1, 1], (3, bits)) + rng.normal(0, 0.9, (count, bits))
    return Codes.from_values(values, labels=rows, ids=[f"{seed}_{i}.png" for i in range(count)], classes=classes)


def rows_of(html, title):
    """The cells of the table under the card of this title."""
    part = html[html.index(f"<h3>{title}"):]
    part = part[:part.index("</table>")]
    return [[unescape(re.sub("<.*?>", "", cell)) for cell in re.findall(r"<t[hd].*?</t[hd]>", line)]
            for line in re.findall(r"<tr>.*?</tr>", part)]


@pytest.mark.parametrize("several", [False, True])
def test_classes_among_the_first_results(several, monkeypatch):
    monkeypatch.setattr(statistics, "ROWS", 4)
    queries, base = made(9, 1, several), made(30, 2, several)
    found = build_index(base).search(queries, top=7)
    score = evaluate(queries, base)
    told = confusion(queries, base, found, score.average_precision)
    for i, row in enumerate("cat dog <emu>".split()):
        of_class = [q for q in range(9) if row in queries.label_names(q)]
        for j, column in enumerate("cat dog <emu>".split()):
            hits = [column in base.label_names(item) for q in of_class for item in found.indices[7 * q:7 * q + 7]]
            assert told.shares[i, j] == pytest.approx(np.mean(hits))
        assert told.counts[i] == len(of_class)
        assert told.precision[i] == pytest.approx(np.mean(score.average_precision[of_class]))
    table = rows_of(report([Entry("a", Side(queries), Side(base), score)], CELLS)[0], "Classes among the first 30")
    shares = confusion(queries, base, build_index(base).search(queries, top=30), score.average_precision).shares
    assert table == [["class", "queries", "mAP", "cat", "dog", "<emu>"],
                     *([name, str(count), f"{mean:.4f}", *(f"{share:.2f}" for share in line)]
                       for name, count, mean, line in zip(told.rows, told.counts, told.precision, shares))]


def test_queries_that_do_not_count_are_no_zeros():
    queries, base = made(9, 1), made(30, 2)
    found = build_index(base).search(queries, top=7)
    scores = np.where(queries.labels == 1, np.nan, 0.5)
    scores[np.flatnonzero(queries.labels == 0)[0]] = np.nan  # of others of its class more is known
    assert confusion(queries, base, found, scores).precision == pytest.approx([0.5, np.nan, 0.5], nan_ok=True)


def test_bits_are_counted():
    codes = made(40, 3)
    bits = unpack(codes.packed, 6).copy()
    bits[:, 2] = 1
    told = bits_of(Codes.from_bits(bits))
    np.testing.assert_allclose(told.ones, bits.mean(0))
    with np.errstate(invalid="ignore", divide="ignore"):
        np.testing.assert_allclose(told.correlation, np.corrcoef(bits.T.astype(float)), atol=1e-12)
    assert told.different == len({tuple(row) for row in bits.tolist()}) and told.items == 40


@pytest.mark.parametrize("metric", ["hamming", "l2"])
def test_distances_of_pairs(metric, monkeypatch):
    queries, base = made(5, 1), made(12, 2)
    relevant = queries.labels[:, None] == base.labels
    distances, hits = pair_distances(exact_index(base, metric), queries, lambda a, b: relevant[a:b])
    if metric == "hamming":
        expected = (unpack(queries.packed, 6)[:, None] != unpack(base.packed, 6)).sum(2)
    else:
        expected = np.sqrt(((queries.values[:, None] - base.values) ** 2).sum(2))
    np.testing.assert_allclose(distances, expected.ravel(), rtol=1e-5)
    np.testing.assert_array_equal(hits, relevant.ravel())
    monkeypatch.setattr(statistics, "PAIRS", 25)  # two queries of 12 items fit: the first and the last
    distances, _ = pair_distances(exact_index(base, metric), queries, lambda a, b: relevant[a:b])
    np.testing.assert_allclose(distances, expected[[0, 4]].ravel(), rtol=1e-5)


def test_the_report_says_what_evaluate_says():
    queries, base = made(12, 1), made(150, 2)
    score = evaluate(queries, base)
    html, notes = report([Entry("mine & yours", Side(queries), Side(base), score)], CELLS)
    assert score.protocol.describe() in unescape(html) and "<h2>mine &amp; yours</h2>" in html
    table = rows_of(html, "Precision and recall among the first k")
    assert [row[0] for row in table] == ["k", "1", "5", "10", "20", "50", "100"]
    assert table[6] == ["100", f"{score.precision:.4f}", f"{score.by_rank[0][99]:.4f}"]
    worst, best = np.sort(score.average_precision)[[0, -1]]
    first, last = html.index("<h3>Best queries"), html.index("<h3>Worst queries")
    assert f"average precision {best:.4f}" in html[first:last] and f"average precision {worst:.4f}" in html[last:]
    assert "<emu>" not in html and "<script" not in html and "script-src" not in html
    assert notes and "pictures are not there" in notes[0]


def test_pictures_of_the_best_and_the_worst_are_in_it(tmp_path):
    queries, base = made(12, 1), made(15, 2)
    for codes in (queries, base):
        for i, name in enumerate(codes.ids):
            (tmp_path / name).write_bytes(encode_image(np.full((3, 40, 40), 9 * i, np.uint8), "png"))
    score = evaluate(queries, base)
    html, notes = report([Entry("a", Side(queries, str(tmp_path)), Side(base, str(tmp_path)), score)] * 2, CELLS)
    best = sorted(range(12), key=lambda place: -score.average_precision[place])[:5]
    worst = sorted(set(range(12)) - {*best}, key=lambda place: score.average_precision[place])[:5]
    asked = re.findall(r'class="asked"><svg class="picture" role="img" aria-label="1_(\d+).png"', html)
    assert [int(place) for place in asked] == [*best, *worst] * 2
    assert notes == [] and html.count("<image ") <= 10 + 15  # two parts share their pictures


def test_hits_are_those_of_the_protocol():
    """Lists of neighbours say what is relevant, without labels; there is no table of classes then."""
    queries, base = (Codes.from_values(made(n, n).values) for n in (4, 20))
    lists = Neighbours.of_lists([[3, 5], [1], [2], [0]])
    score = evaluate(queries, base, get_protocol("neighbours"), neighbours=lists)
    html, _ = report([Entry("a", Side(queries), Side(base), score, lists)], CELLS)
    found = build_index(base).search(queries, top=10)
    hits = sum(item in [[3, 5], [1], [2], [0]][q] for q in range(4) for item in found.indices[10 * q:10 * q + 10])
    assert html.count('<span class="mark" title="relevant">') == hits > 0
    assert "Classes among" not in html


def test_many_classes_are_a_picture_and_a_list(monkeypatch):
    monkeypatch.setattr(class_tables, "MOST", 2)
    queries, base = made(9, 1), made(30, 2)
    score = evaluate(queries, base)
    html, _ = report([Entry("a", Side(queries), Side(base), score)], CELLS)
    told = confusion(queries, base, build_index(base).search(queries, top=30), score.average_precision)
    table = rows_of(html, "Classes among")
    others = {(i, j): told.shares[i, j] for i in range(3) for j in range(3) if i != j}
    i, j = max(others, key=others.get)
    assert table[1] == [told.rows[i], told.columns[j], f"{others[i, j]:.4f}"] and "shares of 3 x 3 classes" in html


@pytest.mark.parametrize("codes", [
    Codes.from_bits(np.ones((8, 3)), labels=np.zeros(8)), Codes.from_bits(np.array([[0], [1]] * 4), labels=np.zeros(8)),
    Codes.from_values(np.tile(np.eye(4), (2, 1)), block_size=2, labels=np.arange(8) % 2)],
    ids=["constant bits", "one bit", "structured"])
def test_codes_of_all_kinds(codes):
    score = evaluate(codes, protocol=get_protocol("dsh-authors"))
    html, _ = report([Entry("a", Side(codes), Side(codes), score)], CELLS)
    assert not re.search(r"\bnan\b", html) and ("Values that" in html) == (codes.values is not None)


@pytest.mark.parametrize("width, dark", [(1280, False), (400, True)])
def test_the_page_in_a_browser(browser, tmp_path, width, dark):
    queries, base = made(12, 1), made(150, 2)
    entries = [Entry(f"by {metric}", Side(queries), Side(base),
                     evaluate(queries, base, get_protocol("standard", metric=metric))) for metric in ("hamming", "l2")]
    path = tmp_path / "report.html"
    path.write_text(report(entries, [("queries", "mAP"), ("a", "1"), ("b", "2")])[0], "utf-8")
    page = browser.open(path, width=width, dark=dark)
    assert page.run("document.documentElement.scrollWidth") <= width
    assert page.run("[...document.querySelectorAll('nav a')].map((one) => document.querySelector(one.hash).innerText"
                    ".split('\\n')[0])") == ["1: by hamming", "2: by l2"]
    assert page.run("document.querySelectorAll('.key li').length") == 6  # three charts of both
    assert page.run("[...document.querySelectorAll('svg[role=img], img')]"
                    ".every((one) => one.getAttribute('aria-label') || one.alt)")
    assert not page.complaints() and all(url.startswith("data:") for url in page.requests())
    page.close()
