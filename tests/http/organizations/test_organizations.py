"""The API of organizations."""

from io import BytesIO
from urllib.parse import unquote

import pytest
from flask.testing import FlaskClient
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from survey_service.core.db import Database
from survey_service.core.exports import XLSX_TYPE
from survey_service.core.http import MULTIPART_BYTES
from survey_service.core.spreadsheet import MAX_FILE_BYTES, read_cells
from survey_service.organizations.queries import get_organization
from survey_service.organizations.rules import MAX_SIZE
from tests.factories.organizations.files import csv_file, sparse_xlsx, xlsx_file
from tests.factories.organizations.tree import create_organization
from tests.http.organizations.conftest import Caller

ORGANIZATIONS = "/api/v1/organizations"
IMPORT = f"{ORGANIZATIONS}/import"
TEMPLATE = f"{ORGANIZATIONS}/import-template.xlsx"
VILLAGE = ("v1", "溪头村", "tangxi", "village")


@pytest.fixture
def town(as_staff: Caller) -> dict[str, str]:
    return as_staff("town.staff")


def upload(
    client: FlaskClient, headers: dict[str, str], content: bytes, *, url: str = IMPORT, name: str = "组织.csv"
) -> TestResponse:
    # Encoded here, because the test client leaves the temporary file of a large form open.
    boundary, body = encode_multipart({"file": FileStorage(BytesIO(content), name)})
    return client.post(
        url, headers=headers, data=body, content_type=f"multipart/form-data; boundary={boundary}"
    )


def problem_of(answer: TestResponse) -> tuple[int, str]:
    assert answer.content_type == "application/problem+json"
    assert answer.json["detail"].endswith("。")
    return answer.status_code, answer.json["code"]


def test_the_own_organization_then_what_stands_under_it(client: FlaskClient, town: dict[str, str]) -> None:
    assert client.get(ORGANIZATIONS, headers=town).json == {
        "items": [
            {
                "code": "tangxi",
                "name": "tangxi 名称",
                "kind": "town",
                "parent_code": "county",
                "households": None,
                "members": None,
                "villagers": None,
                "is_roster_generated": False,
            }
        ],
        "next_cursor": None,
    }
    below = client.get(f"{ORGANIZATIONS}?parent=tangxi", headers=town).json["items"]
    assert [one["code"] for one in below] == ["village"]


def test_pages_follow_each_other(client: FlaskClient, town: dict[str, str], database: Database) -> None:
    with database.unit_of_work() as session:
        parent = get_organization(session, code="tangxi")
        for _ in range(150):
            create_organization(session, parent=parent)
    first = client.get(f"{ORGANIZATIONS}?parent=tangxi", headers=town).json
    rest = client.get(f"{ORGANIZATIONS}?parent=tangxi&cursor={first['next_cursor']}", headers=town).json
    assert (len(first["items"]), len(rest["items"]), rest["next_cursor"]) == (100, 51, None)
    assert len({one["code"] for one in first["items"] + rest["items"]}) == 151


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("parent=other", (403, "forbidden")),
        ("parent=county", (403, "forbidden")),
        ("parent=nowhere", (404, "not_found")),
        ("parent=", (422, "invalid")),
        ("cursor=x", (422, "invalid")),
    ],
)
def test_lists_that_are_refused(
    client: FlaskClient, town: dict[str, str], query: str, problem: tuple[int, str]
) -> None:
    assert problem_of(client.get(f"{ORGANIZATIONS}?{query}", headers=town)) == problem


def test_an_import_says_how_many(client: FlaskClient, town: dict[str, str]) -> None:
    content = csv_file(VILLAGE, ("village", "新名", "tangxi", "village"))
    answer = upload(client, town, content)
    assert (answer.status_code, answer.json) == (200, {"created": 1, "updated": 1})
    below = client.get(f"{ORGANIZATIONS}?parent=tangxi", headers=town).json["items"]
    assert [(one["code"], one["name"]) for one in below] == [("village", "新名"), ("v1", "溪头村")]


def test_a_large_workbook_is_above_the_limit_of_other_bodies(
    client: FlaskClient, town: dict[str, str]
) -> None:
    rows = [(f"v{number}", f"村{number}" + "长" * 80, "tangxi", "村") for number in range(3000)]
    content = csv_file(*rows)
    assert len(content) > 512 * 1024
    assert upload(client, town, content).json == {"created": 3000, "updated": 0}


def test_bad_rows_come_back_by_number_and_nothing_is_written(
    client: FlaskClient, town: dict[str, str]
) -> None:
    answer = upload(
        client, town, csv_file(VILLAGE, ("v2", "", "tangxi", "village"), ("v3", "村", "other", "村"))
    )
    assert problem_of(answer) == (422, "invalid_rows")
    assert answer.json["errors"] == {
        "3": ["缺少名称。"],
        "4": ["不在您的管理范围内，请联系上一级管理员导入。"],
    }
    assert len(client.get(f"{ORGANIZATIONS}?parent=tangxi", headers=town).json["items"]) == 1


