"""The gallery of a search: what stands in it, and what its controls show and hide."""

import re

import numpy as np
import pytest

from blobnet.data.images.encode import encode_image
from blobnet.hashing.codes import Codes
from blobnet.hashing.engines import build_index
from blobnet.view.web import gallery as galleries
from blobnet.view.web.gallery import gallery
from blobnet.view.web.items import Side

BITS = np.array([[0, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 1], [0, 1, 1, 1], [1, 1, 1, 1]])
HOSTILE = '</script><img src="http://x.org/a.png">&"\'.png'


@pytest.fixture
def searched(tmp_path):
    """Queries, base and what a search finds; the classes of the base are a, b, a+b, b, a, of the queries a and b."""
    names = [f"photos/item_{i}.png" for i in range(4)] + [HOSTILE]
    (tmp_path / "photos").mkdir()
    for i, name in enumerate(names[:3]):
        (tmp_path / name).write_bytes(encode_image(np.full((3, 50, 40), 60 * i, np.uint8), "png"))
    base = Codes.from_bits(BITS, ids=names, labels=[[1, 0], [0, 1], [1, 1], [0, 1], [1, 0]], classes=("a", "b"))
    queries = Codes.from_bits(BITS[[0, 4]], ids=[names[1], "gone.png"], labels=[[1, 0], [0, 1]], classes=("a", "b"))
    return Side(queries, str(tmp_path)), Side(base, str(tmp_path)), build_index(base).search(queries, top=5)


def rows(html):
    """Each query's results as they stand in the page: rank, distance, whether it is a hit, classes and path."""
    found = []
    for section in re.findall(r"<section.*?</section>", html, re.DOTALL):
        items = re.findall(r"<li .*?</li>", section, re.DOTALL)
        found.append([(re.search(r'value="(\d+)"', item)[1], re.search(r"</b><span>(.*?)</span>", item)[1],
                       "✓" in item, re.search(r'class="classes">(.*?)<', item)[1],
                       re.sub("<wbr>", "", re.search(r'class="path">(.*?)</p>', item)[1])) for item in items])
    return found


def test_results_stand_in_the_order_of_their_ranks(searched):
    made = gallery(*searched)
    first, second = rows(made.html)
    assert [row[:4] for row in first] == [("1", "0 bits", True, "a"), ("2", "1 bit", False, "b"),
                                          ("3", "2 bits", True, "a, b"), ("4", "3 bits", False, "b"),
                                          ("5", "4 bits", True, "a")]
    assert [row[:3] for row in second] == [("1", "0 bits", False), ("2", "1 bit", True), ("3", "2 bits", True),
                                           ("4", "3 bits", True), ("5", "4 bits", False)]
    assert first[1][4] == "photos/item_1.png"
    assert made.html.count("<image ") == 3  # each once, though all stand in both rows and one asks
    assert "3 of 5 relevant" in made.html and len(made.notes) == 1 and "3 of 6 pictures" in made.notes[0]


def test_strange_names_are_text(searched):
    html = gallery(*searched).html
    assert "<img" not in html and html.count("</script>") == 1
    assert rows(html)[0][4][4] == "&lt;/script&gt;&lt;img src=&quot;http://x.org/a.png&quot;&gt;&amp;&quot;&#x27;.png"


def test_a_class_is_marked_only_where_both_are_known(searched):
    queries, base, found = searched
    bare = Codes.from_bits(BITS[[0, 4]])
    html = gallery(Side(bare), base, found).html
    assert "✓" not in html and "✗" not in html and "5 results" in html and 'id="class"' in html
    made = gallery(Side(bare), Side(Codes.from_bits(BITS)), found)
    assert 'id="class"' not in made.html and "codes without ids have no pictures" in made.notes[0]


def test_class_numbers_are_compared():
    base = Codes.from_bits(BITS, labels=[7, 8, 7, 9, 7])
    queries = Codes.from_bits(BITS[:1], labels=[7])
    html = gallery(Side(queries), Side(base), build_index(base).search(queries, top=5)).html
    assert [row[2:4] for row in rows(html)[0]] == [(True, "7"), (False, "8"), (True, "7"), (False, "9"), (True, "7")]
    assert re.findall('<option value="(\\d)">(\\d)</option>', html) == [("0", "7"), ("1", "8"), ("2", "9")]


def test_real_distances_are_no_bits():
    values = np.array([[1.0, 2.0], [4.0, 6.0]])
    base = Codes.from_values(values)
    html = gallery(Side(base), Side(base), build_index(base, "l2").search(base, top=2), "l2").html
    assert "<span>5</span>" in html and "bits</span>" not in html and 'step="any"' in html


