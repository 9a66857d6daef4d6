"""Scripts for PostgreSQL: read here as COPY does, and, where it is installed, run by PostgreSQL and pgvector."""

import contextlib
import glob
import json
import os
import pwd
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pytest
from any_codes import AWKWARD, TEXTS, any_codes
from hypothesis import given, settings
from hypothesis import strategies as st

from blobnet.errors import DataError
from blobnet.hashing.codes import Codes
from blobnet.hashing.exchange.sql import write_sql
from blobnet.hashing.index import HammingIndex
from blobnet.hashing.packing import unpack

EXTENSION = "CREATE EXTENSION IF NOT EXISTS vector"
SIGNS = {"t": "\t", "n": "\n", "r": "\r"}


def bits_of(codes):
    return ["".join(map(str, row)) for row in unpack(codes.packed, codes.bits).tolist()]


def unescaped(text):
    """A field of COPY's text format, by the words of PostgreSQL's manual."""
    return re.sub(r"\\(.)", lambda found: SIGNS.get(found[1], found[1]), text, flags=re.DOTALL)


def script(codes, folder, **options):
    write_sql(codes, folder / "codes.sql", **options)
    return (folder / "codes.sql").read_bytes().decode()  # no line ends are changed


@settings(max_examples=60, deadline=None)
@given(any_codes())
def test_every_item_has_its_line(tmp_path_factory, codes):
    lines = script(codes, tmp_path_factory.getbasetemp()).split("\n")
    start = next(number for number, line in enumerate(lines) if line.startswith("COPY "))
    assert all(line.startswith("--") for line in lines[:2]) and lines[start + len(codes) + 1] == "\\."
    assert not any("\r" in line for line in lines)  # COPY takes it for a line's end
    rows = [line.split("\t") for line in lines[start + 1:start + len(codes) + 1]]
    ids = list(range(len(codes))) if codes.ids is None else codes.ids.tolist()
    assert [unescaped(row[0]) for row in rows] == list(map(str, ids))
    assert [row[1] for row in rows] == bits_of(codes)
    if codes.labels is not None and codes.labels.ndim == 1:
        assert [[unescaped(field) for field in row[2:]] for row in rows] == [
            [str(label)] + ([] if codes.classes is None else [codes.classes[label]]) for label in codes.labels.tolist()]
    assert all(line == "" or line.startswith(("--", "CREATE ", "ANALYZE ")) for line in lines[start + len(codes) + 2:])


@pytest.mark.parametrize("rest, options, words", [
    ({"ids": ["a", "a", "b"]}, {}, "the id 'a' 2 times"),
    ({"ids": ["a\0b", "c", "d"]}, {}, r"without NUL.*got 'a\\x00b"), ({"ids": ["\udcff", "c", "d"]}, {}, r"\\udcff"),
    ({}, {"table": ""}, "1 to 63 bytes, got ''"), ({}, {"table": "ü" * 32}, "1 to 63 bytes"),
])
def test_errors(tmp_path, rest, options, words):
    with pytest.raises(DataError, match=words):
        write_sql(Codes.from_bits(np.eye(3), **rest), tmp_path / "a.sql", **options)
    assert not list(tmp_path.iterdir())
    with pytest.raises(DataError, match="64000 bits"):
        write_sql(Codes(np.zeros((1, 8001), np.uint8), 64_008), tmp_path / "a.sql")


