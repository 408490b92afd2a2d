"""What an attacker carries away: rows with their places and transactions, dumps, raw files, logs."""

import re
import sqlite3
import struct
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import make_url

from scripts.system_packages import postgresql_binaries
from tests.journeys.attacker.attacks import Found, Row
from tests.journeys.attacker.voters import Voter
from tests.support.patience import PATIENCE_SECONDS
from tests.support.postgresql import PostgresCluster

KNOWN = re.compile(r'"known":"(\d+)"|第(\d+)条')


@dataclass(frozen=True)
class Loot:
    """Rows that stand for voters, rows that hold answers, and the bytes of a dump or file."""

    voters: Found
    answers: Found
    content: bytes = b""


@dataclass
class Sorter:
    """Turns what stands in files into rows: whoever knows the voters can tell whose digest a digest is."""

    voters: Sequence[Voter]
    by_digest: dict[bytes, Voter] = field(init=False)
    by_receipt: dict[str, Voter] = field(init=False)
    by_known: dict[int, Voter] = field(init=False)

    def __post_init__(self) -> None:
        self.by_digest = {voter.digest: voter for voter in self.voters}
        self.by_receipt = {voter.receipt: voter for voter in self.voters}
        self.by_known = {voter.known: voter for voter in self.voters}

    def participation(self, digest: bytes, came: int | None = None) -> Row:
        voter = self.by_digest[digest]
        return Row(voter.pile, voter.known, came)

    def receipt(self, receipt: str, came: int | None = None) -> Row:
        voter = self.by_receipt[receipt]
        return Row(voter.pile, voter.known, came)

    def answer(self, words: str, came: int | None = None) -> Row:
        """Return the row of a ballot or a text; of a text nobody can see by which code it came."""
        found = KNOWN.search(words)
        assert found is not None, words
        voter = self.by_known[int(found[1] or found[2])]
        return Row(voter.pile, voter.known, came)

    @property
    def arrivals(self) -> list[Row]:
        """The voters in the order in which they came, as somebody saw them who stood at the door."""
        return [Row(voter.pile, voter.known) for voter in self.voters]


def _place(url: str) -> str:
    parsed = make_url(url)
    host, port = parsed.query["host"], parsed.query["port"]
    return f"host={host} port={port} user={parsed.username} dbname={parsed.database}"