@pytest.mark.parametrize(
    "content", [b"\x89PNG\r\n\0", b"", sparse_xlsx()], ids=["image", "nothing", "sparse"]
)
@pytest.mark.parametrize("url", [IMPORT, f"{IMPORT}/errors"])
def test_unreadable_files(client: FlaskClient, town: dict[str, str], content: bytes, url: str) -> None:
    answer = upload(client, town, content, url=url, name="组织.xlsx")
    assert problem_of(answer) == (422, "unreadable_file")
    assert answer.json["detail"].startswith("“组织.xlsx”")


def test_a_call_without_a_file(client: FlaskClient, town: dict[str, str]) -> None:
    answer = client.post(IMPORT, headers=town, data={})
    assert problem_of(answer) == (422, "invalid")
    assert answer.json["errors"] == {"file": ["请选择要导入的表格。"]}


def test_a_body_above_the_limit(client: FlaskClient, town: dict[str, str]) -> None:
    answer = upload(client, town, b"a" * (MAX_FILE_BYTES + MULTIPART_BYTES))
    assert problem_of(answer) == (413, "too_large")


def test_the_copy_with_the_errors_is_a_workbook(client: FlaskClient, town: dict[str, str]) -> None:
    content = xlsx_file(
        [("编码", "名称", "上级编码", "类别"), (1, "溪头村", "tangxi", "村"), (2, "", "tangxi", "村")]
    )
    answer = upload(client, town, content, url=f"{IMPORT}/errors", name="全县 组织.xlsx")
    assert (answer.status_code, answer.content_type) == (200, XLSX_TYPE)
    assert unquote(answer.headers["Content-Disposition"]).endswith("''全县 组织（标出错误）.xlsx")
    assert read_cells(answer.data)[2] == ["2", "", "tangxi", "村", "缺少名称。"]
    assert len(client.get(f"{ORGANIZATIONS}?parent=tangxi", headers=town).json["items"]) == 1


def test_the_template(client: FlaskClient, town: dict[str, str]) -> None:
    answer = client.get(TEMPLATE, headers=town)
    assert (answer.status_code, answer.content_type) == (200, XLSX_TYPE)
    assert read_cells(answer.data)[0][:4] == ["编码", "名称", "上级编码", "类别"]


def test_sizes_are_corrected(client: FlaskClient, town: dict[str, str]) -> None:
    url = f"{ORGANIZATIONS}/village"
    assert client.patch(url, headers=town, json={"households": 386, "members": 22.0}).status_code == 200
    answer = client.patch(url, headers=town, json={"households": None, "villagers": 0}).json
    assert (answer["households"], answer["members"], answer["villagers"]) == (None, 22, 0)
    assert client.patch(url, headers=town, json={}).json == answer


def test_sizes_that_are_refused(client: FlaskClient, town: dict[str, str]) -> None:
    for value in (-1, 1.5, "12", True, [], MAX_SIZE + 1, 1e308, 10**20):
        answer = client.patch(f"{ORGANIZATIONS}/village", headers=town, json={"members": value})
        assert problem_of(answer) == (422, "invalid"), value
        assert answer.json["errors"] == {"members": [f"请填 0 到 {MAX_SIZE} 之间的整数，不知道就留空。"]}


def test_numbers_that_json_does_not_know(client: FlaskClient, town: dict[str, str]) -> None:
    for value in ("NaN", "Infinity", "-Infinity"):
        answer = client.patch(
            f"{ORGANIZATIONS}/village",
            headers=town,
            data=f'{{"members": {value}}}',
            content_type="application/json",
        )
        assert answer.status_code in {400, 422}


def test_unknown_fields_are_refused(client: FlaskClient, town: dict[str, str]) -> None:
    answer = client.patch(f"{ORGANIZATIONS}/village", headers=town, json={"name": "别名"})
    assert answer.json["errors"] == {"name": ["没有这一项。"]}


@pytest.mark.parametrize(("code", "status"), [("other", 403), ("county", 403), ("nowhere", 404)])
def test_sizes_of_others(client: FlaskClient, town: dict[str, str], code: str, status: int) -> None:
    assert client.patch(f"{ORGANIZATIONS}/{code}", headers=town, json={}).status_code == status


@pytest.mark.parametrize("person", ["town.secretary", "county.auditor"])
def test_neither_the_rated_nor_the_auditor_writes(client: FlaskClient, as_staff: Caller, person: str) -> None:
    headers = as_staff(person)
    assert problem_of(upload(client, headers, csv_file(VILLAGE))) == (403, "forbidden")
    assert problem_of(client.patch(f"{ORGANIZATIONS}/village", headers=headers, json={})) == (
        403,
        "forbidden",
    )
    assert client.get(ORGANIZATIONS, headers=headers).status_code == 200


def test_strangers_get_nothing(client: FlaskClient) -> None:
    for answer in (
        client.get(ORGANIZATIONS),
        client.get(TEMPLATE),
        upload(client, {}, csv_file(VILLAGE)),
        upload(client, {}, csv_file(VILLAGE), url=f"{IMPORT}/errors"),
        client.patch(f"{ORGANIZATIONS}/village", json={}),
    ):
        assert problem_of(answer) == (401, "unauthorized")
