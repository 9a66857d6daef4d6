"""The page of a pass in a browser: it asks for nothing, shows what its address says, and can be used by keys."""

import re

import numpy as np
import pytest
from hand_payload import Payload
from tiny_net import NAMES, drawing, full_payload, tiny_payload

from blobnet.explain.html import SCRIPTS, page_html, script
from blobnet.view.draw.page_svg import style

VIEWS = ["", "#layer=1", "#layer=1&param=0", "#layer=1&value=0", "#layer=2&value=3&n=1",
         "#layer=5&value=5&cell=diff:1,2",
         "#layer=4&param=0&cell=diff:2,17", "#layer=1&value=2&n=1&cell=data:1,1,5,5",
         "#layer=3&value=3&cell=diff:0,1,2,3", "#layer=0&value=1", "#layer=5&value=6&cell=data:", "#layer=99&value=x",
         "#layer=1&value=2&cell=data:9,9"]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A function that writes a payload as a page and gives its path."""
    def write(payload, drawn=""):
        path = tmp_path_factory.mktemp("page") / "page.html"
        path.write_text(page_html(payload.header, bytes(payload.binary), drawn, style()), "utf-8")
        return path
    return write


@pytest.fixture(scope="module")
def tiny(written):
    return written(full_payload(), drawing())


@pytest.fixture
def opened(browser):
    """A function that opens a page and waits until it is shown; it is closed after the test."""
    pages = []

    def open_page(path, hash="", **options):
        page = browser.open(path, hash=hash, **options)
        pages.append(page)
        page.run("blobnetExplain.ready")
        return page

    yield open_page
    for page in pages:
        assert not page.complaints()
        page.close()


@pytest.mark.parametrize("width, dark", [(1280, False), (400, True)])
def test_the_page_asks_for_nothing_and_fits(tiny, opened, width, dark):
    page = opened(tiny, width=width, dark=dark)
    for view in VIEWS:
        page.run(f"location.hash = '{view}'; new Promise((done) => setTimeout(done, 30))")
        assert page.run("document.documentElement.scrollWidth") <= width, view
    assert page.requests() == []
    assert page.run("document.querySelector('#trouble').hidden")
    assert page.run("!/undefined|NaN|null|\\[object/.test(document.querySelector('main').innerText)")


def test_nothing_can_be_asked_for(tiny, opened):
    """The page forbids it to itself: a picture from elsewhere is not loaded."""
    assert "default-src 'none'" in tiny.read_text("utf-8")
    page = opened(tiny)
    assert page.run("""new Promise((done) => { const image = new Image(); image.onerror = () => done('refused');
                       image.onload = () => done('loaded'); image.src = 'file:///nowhere.png'; })""") == "refused"
    assert [complaint for complaint in page.complaints() if "Content Security Policy" in complaint]
    page.browser.events.clear()


def test_the_address_restores_the_selection(tiny, opened):
    page = opened(tiny, "#layer=1&value=2&n=1&cell=data:1,1,2,3")
    assert page.run("document.querySelector('#layer h2').innerText").startswith("conv")
    assert page.run("document.querySelector('#number h2').innerText").startswith("data [1, 1, 2, 3] = ")
    page.run("blobnetExplain.select({layer: 4, param: 0, which: 'diff', index: [2, 5]})")
    assert page.run("location.hash") == "#layer=4&param=0&cell=diff:2,5"
    page.run("history.back(); new Promise((done) => setTimeout(done, 100))")
    assert page.run("document.querySelector('#number h2').innerText").startswith("data [1, 1, 2, 3] = ")


def test_a_link_to_a_part_of_the_page_keeps_the_selection(tiny, opened):
    page = opened(tiny, "#layer=1&value=2&n=1&cell=data:1,1,2,3")
    page.run("document.querySelector('a.skip').click(); new Promise((done) => setTimeout(done, 100))")
    assert page.run("location.hash") == "#number"
    assert page.run("document.querySelector('#number h2').innerText").startswith("data [1, 1, 2, 3] = ")


def test_arrow_keys_walk_and_enter_chooses(tiny, opened):
    page = opened(tiny, "#layer=1&value=2")
    page.run("document.querySelector('#blob canvas').focus()")
    for key in ["ArrowRight", "ArrowRight", "ArrowDown", "PageDown", "Enter"]:
        page.key(key)
    assert page.run("location.hash") == "#layer=1&value=2&cell=data:0,1,1,2"
    said = page.run("document.querySelector('#live').textContent")
    assert said.startswith("conv, as conv leaves it, data [0, 1, 1, 2] = ")


def test_a_click_on_a_factor_selects_it(tiny, opened):
    page = opened(tiny, "#layer=1&value=2&cell=data:0,1,2,3")
    assert page.run("document.querySelectorAll('#number .equation a.factor').length") == 19  # 9 products and a bias
    page.run("document.querySelector('#number .equation a.factor').click()")
    page.run("new Promise((done) => setTimeout(done, 100))")
    assert page.run("location.hash") == "#layer=1&param=0&n=1&cell=data:1,0,0,0"


def test_layers_and_blobs_of_the_drawing_are_buttons(tiny, opened):
    page = opened(tiny, "#layer=1")
    page.run("document.querySelector('[data-layer=\"3\"]').focus()")
    page.key("Enter")
    assert page.run("location.hash").startswith("#layer=3&")
    page.run("document.querySelector('text[data-blob=conv]').dispatchEvent(new MouseEvent('click', {bubbles: true}))")
    assert page.run("location.hash") == "#layer=2&value=3"  # the last value of that name
    assert page.run("document.querySelector('[data-mark=\"2\"] title').textContent").startswith("dead: 1 of 2")
    widths = page.run("[...document.querySelectorAll('.wire .data')].map((path) => path.style.strokeWidth)")
    assert len(set(widths)) > 2


def test_search_finds_by_name_and_type(tiny, opened):
    page = opened(tiny)
    page.run("document.querySelector('#net input').focus()")
    page.run("""const box = document.querySelector('#net input'); box.value = 'innerpr';
                box.dispatchEvent(new Event('input'))""")
    assert page.run("[...document.querySelectorAll('.layer.found')].map((node) => node.dataset.layer)") == ["4"]
    page.key("Enter")
    assert page.run("location.hash").startswith("#layer=4&")


def test_frames_follow_the_slider(tiny, opened):
    page = opened(tiny, "#layer=1&value=2")
    shown = "document.querySelector('#time canvas').toDataURL()"
    last = page.run(shown)
    page.run("""const slider = document.querySelector('#time input'); slider.value = 0;
                slider.dispatchEvent(new Event('input'))""")
    assert page.run(shown) != last
    assert "256 levels" in page.run("document.querySelector('#time').innerText")


def test_several_readers_add_up(written, opened):
    """The diff of a value that two layers read is the sum of their parts, and each part is worked out."""
    made, rng = Payload(), np.random.default_rng(0)
    x, first, second = np.abs(rng.normal(size=(3, 2, 4))).astype(np.float32)
    rule = {"kind": "scalar", "y": "2 * x", "slope": "2"}
    ids = [made.value("x", x, 2 * first + 2 * second, 0, 0, [(1, 0), (2, 0)]),
           made.value("a", 2 * x, first, 1), made.value("b", 2 * x, second, 2)]
    made.layer("in", "Input", [], ids[:1])
    made.layer("a", "Power", [(ids[0], 2 * first)], ids[1:2], (), rule)
    made.layer("b", "Power", [(ids[0], 2 * second)], ids[2:], (), rule)
    page = opened(written(made), "#layer=0&value=0&cell=diff:1,2")
    found = page.run("blobnetExplain.terms(0, ['top', 0, 'diff', [1, 2]])")
    assert [term[0][0] for term in found["terms"]] == pytest.approx([2 * first[1, 2], 2 * second[1, 2]])
    assert found["value"] == pytest.approx(2 * first[1, 2] + 2 * second[1, 2], rel=1e-6)
    part = page.run("blobnetExplain.terms(2, ['bottom', 0, 'diff', [1, 2]])")
    assert part["value"] == pytest.approx(2 * second[1, 2])
    assert page.run("document.querySelectorAll('#number .equation').length") == 3


def test_cells_of_the_file_stand_where_the_page_cannot_work_out(written, opened):
    made = Payload()
    x, y = made.value("x", np.ones((2, 3)), None, 0, 0, [(1, 0)]), made.value("y", np.full((2, 3), 5.0), None, 1)
    made.layer("in", "Input", [], [x])
    cell = {"place": ["top", 0, "data", [1, 2]], "value": 5, "rest": 2, "rest_words": "smaller terms", "count": 40,
            "terms": [[[2, ["bottom", 0, "data", [0, 0]], ""], [1.5, None, "slope"]]], "words": "By some way.",
            "numeric": "nan"}
    made.layer("odd", "Odd", [x], [y], cells=[cell])
    page = opened(written(made), "#layer=1&value=1&cell=data:1,2")
    found = page.run("blobnetExplain.terms(1, ['top', 0, 'data', [1, 2]])")
    assert (found["source"], found["value"], found["rest"]) == ("file", 5, 2)
    assert "smaller terms" in page.run("document.querySelector('#number').innerText")
    other = page.run("blobnetExplain.terms(1, ['top', 0, 'data', [0, 0]])")
    assert other["source"] is None and "worked out ahead" in other["words"]


def test_what_is_left_out_is_said(written, opened):
    """A corner of an array: what needs more than it holds has no terms, and the page says why."""
    made, x = Payload(left_out=["x: 2 of 4 rows"]), np.arange(12.0).reshape(4, 3)
    ids = [made.value("x", x, None, 0, 0, [(1, 0)], kept=(2, 3)), made.value("y", 2 * x, None, 1)]
    made.layer("in", "Input", [], ids[:1])
    made.layer("double", "Power", ids[:1], ids[1:], (), {"kind": "scalar", "y": "2 * x", "slope": "2"})
    page = opened(written(made), "#layer=1&value=0")
    assert page.run("blobnetExplain.terms(1, ['top', 0, 'data', [1, 2]]).value") == 10
    assert "left out" in page.run("blobnetExplain.terms(1, ['top', 0, 'data', [3, 0]]).words")
    assert page.run("blobnetExplain.stored(1, ['bottom', 0, 'data', [3, 0]])") is None
    assert "the first 2 × 3 of 4 × 3" in page.run("document.querySelector('#blob').innerText")
    assert "x: 2 of 4 rows" in page.run("document.querySelector('#left-out').innerText")
    page.run("blobnetExplain.select({layer: 1, value: 1, which: 'data', index: [3, 0]})")
    assert "It needs x[3,0], which is left out" in page.run("document.querySelector('#number').innerText")
    page.run("blobnetExplain.select({layer: 1, value: 0, which: 'data', index: [3, 0]})")
    # The last row that is here is shown.
    assert page.run("document.querySelector('#blob select').value") == "1"


def test_names_of_strangers_are_text(written, opened):
    evil = "</script><img src=x onerror='window.hurt=1'><b>"
    made = tiny_payload()
    made.header["title"] = evil
    for layer in made.header["layers"]:
        layer["name"] = evil
    for value in made.header["values"]:
        value["name"] = evil
    page = opened(written(made), "#layer=1&value=2&cell=data:0,0,0,0")
    assert page.run("document.querySelector('h1').textContent") == evil
    assert page.run("window.hurt") is None and page.run("document.images.length") == 0


def test_class_names_stand_under_bars_and_exps(tiny, opened):
    page = opened(tiny, "#layer=5&value=5&cell=diff:0,2")
    assert all(name in page.run("document.querySelector('#number').innerText") for name in NAMES)


def test_the_script_cannot_end_its_element():
    assert len(set(SCRIPTS)) == len(SCRIPTS)
    assert "</script" not in script().lower() and "<!--" not in script()
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", script())


def test_numbers_that_are_not_finite_are_refused():
    made = tiny_payload()
    made.header["loss"] = float("nan")
    with pytest.raises(ValueError):
        page_html(made.header, bytes(made.binary), "")


def test_without_an_address_a_worked_number_is_shown(tiny, opened):
    page = opened(tiny)
    assert page.run("location.hash") == "#layer=1&value=2&cell=data:0,0,0,0"
    terms = page.run("document.querySelectorAll('#number .equation .term').length")
    assert terms == 6  # four of nine weights lie on x; the bias; the sum


def test_training_fault_and_pairs_have_their_parts(tiny, opened):
    page = opened(tiny)
    titles = page.run("[...document.querySelectorAll('.chart figcaption')].map((title) => title.textContent)")
    assert titles == ["Loss", "Outputs", "Length of the gradients (logarithmic)",
                      "Update : value (logarithmic; usual is about 0.001)", "Learning rate", "Loss, healthy and broken"]
    assert "✗ failed" in page.run("document.querySelector('#broken').innerText")
    forces = page.run("document.querySelector('#pairs .gap').innerText")
    assert re.search(r"0 – 3\s+0, 0", forces) and "push apart" in forces
    page.run("document.querySelector('.chart > svg').focus()")
    page.key("ArrowLeft")
    assert page.run("document.querySelector('.chart .readout').textContent").startswith("iteration 56: loss 0.")


def test_parts_that_are_not_there_are_not_shown(written, opened):
    page = opened(written(tiny_payload()))
    assert page.run("[...document.querySelectorAll('section[hidden]')].map((part) => part.id)") == [
        "time", "broken", "pairs", "left-out"]


def test_three_channels_are_a_colour(written, opened):
    """Images of three channels, and the filters on them, are shown in colour, or apart on demand."""
    made, rng = Payload(), np.random.default_rng(0)
    ids = [made.value("x", rng.normal(size=(2, 3, 5, 5)), None, 0, 0, [(1, 0)], role="image"),
           made.value("y", rng.normal(size=(2, 4, 3, 3)), None, 1)]
    made.layer("in", "Input", [], ids[:1])
    weight = rng.normal(size=(4, 3, 3, 3))
    made.layer("conv", "Convolution", ids[:1], ids[1:], [made.param("weight", weight, weight)])
    page = opened(written(made), "#layer=1&param=0")
    shown = "document.querySelector('#blob canvas').toDataURL()"
    coloured = page.run(shown)
    page.run("""const box = [...document.querySelectorAll('#blob select')].find((one) => one.value === 'BGR');
                box.value = ''; box.dispatchEvent(new Event('change'))""")
    assert page.run("[...document.querySelectorAll('#blob .choice')].map((one) => one.firstChild.textContent)") == [
        "filter", "channel", "three channels"]
    assert page.run(shown) != coloured


def test_everything_that_can_be_used_has_a_name(tiny, opened):
    page = opened(tiny, "#layer=1&value=2&cell=diff:0,1,2,3")
    assert page.run("""[...document.querySelectorAll('button, select, input, canvas, svg[role=img], [role=button]')]
        .filter((node) => !(node.getAttribute('aria-label') || node.closest('label') || node.textContent.trim()))
        .map((node) => node.outerHTML.slice(0, 200))""") == []
    assert page.run("""[...document.querySelectorAll('[id]')].map((node) => node.id)
        .filter((id, i, all) => all.indexOf(id) !== i)""") == []
    assert page.run("""[...document.querySelectorAll('[tabindex]')]
        .every((node) => node.tabIndex <= 0)""")
