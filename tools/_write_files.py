"""The command line of the tools that write prototxt files."""

import argparse
from collections.abc import Mapping
from pathlib import Path


def write_files(files: Mapping[str, str], folder: Path, description: str | None) -> None:
    """Write the texts by their names into the folder on the command line, or into `folder`."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", metavar="FOLDER", nargs="?", type=Path, default=folder, help="where to write them")
    folder = parser.parse_args().folder
    if not folder.is_dir():
        parser.error(f"there is no folder {str(folder)!r}")
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
