"""The villager's page: one line, without scripts."""

import subprocess
import sys
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from survey_service.staff.rules import Role
from tests.factories.auditing.chain import read_chain
from tests.factories.campaigns import World
from tests.http.sealing.conftest import colleague
from tests.services.sealing.steps import Known, cast_known, close, seal


@pytest.fixture
def ballots(committed_world: World) -> list[Known]:
    return [*cast_known(committed_world, 6), *cast_known(committed_world, 1, village=1)]


@pytest.fixture
def villager(committed_world: World, ballots: list[Known]) -> FlaskClient:
    """A phone, after sealing."""
    close(committed_world)
    seal(committed_world)
    return committed_world.app.test_client()


@pytest.fixture
def address(committed_world: World) -> str:
    return f"/b/{committed_world.campaign_id}"


def test_one_line_says_that_a_receipt_is_published(
    villager: FlaskClient, address: str, ballots: list[Known]
) -> None:
    receipt = ballots[0].receipt
    typed = f"{receipt[:4].lower()}-{receipt[4:8]} {receipt[8:]}"
    page = villager.post(address, data={"receipt": typed}).text
    assert "在。这张回执公布在第1村的清单里。" in page


def test_a_receipt_of_a_small_village_stands_under_the_town(
    villager: FlaskClient, address: str, ballots: list[Known]
) -> None:
    page = villager.post(address, data={"receipt": ballots[-1].receipt}).text
    assert "公布在汤溪镇的清单里" in page
    assert "第2村" not in page


def test_one_line_says_that_a_receipt_is_not_published(villager: FlaskClient, address: str) -> None:
    for typed in ("0000000000000", "nonsense", "%", "_____________", "汤溪" * 40):
        page = villager.post(address, data={"receipt": typed})
        assert page.status_code == 200
        assert "不在。请对照一下" in page.text


def test_the_page_says_what_a_receipt_proves_and_shows_the_digests(
    villager: FlaskClient, address: str
) -> None:
    page = villager.get(address).text
    assert "共 7 份" in page
    assert "回执不能证明是谁投的" in page
    digest = villager.get(f"/api/v1/campaigns/{address.rsplit('/', 1)[1]}/bulletin").json["snapshot_digest"]
    assert digest in page, "programs find it whole"
    head = read_chain(villager.application.extensions["database"])[-1]
    assert head.digest in page, "who writes it down keeps the head of the trail"
    assert "在清单里。" not in page.split("<form")[0], "nothing is said before something is asked"


def test_before_sealing_the_page_says_so(committed_world: World, address: str) -> None:
    page = committed_world.app.test_client().get(address)
    assert page.status_code == 409
    assert "还没有封存" in page.text
    assert committed_world.app.test_client().get("/b/4711").status_code == 404


def test_the_program_that_is_handed_out_verifies_what_is_handed_out(
    committed_world: World, villager: FlaskClient, address: str, tmp_path: Path
) -> None:
    auditor = colleague(committed_world, Role.AUDITOR, committed_world.town_code)
    api = f"/api/v1/campaigns/{committed_world.campaign_id}"
    (tmp_path / "bulletin.json").write_bytes(villager.get(f"{api}/bulletin").data)
    (tmp_path / "snapshot.json").write_bytes(auditor.get(f"{api}/snapshot").data)
    (tmp_path / "verify.py").write_bytes(villager.get("/b/verify_bulletin.py").data)
    # -I and -S: neither this project nor any installed package can be imported.
    command = [sys.executable, "-I", "-S", "verify.py", "bulletin.json", "snapshot.json"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("OK 7 receipts in 2 lists")
