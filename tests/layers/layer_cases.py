"""The table of layers to try: the contract, the gradient check and the mutation test run over all of it.

Every registered type has a row at least.
"""

import importlib
from pathlib import Path

CASES = {}
for _path in sorted(Path(__file__).parent.glob("cases_*.py")):
    for _name, _row in importlib.import_module(_path.stem).CASES.items():
        if _name in CASES:
            raise KeyError(f"{_path.name}: {_name!r} is in another table")
        CASES[_name] = _row
