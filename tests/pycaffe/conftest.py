"""Every test here may `import caffe`, and starts from the settings of a new process."""

import pytest

import blobnet

blobnet.install_as_caffe()


@pytest.fixture(autouse=True)
def fresh_settings(monkeypatch):
    from blobnet.pycaffe import modes

    monkeypatch.setattr(modes, "_settings", modes._Settings())
