"""The digits of scikit-learn as databases, made once, and recipes over them."""

from pathlib import Path

import pytest

from blobnet.data.sets import import_set

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="session")
def digits(tmp_path_factory):
    """A data folder with the set digits."""
    folder = tmp_path_factory.mktemp("digits")
    import_set("digits", folder)
    return folder
