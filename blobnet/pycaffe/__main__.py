"""`python -m blobnet.pycaffe SCRIPT ARGUMENTS…` runs a script that imports caffe."""

import os
import runpy
import sys
from pathlib import Path

from blobnet.pycaffe.glog import init_log
from blobnet.pycaffe.install import install_as_caffe


def main() -> None:
    """Run the script that the command line names, with Caffe's log on standard error.

    Processes that it starts find caffe as well: in the folder `path`, by the environment or a copy of sys.path.
    """
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit("usage: python -m blobnet.pycaffe SCRIPT.py ARGUMENTS…")
    if not os.path.exists(sys.argv[1]):
        sys.exit(f"blobnet: no script {sys.argv[1]!r}")
    del sys.argv[0]
    sys.path[0] = os.path.dirname(os.path.abspath(sys.argv[0]))
    path = str(Path(__file__).with_name("path"))
    sys.path.insert(1, path)
    os.environ["PYTHONPATH"] = os.pathsep.join([path, *filter(None, [os.environ.get("PYTHONPATH")])])
    install_as_caffe()
    init_log()
    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main()
