"""A browser that the tests of pages share, as in tests/explain."""

import browser as browsers
import pytest


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """Chromium, for the tests of a file; without it they are skipped, and say so."""
    if browsers.PROGRAM is None:
        pytest.skip("NOT TESTED: no chromium on this machine, so nobody looked at the pages")
    shown = browsers.Browser(tmp_path_factory.mktemp("home"))
    yield shown
    shown.close()
