"""Pages of layers as HTML: their parts, and how a browser sets them."""

import re
import shutil
import subprocess
from xml.etree import ElementTree

import pytest

import blobnet.layers
from blobnet.core.layer import Layer
from blobnet.core.registry import LAYERS
from blobnet.view.mathematics import page_html, style

OURS = [cls for cls in LAYERS.values() if cls.__module__.startswith(blobnet.layers.__name__)]
CHROMIUM = shutil.which("chromium")

DOCUMENT = """<!doctype html><html lang="en"><meta charset="utf-8"><style>body {{ margin: 0 }}
#column {{ width: {width}px; font: 16px/1.5 sans-serif }}</style><style>{style}</style>
<body><div id="column">{pages}</div><script>
const column = document.getElementById("column");
const scrolling = [...document.querySelectorAll(".formulas > *")].filter(line => line.scrollWidth > line.clientWidth);
const height = selector => document.querySelector(selector).getBoundingClientRect().height;
document.title = JSON.stringify({{
  page: column.scrollWidth <= column.clientWidth, lines: scrolling.length,
  fraction: height("mfrac") / height("mfrac > :first-child"), cases: height("mtable") / height("mtd"),
  font: getComputedStyle(document.querySelector("math")).fontFamily}});
</script>"""


@pytest.mark.parametrize("cls", OURS, ids=lambda cls: cls.__name__)
def test_every_page(cls):
    page = ElementTree.fromstring(page_html(cls))
    assert [part.tag for part in page] == ["h2", "p", "p", "div", "dl"]
    assert "".join(page.find("h2").itertext()) == cls.__name__
    terms = [term.text for term in page.iter("dt")]
    assert sorted(terms) == sorted(set(terms)) and {"Bottoms", "Tops", "Params", "Paper", "Quirks"} <= set(terms)
    assert all("".join(text.itertext()).strip() for text in page.iter("dd"))
    assert not any(f"{name}:" in "".join(text.itertext()) for text in page.iter("dd") for name in terms)


def test_a_page():
    html = page_html(LAYERS["Concat"])
    assert html.startswith('<article class="layer-page">\n<h2>Concat</h2>\n<p class="family">shape</p>\n'
                           '<p class="purpose">Join blobs along an axis.</p>\n<div class="formulas">\n')
    assert "<dt>Bottoms</dt>\n<dd>x_0, x_1, ... (one shape but for the axis)</dd>\n<dt>Tops</dt>\n<dd>y</dd>" in html
    assert '<p class="family">normalization · type: BN</p>' in page_html(LAYERS["SegNetBN"])
    assert "<h2>Softmax<wbr/>With<wbr/>Loss</h2>" in page_html(LAYERS["SoftmaxWithLoss"])


@pytest.mark.parametrize("text, inside", [
    ("Purpose <b> & more.\n\ny = x < z\n\nQuirks: uses `a < b` & c.",
     ["<p class=\"purpose\">Purpose &lt;b&gt; &amp; more.</p>", 'aria-label="y = x &lt; z"',
      "<dt>Quirks</dt>\n<dd>uses <code>a &lt; b</code> &amp; c.</dd>"]),
    ("Only a purpose.", ['<p class="purpose">Only a purpose.</p>\n</article>']),
    ("y = 2 x,   with a sentence\nin two lines.", ['<p class="purpose">y = 2 x,']),
])
def test_pages_of_users(text, inside):
    """A docstring of any form is shown, and its characters are no markup."""
    cls = type("Own", (Layer,), {"__doc__": text, "__module__": "own"})
    html = page_html(cls)
    ElementTree.fromstring(html)
    assert all(piece in html for piece in ['<p class="family">plug-ins</p>', *inside])


def test_the_style_asks_for_nothing():
    """Nothing is loaded from anywhere, both colour schemes are there, and every class is one that pages have."""
    assert not re.search(r"url\(|@import|@font-face|http", style())
    assert style().count("{") == style().count("}")
    assert "prefers-color-scheme: dark" in style() and "@media print" in style()
    pages = "".join(map(page_html, OURS))
    written = {name for names in re.findall(r'class="([^"]+)"', pages) for name in names.split()}
    styled = set(re.findall(r"\.([a-z][a-z-]*)", re.sub(r"/\*.*?\*/", "", style(), flags=re.DOTALL)))
    assert styled - written == {"plain"}  # no page of ours has a formula that cannot be read
    assert written - styled == {"sentence"}


@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")
@pytest.mark.parametrize("width", [1240, 360])
def test_a_browser_sets_them(width, tmp_path, monkeypatch):
    """Pages are as wide as their column: on a screen all formulas fit, in a narrow column a few lines scroll.

    Fractions and tables are drawn as such, in a font for mathematics.
    """
    monkeypatch.setenv("HOME", str(tmp_path))
    file = tmp_path / "pages.html"
    file.write_text(DOCUMENT.format(width=width, style=style(), pages="\n".join(map(page_html, OURS))), "utf-8")
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", f"--window-size={width + 40},900", "--dump-dom",
               file.as_uri()]
    dom = subprocess.run(command, capture_output=True, text=True, timeout=120).stdout
    title = re.search(r"<title>(.*?)</title>", dom)[1]
    assert '"page":true' in title
    assert int(re.search(r'"lines":(\d+)', title)[1]) <= (0 if width > 1000 else 60)
    ratios = [float(value) for value in re.findall(r'"(?:fraction|cases)":([\d.]+)', title)]
    assert min(ratios) > 1.7
    assert "DejaVu Math" in title
