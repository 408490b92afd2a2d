"""`survey-service audit`: the head to be kept, and the check against what was kept."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from survey_service import cli
from survey_service.core.db import Database
from tests.factories.applications import make_app
from tests.factories.auditing.chain import append, read_chain, tamper
from tests.factories.organizations.files import csv_file


@pytest.fixture
def database(committing_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Database:
    """The database that the commands work with; the fixture closes it behind them."""
    monkeypatch.setattr(cli, "_app", lambda: make_app(tmp_path, committing_database))
    return committing_database


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli.main, arguments)


def verify(heads: Path | None = None) -> tuple[int, str]:
    result = run("audit", "verify", *(["--head", str(heads)] if heads else []))
    return result.exit_code, result.stderr


@pytest.fixture
def heads(database: Database, tmp_path: Path) -> Path:
    """Return a file of heads that somebody kept: after the second and after the fifth entry."""
    path = tmp_path / "heads.txt"
    append(database, "a", "b")
    kept = run("audit", "head").stdout
    append(database, "c", "d", "e")
    path.write_text(kept + run("audit", "head").stdout)
    append(database, "f")
    return path


def test_a_head_is_a_number_and_a_digest(database: Database) -> None:
    assert run("audit", "head").stdout == f"0 {'0' * 64}\n"
    append(database, "a")
    assert run("audit", "head").stdout == f"1 {read_chain(database)[0].digest}\n"


def test_a_whole_chain_is_whole(database: Database, heads: Path) -> None:
    assert verify() == (0, "")
    assert verify(heads) == (0, "")


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("UPDATE audit_entry SET actor = 'x' WHERE seq = 3", "entry 3: was altered"),
        ("DELETE FROM audit_entry WHERE seq = 3", "entry 3: is missing"),
        ("DELETE FROM audit_entry WHERE seq = 6", "entry 6: is missing"),
        ("DELETE FROM audit_head", "entry 7: is missing"),
    ],
)
def test_the_first_bad_entry_is_named(database: Database, heads: Path, statement: str, sentence: str) -> None:
    tamper(database, statement)
    code, said = verify(heads)
    assert (code, said.startswith(sentence)) == (1, True), said


def test_reordered_entries_are_named(database: Database, heads: Path) -> None:
    swapping = ("SET seq = -3 WHERE seq = 3", "SET seq = 3 WHERE seq = 4", "SET seq = 4 WHERE seq = -3")
    tamper(database, *(f"UPDATE audit_entry {change}" for change in swapping))
    code, said = verify()
    assert (code, said.startswith("entry 3: does not follow the entry before it")) == (1, True)


def test_a_tail_cut_off_is_missed_by_a_known_head(database: Database, heads: Path) -> None:
    digest = read_chain(database)[2].digest
    tamper(
        database,
        "DELETE FROM audit_entry WHERE seq > 3",
        f"UPDATE audit_head SET seq = 3, digest = '{digest}'",
    )
    assert verify() == (0, ""), "nobody can tell without a known head"
    code, said = verify(heads)
    assert (code, said.startswith("entry 4: is missing")) == (1, True)


def test_a_chain_of_another_installation_is_noticed(database: Database, tmp_path: Path) -> None:
    append(database, "a", "b")
    foreign = tmp_path / "foreign.txt"
    foreign.write_text(f"2 {'f' * 64}\n")
    code, said = verify(foreign)
    assert (code, said.startswith("entry 2: is not the one that was known")) == (1, True)


@pytest.mark.parametrize("content", ["nonsense\n", "", "\n"])
def test_a_file_that_holds_no_heads_is_refused(database: Database, tmp_path: Path, content: str) -> None:
    nonsense = tmp_path / "nonsense.txt"
    nonsense.write_text(content)
    code, said = verify(nonsense)
    assert code == 2
    assert "no head of an audit trail" in said


def test_an_exported_trail_is_checked_without_its_database(
    database: Database, heads: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *rest = run("export", "audit").stdout.splitlines(keepends=True)
    monkeypatch.delattr(cli, "_app")
    trail = tmp_path / "trail.jsonl"

    def check(*lines: str) -> tuple[int, str]:
        trail.write_text("".join(lines))
        result = run("audit", "verify", "--file", str(trail), "--head", str(heads))
        return result.exit_code, result.stderr.partition(":")[0]

    assert check(first, *rest) == (0, "")
    assert check(first, *rest[1:]) == (1, "entry 2")
    assert check(first, rest[1], rest[0], *rest[2:]) == (1, "entry 2")
    assert check(first.replace('"a"', '"b"'), *rest) == (1, "entry 1")
    assert check(first, "nonsense\n", *rest) == (1, "entry 2")
    assert check(first, *rest[:2]) == (1, "entry 4"), "a known head misses what was cut off"


def test_a_database_that_does_not_answer_is_said_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", "postgresql://survey:hidden@127.0.0.1:1/survey?connect_timeout=2")
    result = run("audit", "verify")
    assert (result.exit_code, result.stderr.startswith("Error: The database does not answer: ")) == (1, True)
    assert result.stderr.count("\n") == 1
    assert "hidden" not in result.stderr


def test_what_the_operator_does_is_recorded(database: Database, tmp_path: Path) -> None:
    sheet = tmp_path / "town.csv"
    sheet.write_bytes(csv_file(("C1", "县", "", "county")))
    assert run("organizations", "import", str(sheet)).exit_code == 0
    role = ("--role", "auditor", "--organization", "C1")
    assert run("staff", "create", "--username", "auditor", *role).exit_code == 0
    entries = read_chain(database)
    assert [(entry.actor, entry.action, entry.target) for entry in entries] == [
        ("operator", "organizations.import", "organizations"),
        ("operator", "staff.create", "staff:auditor"),
    ]
    assert verify() == (0, "")
