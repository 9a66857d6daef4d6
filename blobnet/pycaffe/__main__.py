"""`python -m blobnet.pycaffe SCRIPT ARGUMENTS…` runs a script that imports caffe."""

import os
import runpy
import sys

from blobnet.pycaffe.install import install_as_caffe
from blobnet.pycaffe.modes import init_log


def main() -> None:
    """Run the script that the command line names, with Caffe's log on standard error."""
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit("usage: python -m blobnet.pycaffe SCRIPT.py ARGUMENTS…")
    if not os.path.exists(sys.argv[1]):
        sys.exit(f"blobnet: no script {sys.argv[1]!r}")
    del sys.argv[0]
    sys.path[0] = os.path.dirname(os.path.abspath(sys.argv[0]))
    install_as_caffe()
    init_log()
    runpy.run_path(sys.argv[0], run_name="__main__")


main()
