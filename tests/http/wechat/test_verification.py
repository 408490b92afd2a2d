"""The files by which WeChat makes sure of a domain."""

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from survey_service.core.db import Database
from tests.factories.applications import make_app


@pytest.fixture
def client(tmp_path: Path, sqlite_database: Database) -> FlaskClient:
    files = "MP_verify_aB3dE5.txt, WW_verify_x9.txt"
    return make_app(tmp_path, sqlite_database, wechat_verify_files=files).test_client()


@pytest.mark.parametrize(("name", "content"), [("MP_verify_aB3dE5", "aB3dE5"), ("WW_verify_x9", "x9")])
def test_a_file_is_served_at_the_root(client: FlaskClient, name: str, content: str) -> None:
    answer = client.get(f"/{name}.txt")
    assert (answer.status_code, answer.text) == (200, content)
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    "path", ["/MP_verify_other.txt", "/robots.txt", "/MP_verify_aB3dE5", "/x/MP_verify_aB3dE5.txt"]
)
def test_other_files_are_not_there(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_a_wrong_name_is_told_at_the_start(tmp_path: Path, sqlite_database: Database) -> None:
    with pytest.raises(ValueError, match=r"\.\./x"):
        make_app(tmp_path, sqlite_database, wechat_verify_files="../x.txt")
