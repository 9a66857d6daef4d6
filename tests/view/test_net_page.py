"""A drawing as a page, and the page in a browser."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from blobnet.errors import BlobnetError
from blobnet.proto.text import parse
from blobnet.view.draw import draw_net

HOSTILE = "</script><script>alert('&amp;')</script>"
RESNET = Path(__file__).parent.parent.parent / "prototxt" / "resnet" / "deploy_50.prototxt"


def layer(kind, name, *bottoms, top=None, more=""):
    blobs = "".join(f' bottom: "{blob}"' for blob in bottoms) + f' top: "{top or name}"'
    return f'layer {{ name: "{name}" type: "{kind}"{blobs} {more} }}\n'


def small_net(pieces=4):
    """A trunk of equal pieces, each with a way around it, and a head."""
    text = 'name: "small" ' + layer("Input", "x", more="input_param { shape { dim: 2 dim: 8 dim: 6 dim: 6 } }")
    bottom = "x"
    for i in range(pieces):
        text += layer("Convolution", f"r{i}_a", bottom, more="convolution_param { num_output: 8 kernel_size: 1 "
                      "bias_term: false }") + layer("ReLU", f"r{i}_relu", f"r{i}_a", top=f"r{i}_a")
        text += layer("Eltwise", f"r{i}", bottom, f"r{i}_a")
        bottom = f"r{i}"
    return text + layer("InnerProduct", "fc", bottom, more="inner_product_param { num_output: 5 } "
                        "param { lr_mult: 2 }") + layer("Softmax", "end", "fc", top="last")


def write(text, path, **more):
    note = draw_net(parse(text, "NetParameter", "net"), path, **more)
    assert note == ""
    return path.read_text("utf-8")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    for name, more in {"down": {}, "right": {"rankdir": "LR"}, "open": {"folded": False}}.items():
        write(small_net(), folder / f"{name}.html", **more)
    return folder


def data_of(html):
    return json.loads(re.search(r'<script type="application/json" id="net-data">(.*?)</script>', html, re.DOTALL)[1])


def test_what_the_page_says(files):
    html = (files / "down.html").read_text("utf-8")
    assert "14 layers" not in html and "15 layers" in html and "TRAIN:" not in html
    assert "301 multiply" not in html and re.search(r"1,701 parameters, [\d,]+ multiply-adds", html)
    data = data_of(html)
    facts = {row["name"]: dict(row["facts"]) for row in data["layers"]}
    assert facts["r1_a"] == {
        "in": "r0 2x8x6x6", "out": "r1_a 2x8x6x6", "num_output": "8", "bias_term": "false (default true)",
        "kernel_size": "1", "parameters": "weight 8x8x1x1", "numbers": "64", "multiply-adds": f"{2 * 36 * 64:,}"}
    assert facts["fc"]["lr_mult"] == "2.0, 1.0" and facts["fc"]["numbers"] == f"{288 * 5 + 5:,}"
    assert facts["r2"] == {"in": "r1 2x8x6x6, r2_a 2x8x6x6", "out": "r2 2x8x6x6"}
    assert data["shapes"]["fc"] == "2x5"
    legend = re.findall(r"</svg>([\w-]+)</li>", html)
    assert legend == ["data", "weighted", "activation", "reduction"]


def test_phases_that_differ_have_a_line_each(tmp_path):
    text = small_net(1) + layer("InnerProduct", "more", "r0", more="inner_product_param { num_output: 2 } "
                                "include { phase: TRAIN }")
    assert "6 layers" in write(text, tmp_path / "net.html", phases=[1])
    html = write(text, tmp_path / "net.html")
    assert "7 layers" in html and "TRAIN: " in html and "TEST: " in html
    assert {row["name"]: dict(row["facts"]) for row in data_of(html)["layers"]}["more"]["phase"] == "TRAIN"


def test_the_page_needs_nothing_and_names_stay_text(tmp_path):
    html = write(small_net(1) + layer("TanH", HOSTILE, "r0"), tmp_path / "net.html")
    tags = []
    parser = HTMLParser()
    parser.handle_starttag = parser.handle_startendtag = lambda tag, attributes: tags.append((tag, dict(attributes)))
    parser.feed(html)
    assert [tag for tag, _ in tags].count("script") == 2 and html.count(HOSTILE) == 0
    assert "default-src 'none'" in html
    for _, attributes in tags:
        assert not {"src", "href", "onclick"} & set(attributes)


def test_a_page_flows_down_or_right(tmp_path):
    with pytest.raises(BlobnetError, match="rankdir: expected LR or TB, got 'BT'"):
        draw_net(parse(small_net(1), "NetParameter", "net"), tmp_path / "net.html", "BT")


def test_layers_come_in_the_order_of_the_flow(files):
    """So do the keys: the focus follows the document."""
    html = (files / "open.html").read_text("utf-8")
    order = [int(index) for index in re.findall(r'data-layer="(\d+)"', html)]
    assert order == list(range(15))


# In a browser.

# How far the middle of what is chosen is from that of the frame, to the right and down; and its width.
WHERE = """(() => {
  const box = document.getElementById("drawing"), frame = box.getBoundingClientRect();
  const node = document.querySelector(".selected").getBoundingClientRect();
  return [node.left + node.width / 2 - frame.left - box.clientWidth / 2,
          node.top + node.height / 2 - frame.top - box.clientHeight / 2, node.width];
})()"""
# Rectangles of the layers that are shown, by number, and points on the lines, in pixels of the window.
BOXES = """(() => {
  const layers = [...document.querySelectorAll("#drawing g.layer")].map((node) => {
    const {left, top, right, bottom} = node.querySelector("rect").getBoundingClientRect();
    return [node.dataset.layer, [left, top, right, bottom]];
  });
  return Object.fromEntries(layers.filter(([, [left, , right]]) => right > left));
})()"""
LINES = """[...document.querySelectorAll("#drawing g.wire path")].filter((path) => !path.closest("[display=none]")).map(
  (path) => {
    const matrix = path.getScreenCTM(), at = (length) => path.getPointAtLength(length).matrixTransform(matrix);
    return Array.from({length: 40}, (_, i) => at(path.getTotalLength() * i / 39)).map(({x, y}) => [x, y]);
  })"""
CORNER = "(({left, top}) => [left + 10, top + 10])(document.querySelector('g.layer').getBoundingClientRect())"


def type_into(page, words):
    page.run(f"document.getElementById('search').value = {json.dumps(words)}; "
             "document.getElementById('search').dispatchEvent(new Event('input'))")


def said(page):
    return page.run("document.getElementById('details-text').innerText").replace("\n\n", "\n").strip()


def quiet(page):
    assert page.complaints() == [] and page.requests() == []
    assert page.run("document.documentElement.scrollWidth <= innerWidth")


def free_of_lines(boxes, lines):
    for left, top, right, bottom in boxes.values():
        for line in lines:
            assert not any(left + 1 < x < right - 1 and top + 1 < y < bottom - 1 for x, y in line)


@pytest.mark.parametrize("width, dark", [(1200, False), (420, True)])
def test_search(browser, files, width, dark):
    page = browser.open(files / "down.html", width, 700, dark)
    type_into(page, "innerprod")
    right, down, wide = page.run(WHERE)
    assert abs(right) < 2 and abs(down) < 250 and wide > 50  # near the lower end
    assert said(page).startswith("fc\nInnerProduct, weighted\nin\nr3 2x8x6x6\n")
    type_into(page, "r0")
    assert page.run("document.getElementById('count').textContent") == "1 of 5"
    page.run("document.getElementById('tools').requestSubmit()")
    assert page.run("document.getElementById('count').textContent") == "2 of 5"
    type_into(page, "last")  # a blob
    assert said(page) == "last\nblob\nshape\n2x5\nmade by\nend"
    type_into(page, "nowhere")
    assert page.run("document.getElementById('count').textContent") == "nothing"
    quiet(page)
    page.close()


@pytest.mark.parametrize("name", ["down", "right"])
def test_unfold(browser, files, name):
    page = browser.open(files / f"{name}.html", 1200, 900)
    button = "document.querySelector('.once g.repeat')"
    assert page.run(f"{button}.getAttribute('aria-label')") == "4 × r0 … r3"
    folded, extent = page.run(BOXES), page.run("document.querySelector('#drawing svg').getAttribute('viewBox')")
    assert set(folded) == {"0", "1", "2", "3", "13", "14"}
    free_of_lines(folded, page.run(LINES))
    page.run(f"{button}.focus()")
    page.key("Enter")
    boxes = page.run(BOXES)
    assert set(boxes) == {str(i) for i in range(15)}
    free_of_lines(boxes, page.run(LINES))
    axis = 1 if name == "down" else 0
    for one, other in zip(range(14), range(1, 15)):
        if one not in (1, 4, 7, 10) or axis:  # layers in place stand below the one before, wherever the data flows
            assert boxes[str(one)][axis] < boxes[str(other)][axis]
    assert page.run("document.activeElement.closest('.whole') !== null")
    page.key(" ")
    assert page.run(BOXES) == folded
    assert page.run("document.querySelector('#drawing svg').getAttribute('viewBox')") == extent
    page.run("document.getElementById('unfold').click()")
    assert set(page.run(BOXES)) == set(boxes)
    quiet(page)
    page.close()


def test_search_unfolds(browser, files):
    page = browser.open(files / "down.html", 1200, 700)
    type_into(page, "r2_a")
    assert page.run("document.querySelector('.selected').dataset.layer") == "7"
    right, down, wide = page.run(WHERE)
    assert abs(right) < 2 and abs(down) < 2 and wide > 50
    page.close()


def test_no_line_runs_through_a_box_of_resnet(browser, tmp_path):
    draw_net(RESNET, tmp_path / "net.html")
    page = browser.open(tmp_path / "net.html", 1200, 900)
    for shown in (125, 229):
        boxes = page.run(BOXES)
        assert len(boxes) == shown
        free_of_lines(boxes, page.run(LINES))
        page.run("document.getElementById('unfold').click()")
    page.close()


def test_zoom(browser, files):
    page = browser.open(files / "down.html", 1200, 700)
    wide = "document.querySelector('#drawing svg').getBoundingClientRect().width"
    before = page.run(wide)
    page.run("document.getElementById('drawing').focus()")
    page.key("+")
    assert page.run(wide) == pytest.approx(1.3 * before, rel=0.01)
    page.key("-")
    assert page.run(wide) == pytest.approx(before, rel=0.01)
    page.call("Input.dispatchMouseEvent", type="mouseWheel", x=600, y=400, deltaX=0, deltaY=-60, modifiers=2)
    page.run("new Promise((done) => setTimeout(done, 100))")
    assert page.run(wide) > 1.2 * before
    page.run("document.getElementById('fit').click()")
    fitted = page.run(wide)
    assert fitted == pytest.approx(page.run("document.getElementById('drawing').clientWidth") - 24, abs=1)
    page.run("document.getElementById('smaller').click()")
    assert page.run(wide) == pytest.approx(fitted / 1.3, rel=0.01)
    page.close()


def test_two_fingers_zoom(browser, files):
    page = browser.open(files / "open.html", 420, 700)
    before = page.run(CORNER)
    for kind, apart in (("touchStart", 20), ("touchMove", 30), ("touchMove", 40)):
        page.call("Input.dispatchTouchEvent", type=kind, touchPoints=[
            {"x": before[0] + side * apart, "y": before[1], "id": i} for i, side in enumerate((-1, 1))])
    page.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
    after = page.run("document.querySelector('#drawing svg').getAttribute('width')")
    assert float(after) > 1.5 * page.run("document.querySelector('#drawing svg').viewBox.baseVal.width")
    page.close()


def test_dragging_pans_and_does_not_click(browser, files):
    page = browser.open(files / "open.html", 1200, 500)
    x, y = page.run(CORNER)
    for kind, down in (("mousePressed", 0), ("mouseMoved", -120), ("mouseReleased", -120)):
        page.call("Input.dispatchMouseEvent", type=kind, x=x, y=y + down, button="left", buttons=1, clickCount=1)
    assert page.run("document.getElementById('drawing').scrollTop") == pytest.approx(120, abs=1)
    assert page.run("document.getElementById('details').hidden")
    page.close()