@pytest.mark.parametrize("results, queries, shown, said", [
    (10, 9, 2, None), (9, 9, 1, "5 of 10 results, of the first 1 of 2"), (10, 1, 1, "5 of 10 results, of the first 1"),
    (3, 9, 1, "3 of 10 results, of the first 1 of 2 queries")])
def test_a_page_has_a_limit(searched, monkeypatch, results, queries, shown, said):
    monkeypatch.setattr(galleries, "RESULTS", results)
    monkeypatch.setattr(galleries, "QUERIES", queries)
    made = gallery(*searched)
    assert len(rows(made.html)) == shown and len(rows(made.html)[0]) == min(results, 5)
    notes = [note for note in made.notes if "the page has" in note]
    assert said is None and not notes or said in notes[0] and said in made.html


@pytest.fixture
def opened(browser, searched, tmp_path):
    """A function that opens the gallery, and closes it after the test."""
    path, pages = tmp_path / "gallery.html", []
    path.write_text(gallery(*searched).html, "utf-8")

    def open_page(**options):
        pages.append(browser.open(path, **options))
        return pages[-1]

    yield open_page
    for page in pages:
        assert not page.complaints() and all(url.startswith("data:") for url in page.requests())
        page.close()


SHOWN = """[...document.querySelectorAll('.query')].filter((one) => !one.hidden).map((one) =>
    [...one.querySelectorAll('.results > li')].filter((item) => !item.hidden).map((item) => item.value))"""


def put(page, name, value):
    page.run(f"""document.getElementById('{name}').value = '{value}';
                 document.getElementById('{name}').dispatchEvent(new Event('input', {{bubbles: true}}))""")


CONTROLS = [
    ({}, [[1, 2, 3, 4, 5], [1, 2, 3, 4, 5]]), ({"ranks": 2}, [[1, 2], [1, 2]]), ({"distance": 1}, [[1, 2], [1, 2]]),
    ({"distance": 0}, [[1], [1]]), ({"class": 0}, [[1, 3, 5], [1, 3, 5]]), ({"class": 1, "ranks": 3}, [[2, 3], [2, 3]]),
    ({"path": "item_3"}, [[4], [2]]), ({"path": "PHOTOS 0"}, [[1], [5]]), ({"query": 1, "ranks": 1}, [[1]])]


def test_controls_hide_results(opened):
    page = opened()
    for controls, shown in CONTROLS:
        for name, value in controls.items():
            put(page, name, value)
        assert page.run(SHOWN) == shown, controls
        total = sum(map(len, shown))
        assert page.run("document.getElementById('shown').textContent").startswith(f"{total} result")
        page.run("document.querySelector('button[type=reset]').click(); new Promise((done) => setTimeout(done))")


def test_counts_follow_the_filter(opened):
    page = opened()
    put(page, "class", 0)
    counts = page.run("[...document.querySelectorAll('.count')].map((one) => one.textContent)")
    assert counts == ["3 of 5 shown, 3 relevant", "3 of 5 shown, 1 relevant"]
    assert page.run("document.getElementById('shown').textContent") == "6 results, 4 relevant"


def test_keys_choose_the_query(opened):
    page = opened()
    for key, chosen in (("ArrowRight", "0"), ("ArrowRight", "1"), ("ArrowRight", ""), ("ArrowLeft", "1"), ("a", "")):
        page.key(key)
        assert page.run("document.getElementById('query').selectedOptions[0].value") == chosen
    page.key("/")
    assert page.run("document.activeElement.id") == "path"
    page.key("ArrowRight")  # belongs to the field now
    assert page.run("document.getElementById('query').value") == ""
    page.run("document.getElementById('on').click()")
    assert page.run(SHOWN) == [[1, 2, 3, 4, 5]]


@pytest.mark.parametrize("width, dark", [(1280, False), (400, True)])
def test_the_page_fits_and_everything_has_a_name(opened, width, dark):
    page = opened(width=width, dark=dark)
    assert page.run("document.documentElement.scrollWidth") <= width
    assert page.run("""[...document.querySelectorAll('button, select, input, svg[role=img]')]
        .filter((node) => !(node.getAttribute('aria-label') || node.closest('label') || node.textContent.trim()))
        .length""") == 0
    assert page.run("document.querySelector('svg.picture').getBoundingClientRect().width") > 40
