"""`python -m blobnet.pycaffe SCRIPT ARGUMENTS…` runs a script that imports caffe, as python itself would.

So do `-m MODULE ARGUMENTS…`, `-c CODE ARGUMENTS…` and, for a script on standard input, `- ARGUMENTS…`.
"""

from __future__ import annotations

import importlib.util
import os
import runpy
import sys
from pathlib import Path

from blobnet.pycaffe.glog import init_log
from blobnet.pycaffe.install import install_as_caffe

USAGE = "usage: python -m blobnet.pycaffe (SCRIPT.py | -m MODULE | -c CODE | -) ARGUMENTS…"


def main() -> None:
    """Run what the command line names, with Caffe's log on standard error.

    Processes that it starts find caffe as well: in the folder `path`, by the environment or a copy of sys.path.
    """
    kind, *rest = sys.argv[1:] or [""]
    if kind in ("-m", "-c"):
        if not rest:
            sys.exit(f"blobnet: {kind} needs {'a module' if kind == '-m' else 'code'}\n{USAGE}")
        sys.argv[:] = [kind, *rest[1:]]
    elif kind == "-":
        sys.argv[:] = [kind, *rest]
    elif not kind or kind.startswith("-"):
        sys.exit(USAGE)
    elif not os.path.exists(kind):
        sys.exit(f"blobnet: no script {kind!r}")
    else:
        del sys.argv[0]
    sys.path[0] = os.getcwd() if kind == "-m" else "" if kind in ("-c", "-") else os.path.dirname(os.path.abspath(kind))
    path = str(Path(__file__).with_name("path"))
    sys.path.insert(1, path)
    os.environ["PYTHONPATH"] = os.pathsep.join([path, *filter(None, [os.environ.get("PYTHONPATH")])])
    install_as_caffe()
    init_log()
    if kind == "-m":
        _run_module(rest[0])
    elif kind in ("-c", "-"):
        _run_code(*(rest[0], "<string>") if kind == "-c" else (sys.stdin.read(), "<stdin>"))
    else:
        runpy.run_path(kind, run_name="__main__")


def _run_module(name: str) -> None:
    try:
        found = importlib.util.find_spec(name) if name.strip(".") else None
    except ModuleNotFoundError as error:
        if not f"{name}.".startswith(f"{error.name}."):  # what the package around it imports is not there
            raise
        found = None
    if found is None:
        sys.exit(f"blobnet: no module {name!r}")
    runpy.run_module(name, run_name="__main__", alter_sys=True)


def _run_code(code: str, name: str) -> None:
    """Run `code` in the module __main__, in the place of this one."""
    module = type(sys)("__main__")
    module.__dict__["__builtins__"] = __builtins__
    sys.modules["__main__"] = module
    exec(compile(code, name, "exec", dont_inherit=True), module.__dict__)


if __name__ == "__main__":
    main()
