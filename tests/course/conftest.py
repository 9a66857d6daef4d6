"""A lesson of the course that is run."""

import re
import runpy
import sys

import numpy as np
import pytest
from course_lessons import COURSE


@pytest.fixture
def lesson(tmp_path, monkeypatch, capsys):
    """Run a lesson with some options in an empty folder; what it prints, a text for each section by its number."""
    def run(name, *options):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", [name, *options])
        with np.printoptions():
            runpy.run_path(str(COURSE / f"{name}.py"), run_name="__main__")
        sections = re.split(r"^(\d+)\. ", capsys.readouterr().out, flags=re.MULTILINE)[1:]
        assert [int(number) for number in sections[::2]] == list(range(1, len(sections) // 2 + 1))
        assert sections[-1].startswith("Your turn\n   ")
        return dict(zip(map(int, sections[::2]), sections[1::2]))

    return run
