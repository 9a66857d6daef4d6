#!/usr/bin/env python3
"""The commands of blobnet under Caffe's name: `caffe.py train -solver solver.prototxt`."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)  # not this folder, and no installation needed
    from blobnet.cli import main

    sys.exit(main(sys.argv[1:]))
