"""The site is built without a warning, and read from files."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from check_links import broken_links

ROOT = Path(__file__).resolve().parent.parent.parent
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of the built pages."""
    missing = [name for name in ("sphinx", "furo", "myst_parser") if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"NOT TESTED: no {', '.join(missing)}, so nobody built the documentation: pip install '.[docs]'")
    out = tmp_path_factory.mktemp("site")
    done = subprocess.run([sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", ROOT / "tools/docs", out],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return out


def test_every_link_leads_somewhere(site):
    assert list(broken_links(site, set())) == []
    assert len(list(site.rglob("*.html"))) > 300


def test_the_search_works_from_files(site, browser):
    page = browser.open(site / "search.html", hash="?q=HashingLoss")
    found = page.run("""new Promise((done) => { const look = () => {
        const links = [...document.querySelectorAll("#search-results a")].map((link) => link.getAttribute("href"));
        links.length ? done(links) : setTimeout(look, 100); }; look(); })""")
    assert any(link.startswith("_generated/layers/hashing/hashing_loss.html") for link in found)


def test_formulas_are_mathematics_without_a_script(site, browser):
    page = browser.open(site / "_generated/layers/normalization/lrn.html", width=420)
    assert page.run("document.querySelectorAll('.formulas math mfrac').length") >= 2
    assert page.run("document.documentElement.scrollWidth") <= 420


def test_a_warning_ends_the_build(site, tmp_path):
    ignored = shutil.ignore_patterns("_build", "_generated", "*.md")
    docs = shutil.copytree(ROOT / "tools/docs", tmp_path / "tools/docs", ignore=ignored)
    (docs / "index.md").write_text("# A\n\n{layer}`NoSuchLayer`\n")
    (docs / "conf.py").write_text((docs / "conf.py").read_text("utf-8").replace("    write_pages", "    # write_pages"))
    done = subprocess.run([sys.executable, "-m", "sphinx", "-q", "-W", docs, tmp_path / "out"], capture_output=True,
                          text=True, env={"PYTHONPATH": str(ROOT), "PATH": ""})
    assert done.returncode and "'layer' reference target not found: NoSuchLayer" in done.stderr
