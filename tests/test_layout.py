"""Any files and folders of the tests run alone and together."""

from collections import Counter
from pathlib import Path

TESTS = Path(__file__).resolve().parent


def shared():
    """The modules and packages that test files import, by their stems."""
    modules = [path for path in TESTS.rglob("*.py") if not path.name.startswith("test_") and path.name != "conftest.py"]
    packages = {path.parent for path in modules if path.name == "__init__.py"}
    return [*(path for path in modules if path.parent not in packages), *packages]


def test_modules_of_one_name_do_not_meet(request):
    assert request.config.getoption("importmode") == "importlib"  # conftest.py and test files
    names = Counter(path.stem for path in shared())               # what is imported by its name
    assert max(names.values()) == 1, names.most_common(3)


def test_what_tests_share_is_found_from_everywhere(request):
    folders = {path.relative_to(request.config.rootpath).as_posix() for path in request.config.getini("pythonpath")}
    assert {path.parent.relative_to(TESTS.parent).as_posix() for path in shared()} == folders
