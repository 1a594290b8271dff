"""A real PostgreSQL, started here, answers from an export as our search does."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from hashgnn import HashGNN
from hashgnn.errors import InputError
from hashgnn.recommender.export import write_postgresql
from tests.docs.blocks import blocks
from tests.helpers import run_hashgnn as run

K, BITS = 12, 20  # the last byte of a code holds four bits
# Ids that COPY must not take for anything else.
ODD = ["a\tb", "a\\b", "a\nb", "a\rb", "\\N", "\\.", "é 'x' \"y\""]


def program(name: str) -> str | None:
    """A program of the PostgreSQL on the path, or else of Debian's, which is not on it."""
    debian = [str(path) for path in sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))]
    first = shutil.which("initdb") or next(reversed(debian), None)
    return first and shutil.which(name, path=str(Path(first).resolve().parent))


class Server:
    """A PostgreSQL on a socket in ``folder``, which is no root's, as it refuses to be."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.user = None if os.geteuid() else pwd.getpwnam("nobody").pw_name
        if self.user:
            shutil.chown(folder, self.user)
        data = str(folder / "data")
        self._run("initdb", "--no-sync", "--auth=trust", "--username=test", "--encoding=UTF8", data)
        options = f"-k {folder} -c listen_addresses='' -c fsync=off"
        self._control = ("pg_ctl", "--silent", "--wait", f"--pgdata={data}")
        self._run(*self._control, f"--log={folder}/log", f"--options={options}", "start")

    def _run(self, name: str, *arguments: str, given: str = "") -> str:
        command = [str(program(name)), *arguments]
        with tempfile.TemporaryFile() as out:  # no pipe, which the server would keep open
            ran = subprocess.run(
                command,
                input=given.encode(),
                stdout=out,
                stderr=subprocess.STDOUT,
                user=self.user,
                cwd=self.folder,
                check=False,
            )
            out.seek(0)
            text = out.read().decode()
        assert ran.returncode == 0, text
        return text

    def psql(self, sql: str) -> list[list[str]]:
        """Run ``sql`` and return the rows of what it prints."""
        options = ("-v", "ON_ERROR_STOP=1", "-qAtX", "-U", "test", "-d", "postgres")
        separators = ("-F", "\x1f", "-R", "\x1e")  # of ASCII, which no id has
        printed = self._run("psql", "-h", str(self.folder), *options, *separators, given=sql)
        return [row.split("\x1f") for row in printed.removesuffix("\n").split("\x1e") if row]

    def stop(self) -> None:
        self._run(*self._control, "--mode=immediate", "stop")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    for name in ("initdb", "pg_ctl", "postgres", "psql"):
        if program(name) is None:
            pytest.skip(f"PostgreSQL's {name} is missing: apt-get install postgresql")
    with tempfile.TemporaryDirectory(prefix="pg-") as folder:  # a socket's path has 107 bytes
        started = Server(Path(folder))
        yield started
        started.stop()


@pytest.fixture(scope="module")
def model() -> HashGNN:
    users = [f"u{n // 6}" for n in range(240)]
    items = [(7 * n + n // 6) % 70 for n in range(240)]
    named = [ODD[item] if item < len(ODD) else f"sku {item}" for item in items]
    return HashGNN(BITS, method="puresvd").fit((users, named))


@pytest.fixture(scope="module")
def loaded(server: Server, model: HashGNN, tmp_path_factory: pytest.TempPathFactory) -> Server:
    folder = tmp_path_factory.mktemp("postgresql")
    model.save(folder / "model")
    ran = run("export", folder / "model", "--output", folder / "out", "--format", "postgresql")
    assert ran.stdout == f"{folder / 'out/codes.sql'}\n", ran.output
    for _ in range(2):  # the second replaces the first
        server.psql((folder / "out/codes.sql").read_text())
    return server


def page(word: str) -> str:
    """The query of the page on serving that has ``word``."""
    (sql,) = (code for code in blocks("docs/serving.md", "sql") if word in code)
    return sql


def distances(model: HashGNN, user: int) -> dict[str, int]:
    found = model.model_
    codes = np.asarray(found.users.codes)[user : user + 1]
    rows, values = found.index.hamming(codes, len(found.item_ids))
    return dict(zip(found.item_ids.at(rows[0]), values[0].tolist(), strict=True))


def test_every_id_arrives(loaded: Server, model: HashGNN) -> None:
    ids = [
        bytes.fromhex(row[0]).decode()
        for row in loaded.psql("SELECT encode(convert_to(id, 'UTF8'), 'hex') FROM hashgnn_items")
    ]
    assert sorted(ids) == sorted(model.model_.item_ids.text)
    assert set(ODD) <= set(ids)


def test_codes_and_vectors_arrive(loaded: Server, model: HashGNN) -> None:
    rows = loaded.psql("SELECT id, code, array_to_string(vector, ' ') FROM hashgnn_users")
    places = model.model_.user_ids.rows([row[0] for row in rows], "user")
    codes = np.array([list(row[1]) for row in rows], dtype=np.uint8)
    vectors = np.array([row[2].split() for row in rows], dtype=np.float32)

    users = model.model_.users.rows(places)
    expected = np.unpackbits(np.asarray(users.codes), axis=1, count=BITS, bitorder="little")
    np.testing.assert_array_equal(codes, expected)
    np.testing.assert_array_equal(vectors, np.asarray(users.vectors))


def test_the_pages_query_finds_what_our_search_finds(loaded: Server, model: HashGNN) -> None:
    for user in range(0, 40, 9):
        name = model.model_.user_ids.text[user]
        rows = loaded.psql(page("SELECT i.id, bit_count(").replace("'anna'", f"'{name}'"))
        expected = distances(model, user)

        found = [int(distance) for _, distance in rows]
        assert found == sorted(expected.values())[:10]
        assert all(expected[id_] == int(distance) for id_, distance in rows)


def test_the_pages_re_ranking_finds_what_hierarchical_search_finds(
    loaded: Server, model: HashGNN
) -> None:
    rows = loaded.psql(page("unnest(").replace("'anna'", "'u7'"))

    expected = model.recommend("u7", 10, exclude_known=False)
    np.testing.assert_allclose([float(score) for _, score in rows], expected.score, rtol=1e-4)


def test_pgvector(loaded: Server, model: HashGNN) -> None:
    if not loaded.psql("SELECT 1 FROM pg_available_extensions WHERE name = 'vector'"):
        pytest.skip("pgvector is missing in this PostgreSQL: apt-get install postgresql-*-pgvector")
    loaded.psql(page("CREATE EXTENSION"))
    query = page("<~>").replace("'anna'", "'u7'")
    by_index = f"SET enable_seqscan = off; {query}"  # which costs more than a scan of 70 items
    plan = loaded.psql(by_index.replace("SELECT id", "EXPLAIN SELECT id", 1))
    assert "Index Scan using hashgnn_items_code_idx" in str(plan)

    user = model.model_.user_ids.text.get_loc("u7")
    expected = distances(model, user)
    for asked in (query, by_index):
        rows = loaded.psql(asked)
        assert [float(distance) for _, distance in rows] == sorted(expected.values())[:10]
        assert all(expected[id_] == float(distance) for id_, distance in rows)


def test_integer_ids_are_integers(server: Server, tmp_path: Path) -> None:
    users = [n // 6 for n in range(240)]
    items = [2**63 + (7 * n + n // 6) % 70 for n in range(240)]
    model = HashGNN(16, method="puresvd").fit((users, np.array(items, dtype=np.uint64)))
    write_postgresql(tmp_path, model.model_)
    server.psql((tmp_path / "codes.sql").read_text())

    kinds = "SELECT pg_typeof(u.id), pg_typeof(i.id) FROM hashgnn_users u, hashgnn_items i LIMIT 1"
    assert server.psql(kinds) == [["bigint", "numeric"]]
    assert server.psql("SELECT min(id) FROM hashgnn_items") == [[str(2**63)]]


def test_an_id_that_text_cannot_hold_is_refused(tmp_path: Path) -> None:
    users = [f"u{n // 6}" for n in range(240)]
    items = [f"i{(7 * n + n // 6) % 70}\0" for n in range(240)]
    model = HashGNN(16, method="puresvd").fit((users, items))

    with pytest.raises(InputError, match=r"format postgresql: id 'i0[\\]x00': text has no NUL"):
        write_postgresql(tmp_path, model.model_)
