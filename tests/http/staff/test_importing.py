"""Importing accounts through the API and the command line, and printing their slips."""

from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from survey_service import cli
from survey_service.core.db import Database
from tests.factories.applications import make_app
from tests.factories.organizations.files import csv_file
from tests.factories.staff.offices import Offices, open_offices
from tests.http.staff.test_staff import sign_in
from tests.support.pdf import words_of

HEADINGS = ("姓名", "用户名", "角色", "组织编码")
GOOD = ("张三", "zhang.san", "党支部书记", "village")
BAD = ("李四", "", "皇帝", "nowhere")


def upload(client: FlaskClient, *rows: tuple[str, ...], by: str = "town.staff", path: str = "") -> Any:
    file = (BytesIO(csv_file(*rows, headings=HEADINGS)), "人员.csv")
    return client.post(f"/api/v1/staff/import{path}", data={"file": file}, headers=sign_in(client, by))


def test_a_sheet_gives_accounts_and_their_slips(client: FlaskClient) -> None:
    answer = upload(client, GOOD)
    assert (answer.status_code, answer.json["created"]) == (201, 1)
    [made] = answer.json["items"]
    assert (made["staff"]["username"], made["staff"]["has_signed_in"]) == ("zhang.san", False)
    headers, body = sign_in(client, "town.staff"), {"slips": answer.json["slips"]}
    pdf = client.post("/api/v1/staff/slips", json=body, headers=headers)
    assert (pdf.status_code, made["password"] in words_of(pdf.data)) == (200, True)
    assert made["password"] not in answer.json["slips"]
    assert sign_in(client, "zhang.san", made["password"])


def test_slips_are_for_the_one_who_made_them(client: FlaskClient) -> None:
    body = {"slips": upload(client, GOOD).json["slips"]}
    for by, status in (("county.admin", 403), ("town.secretary", 403), ("town.staff", 200)):
        answer = client.post("/api/v1/staff/slips", json=body, headers=sign_in(client, by))
        assert answer.status_code == status


def test_a_refused_sheet_names_every_bad_row(client: FlaskClient) -> None:
    answer = upload(client, GOOD, BAD)
    assert (answer.status_code, answer.json["code"], list(answer.json["errors"])) == (
        422,
        "invalid_rows",
        ["3"],
    )
    accounts = client.get("/api/v1/staff", headers=sign_in(client, "town.staff")).json["items"]
    assert "zhang.san" not in [one["username"] for one in accounts]
    assert upload(client, GOOD, BAD, path="/errors").data.startswith(b"PK")


@pytest.mark.parametrize(("by", "status"), [("town.secretary", 403), ("county.auditor", 403)])
def test_who_may_not_import(client: FlaskClient, by: str, status: int) -> None:
    assert upload(client, GOOD, by=by).status_code == status


def test_the_template_is_handed_out(client: FlaskClient) -> None:
    answer = client.get("/api/v1/staff/import-template.xlsx", headers=sign_in(client, "town.staff"))
    assert answer.data.startswith(b"PK")


@pytest.fixture
def people(
    committing_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Offices, Path]:
    """The small world behind the command line, and a folder."""
    monkeypatch.setattr(cli, "_app", lambda: make_app(tmp_path, committing_database))
    with committing_database.unit_of_work() as session:
        return open_offices(session), tmp_path


def command(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli.main, ["staff", *words])
    return result.exit_code, result.stdout


def test_the_operator_resets_and_shuts_any_account(people: tuple[Offices, Path]) -> None:
    code, password = command("reset", "--username", "County.Admin")
    assert (code, len(password.strip())) == (0, 14)
    assert command("disable", "--username", "county.auditor") == (0, "county.auditor is disabled.\n")
    assert command("reset", "--username", "nobody")[0] == 1


def run(folder: Path, *rows: tuple[str, ...], more: tuple[str, ...] = ()) -> tuple[int, str, str]:
    file = folder / "people.csv"
    file.write_bytes(csv_file(*rows, headings=HEADINGS))
    result = CliRunner().invoke(cli.main, ["staff", "import", str(file), *more])
    return result.exit_code, result.stdout, result.stderr


def test_the_command_prints_each_password_once(people: tuple[Offices, Path]) -> None:
    code, lines, report = run(people[1], GOOD)
    username, password, name, _ = lines.strip().split("\t")
    assert (code, username, name, report) == (0, "zhang.san", "张三", "created 1\n")
    assert len(password) == 14


def test_the_command_names_every_bad_row(people: tuple[Offices, Path]) -> None:
    code, lines, report = run(people[1], GOOD, BAD)
    assert (code, lines) == (1, "")
    assert "第 3 行：不认识角色“皇帝”" in report


def test_the_command_writes_slips_that_only_the_owner_reads(people: tuple[Offices, Path]) -> None:
    slips = people[1] / "slips.pdf"
    assert run(people[1], GOOD, more=("--slips", str(slips)))[:2] == (0, "created 1\n")
    assert slips.stat().st_mode & 0o777 == 0o600
    assert "zhang.san" in words_of(slips.read_bytes())
    code, _, report = run(people[1], ("李四", "", *GOOD[2:]), more=("--slips", str(slips)))
    assert (code, "Cannot write" in report) == (1, True)
