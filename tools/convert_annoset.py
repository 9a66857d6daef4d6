#!/usr/bin/env python3
"""`blobnet convert_annoset` under its classic name."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)  # not this folder, and no installation needed
    from blobnet.cli import main

    sys.exit(main(["convert_annoset", *sys.argv[1:]]))