def programs():
    """The folder of PostgreSQL's programs: that of the path, or Debian's newest; None without."""
    found = [shutil.which("initdb"), *sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"), reverse=True)]
    folders = [Path(path).resolve().parent for path in found if path]
    return next((folder for folder in folders if (folder / "pg_ctl").exists() and (folder / "psql").exists()), None)


class Server:
    """A PostgreSQL of the test's own, which listens to a socket in its folder alone."""

    def __init__(self, folder):
        self.folder, self.bin = folder, programs()
        self.user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []  # it refuses to run as root
        data = str(folder / "data")
        self.run("initdb", "-D", data, "-U", "postgres", "-E", "UTF8", "--locale=C", "-A", "trust")
        self.run("pg_ctl", "-D", data, "-w", "-l", str(folder / "log"), "start", "-o",
                 f"-k {folder} -c listen_addresses='' -c fsync=off")

    def run(self, program, *words):
        subprocess.run([*self.user, self.bin / program, *words], check=True, stdout=subprocess.DEVNULL, cwd="/")

    def stop(self):
        self.run("pg_ctl", "-D", str(self.folder / "data"), "-m", "immediate", "stop")

    def psql(self, text):
        """What a script, given as text, prints."""
        words = ["-h", self.folder, "-U", "postgres", "-v", "ON_ERROR_STOP=1"]
        done = subprocess.run([self.bin / "psql", "-XqAt", *words], input=text.encode(), capture_output=True, cwd="/")
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    def rows(self, query):
        return json.loads(self.psql(f"SELECT coalesce(json_agg(to_json(t)), '[]') FROM ({query}) t;"))


@pytest.fixture(scope="module")
def server():
    if programs() is None:
        pytest.skip("PostgreSQL is not installed: the scripts are not run. Debian: apt-get install postgresql")
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        if os.geteuid() == 0:
            try:
                shutil.chown(folder, pwd.getpwnam("postgres").pw_uid)
            except KeyError:
                pytest.skip("PostgreSQL does not run as root, and there is no user postgres: the scripts are not run")
        server = Server(folder)
        stack.callback(server.stop)
        yield server


@pytest.fixture(scope="module")
def pgvector(server):
    if not server.rows("SELECT 1 FROM pg_available_extensions WHERE name = 'vector'"):
        pytest.skip("pgvector is not installed: its search is not tested. Debian 13 has it as postgresql-17-pgvector")
    return server


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(any_codes(), st.sampled_from(["codes", 'a "b"', "SELECT", "ü\n\\.\n"]))
def test_postgresql_reads_every_item(server, tmp_path_factory, codes, table):
    text, quoted = script(codes, tmp_path_factory.getbasetemp(), table=table), '"' + table.replace('"', '""') + '"'
    server.psql(text[:text.index(EXTENSION)])
    try:
        found = server.rows(f"SELECT * FROM {quoted}")
    finally:
        server.psql(f"DROP TABLE {quoted};")
    expected = {"id": list(range(len(codes))) if codes.ids is None else codes.ids.tolist(), "code": bits_of(codes)}
    if codes.ids is not None and codes.ids.dtype == np.uint64:
        expected["id"] = list(map(str, expected["id"]))
    if codes.labels is not None:
        several = codes.labels.ndim == 2
        numbers = [np.flatnonzero(row).tolist() for row in codes.labels] if several else codes.labels.tolist()
        names = ("labels", "classes") if several else ("label", "class")
        expected[names[0]] = numbers
        if codes.classes is not None:
            expected[names[1]] = [codes.label_names(item) if several else codes.label_names(item)[0]
                                  for item in range(len(codes))]
    assert found == [dict(zip(expected, row)) for row in zip(*expected.values())]


@pytest.mark.slow
@given(st.lists(TEXTS, max_size=300, unique=True))
@settings(max_examples=20, deadline=None)
def test_postgresql_reads_all_texts(server, tmp_path_factory, texts):
    ids = list(dict.fromkeys([*AWKWARD, *texts]))
    codes = Codes.from_bits(np.zeros((len(ids), 3)), ids=np.array(ids))
    text = script(codes, tmp_path_factory.getbasetemp(), table="texts")
    server.psql(text[:text.index(EXTENSION)])
    try:
        assert [row["id"] for row in server.rows("SELECT id FROM texts")] == codes.ids.tolist()
    finally:
        server.psql("DROP TABLE texts;")


@pytest.mark.slow
@pytest.mark.parametrize("bits", [7, 48, 100])
def test_pgvector_searches(pgvector, tmp_path, bits):
    rng = np.random.default_rng(5)
    base, queries = (Codes.from_bits(rng.integers(0, 2, (count, bits))) for count in (2000, 5))
    text = script(base, tmp_path)
    pgvector.psql(text)
    try:
        found = HammingIndex(base).search(queries, top=2000)
        asked = re.search(r"-- (SELECT .*)\n-- (.*);\n", text)
        for query, code in enumerate(bits_of(queries)):
            one = " ".join(asked.groups()).replace(bits_of(base)[0], code)
            exact = found.distances[found.offsets[query]:found.offsets[query + 1]]
            plan = pgvector.psql(f"EXPLAIN {one};")
            assert "Index Scan" in plan
            assert [row["distance"] for row in pgvector.rows(one)] == pytest.approx(exact[:10], abs=3)
            rows = json.loads(pgvector.psql(
                f"SET enable_indexscan = off; SELECT json_agg(t) FROM (SELECT id, code <~> B'{code}' AS distance "
                f"FROM codes ORDER BY 2, 1) t;"))
            assert [row["id"] for row in rows] == found.indices[found.offsets[query]:found.offsets[query + 1]].tolist()
            assert [row["distance"] for row in rows] == exact.tolist()
    finally:
        pgvector.psql("DROP TABLE codes;")
