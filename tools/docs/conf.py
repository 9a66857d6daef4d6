"""Sphinx's settings for the site. `make docs` builds it; `pages` writes first what code can write."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent.parent)]

from pages import sphinx_parts, write_pages  # noqa: E402

from blobnet import __version__  # noqa: E402

project = "blobnet"
version = release = __version__
copyright = "the authors of blobnet, BSD 3-clause"

extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["_build", "pages"]
myst_enable_extensions = ["attrs_block", "deflist"]
root_doc = "index"
nitpicky = True
nitpick_ignore_regex = [("py:.*", ".*")]  # hints name types of NumPy, protobuf and of inner modules
highlight_language = "none"
smartquotes = False  # two hyphens begin a flag
default_role = "code"
myst_heading_anchors = 4
autoclass_content = "both"
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"

html_theme = "furo"
html_title = f"blobnet {__version__}"
html_static_path = ["static", "_generated/static"]
html_css_files = ["mathematics.css", "house.css"]
html_copy_source = False
html_show_search_summary = False  # would be fetched, which browsers refuse to pages that are files
html_show_sphinx = False


def setup(app):
    """Write the generated pages, and add what they are written in."""
    write_pages(HERE / "_generated")
    sphinx_parts.setup(app)