def query(url: str, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(_place(url), autocommit=True) as connection:
        return connection.execute(statement.encode()).fetchall()


def command(url: str, statement: str) -> None:
    with psycopg.connect(_place(url), autocommit=True) as connection:
        connection.execute(statement.encode())


TABLES = {
    "participation": "digest",
    "receipt": "receipt",
    "ballot": "answers",
    "ballot_text": "text",
}


def system_columns(url: str, sort: Sorter) -> Loot:
    """Read the live rows in the order of their places, with the transactions that wrote them."""
    readers: Mapping[str, Callable[..., Row]] = _readers(sort)
    found = {
        table: [
            readers[table](value, came)
            for value, came in query(url, f"SELECT {column}, xmin::text::bigint FROM {table} ORDER BY ctid")
        ]
        for table, column in TABLES.items()
    }
    return _split(found)


def _readers(sort: Sorter) -> Mapping[str, Callable[..., Row]]:
    return {
        "participation": sort.participation,
        "receipt": sort.receipt,
        "ballot": sort.answer,
        "ballot_text": sort.answer,
    }


def _split(found: Mapping[str, list[Row]], content: bytes = b"") -> Loot:
    voters = {name: found[name] for name in ("participation", "receipt") if found[name]}
    return Loot(voters, {name: found[name] for name in ("ballot", "ballot_text")}, content)


def dead_and_living(url: str, sort: Sorter) -> Loot:
    """Read every version of a row that the pages still hold, dead ones as well."""
    command(url, "CREATE EXTENSION IF NOT EXISTS pageinspect")
    found: dict[str, list[Row]] = {}
    for table, column in TABLES.items():
        number = query(
            url,
            f"SELECT attnum FROM pg_attribute WHERE attrelid = '{table}'::regclass AND attname = '{column}'",
        )[0][0]
        versions = query(
            url,
            f"SELECT item.t_attrs[{number}], item.t_xmin::text::bigint "
            f"FROM generate_series(0, pg_relation_size('{table}') / 8192 - 1) AS page, "
            f"heap_page_item_attrs(get_raw_page('{table}', page::int), '{table}', true) AS item "
            "WHERE item.t_xmin IS NOT NULL ORDER BY page, item.lp",
        )
        read = _readers(sort)[table]
        found[table] = [
            read(raw if table == "participation" else raw.decode(), came) for raw, came in versions
        ]
    return _split(found)


def dump(url: str, sort: Sorter) -> Loot:
    """Write the database out as text, and read the rows in their order there."""
    folder = postgresql_binaries()
    assert folder is not None
    done = subprocess.run([str(folder / "pg_dump"), "-d", _place(url)], capture_output=True, check=True)
    content = done.stdout
    found = {
        "participation": [
            sort.participation(bytes.fromhex(line[1].removeprefix("\\\\x")))
            for line in _copied(content, "participation")
        ],
        "receipt": [sort.receipt(line[0]) for line in _copied(content, "receipt")],
        "ballot": [sort.answer(line[-1]) for line in _copied(content, "ballot")],
        "ballot_text": [sort.answer(line[-1]) for line in _copied(content, "ballot_text")],
    }
    return _split(found, content)


def _copied(content: bytes, table: str) -> list[list[str]]:
    block = re.search(rf"^COPY public\.{table} \(.*?^\\\.$", content.decode(), re.MULTILINE | re.DOTALL)
    assert block is not None
    return [line.split("\t") for line in block[0].splitlines()[1:-1]]


def database_files(url: str, cluster: PostgresCluster) -> bytes:
    """Return every byte of the database's own files, after everything was written to them."""
    command(url, "CHECKPOINT")
    ((number,),) = query(url, "SELECT oid FROM pg_database WHERE datname = current_database()")
    folder = cluster.folder / "data" / "base" / str(number)
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file())


def sqlite_files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("survey.sqlite3*")}


def sqlite_rows(folder: Path, sort: Sorter) -> Loot:
    """Read the rows in the order in which their bytes stand in the file, newest cell of a page first."""
    content = (folder / "survey.sqlite3").read_bytes()
    found = {
        table: [
            _readers(sort)[table](value)
            for value in sorted(_column(folder, table), key=lambda value: content.find(_bytes(value)))
        ]
        for table in TABLES
    }
    return _split(found, content)


def _column(folder: Path, table: str) -> list[Any]:
    with closing(sqlite3.connect(f"file:{folder / 'survey.sqlite3'}?mode=ro", uri=True)) as connection:
        return [value for (value,) in connection.execute(f"SELECT {TABLES[table]} FROM {table}")]


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def begin_log(folder: Path) -> None:
    """Let the write-ahead log begin anew, as it does by itself whenever a thousand pages stand in it."""
    with closing(sqlite3.connect(folder / "survey.sqlite3", timeout=PATIENCE_SECONDS)) as connection:
        is_busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    assert not is_busy


def sqlite_log(folder: Path, sort: Sorter) -> Loot:
    """Read from the write-ahead log in which transaction each value appears for the first time."""
    seen = list(_transactions((folder / "survey.sqlite3-wal").read_bytes()))
    found = {
        table: [
            _readers(sort)[table](value, next((n for n, pages in seen if _bytes(value) in pages), None))
            for value in _column(folder, table)
        ]
        for table in TABLES
    }
    return _split(found)


def _transactions(log: bytes) -> Iterable[tuple[int, bytes]]:
    """Yield the pages of each transaction in a write-ahead log (sqlite.org/fileformat2.html, section 4)."""
    if len(log) < 32:
        return
    size, salt = struct.unpack(">I", log[8:12])[0], log[16:24]
    pages, number = b"", 0
    for start in range(32, len(log) - size - 23, 24 + size):
        header = log[start : start + 24]
        if header[8:16] != salt:
            return
        pages += log[start + 24 : start + 24 + size]
        if struct.unpack(">I", header[4:8])[0]:
            yield number, pages
            pages, number = b"", number + 1
