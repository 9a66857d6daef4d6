"""Where the writers of the documentation's pages are."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent.parent / "tools/docs"))
