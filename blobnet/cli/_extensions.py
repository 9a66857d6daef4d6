"""What the nets of a command may need beyond blobnet's own layers."""

from __future__ import annotations

from collections.abc import Sequence

from blobnet.plugins import load_plugin


def load_extensions(plugins: Sequence[str]) -> None:
    """Load the plug-in files, and let the modules of Python layers `import caffe`."""
    from blobnet.pycaffe.install import install_as_caffe  # here, so that help does not wait for it

    install_as_caffe()
    for path in plugins:
        load_plugin(path)
