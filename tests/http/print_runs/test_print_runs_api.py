"""Codes at scale through the API: issue, print, download, hand out, revoke and reissue by serial."""

from io import BytesIO
from typing import Any
from zipfile import ZipFile

import pytest
from flask import g
from sqlalchemy import select

from survey_service.auditing.models import AuditEntry
from survey_service.core.db import reading, unit_of_work
from survey_service.print_runs import printing
from survey_service.print_runs.service import renew_parts
from survey_service.staff.rules import Role
from tests.factories.campaigns import World
from tests.http.campaigns.callers import PREFIX, Caller, Offices, fields_of, problem


@pytest.fixture(autouse=True)
def quick_printer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write codes down instead of setting them; real PDFs have tests of their own."""
    monkeypatch.setattr(
        printing, "render", lambda sheet: "\n".join(slip.code for slip in sheet.slips).encode()
    )


def path(world: World, end: str) -> str:
    return f"/campaigns/{world.campaign_id}/{end}"


def issue(world: World, caller: Caller, *groups: tuple[str, int], village: int = 0) -> Any:
    items = [
        {"organization_code": world.village_codes[village], "group": group, "count": count}
        for group, count in groups
    ]
    return caller.post(path(world, "household-codes"), {"items": items})


def slots(world: World, serials: str, **more: str) -> dict[str, str]:
    return {"organization_code": world.village_codes[0], "mode": "household", "serials": serials} | more


def print_all(world: World, caller: Caller, **more: Any) -> str:
    """Print everything and return the address of the run."""
    started = caller.post(path(world, "print-runs"), {"layout": "labels_24"} | more)
    assert (started.status_code, started.json["printed"]) == (202, 0)
    world.drain()
    return path(world, f"print-runs/{started.json['id']}")


def test_from_groups_to_paper_and_into_hands(world: World, town: Caller) -> None:
    issued = issue(world, town, ("一组", 2), ("二组", 1))
    assert (issued.status_code, issued.json) == (201, {"codes": 3, "organizations": 1})
    run = print_all(world, town, split="group")
    shown = town.get(run).json
    assert (shown["is_finished"], shown["parts"], shown["codes_printed"]) == (True, 2, 3)
    assert [(one["group"], one["first_serial"], one["last_serial"]) for one in shown["items"]] == [
        ("一组", 1, 2),
        ("二组", 3, 3),
    ]
    first = town.get(f"{run}/parts/1.pdf")
    assert (first.content_type, len(first.data.split())) == ("application/pdf", 2)
    with ZipFile(BytesIO(town.get(f"{run}/parts.zip").data)) as archive:
        assert archive.testzip() is None
        assert [name.split("_")[3] for name in archive.namelist()] == ["一组", "二组"]
        assert archive.read(archive.namelist()[0]) == first.data
    handed = town.post(path(world, "hand-outs"), {})
    assert handed.json == {"codes": 3, "organizations": 1}
    for file in ("parts/1.pdf", "parts.zip"):
        assert problem(town.get(f"{run}/{file}")) == (409, "codes_handed_out")
    assert problem(town.post(path(world, "hand-outs"), {})) == (409, "nothing_printed")
    assert [one["id"] for one in town.get(path(world, "print-runs")).json["items"]] == [shown["id"]]


@pytest.mark.usefixtures("frozen_clock")
def test_an_archive_on_its_way_is_whole_though_a_part_is_printed_anew(committed_world: World) -> None:
    world = committed_world
    town = Offices(world).caller(Role.TOWN_STAFF, "town")
    issue(world, town, ("一组", 2), ("二组", 2))
    run = print_all(world, town, split="group")
    sending = iter(town.get(f"{run}/parts.zip").iter_encoded())
    begun = next(sending)
    revoked = town.post(path(world, "slots/revoke"), slots(world, "3") | {"as": "lost"})
    assert revoked.status_code == 200
    assert renew_parts_of(world) == 1
    with ZipFile(BytesIO(b"".join([begun, *sending]))) as archive:
        assert (archive.testzip(), len(archive.namelist())) == (None, 2)


def renew_parts_of(world: World) -> int:
    """Do what follows from changed slots before anything is printed anew."""
    with unit_of_work() as session:
        return renew_parts(session, campaign_id=world.campaign_id)


def test_only_those_above_make_print_and_download(
    world: World, town: Caller, everybody: dict[str, Caller]
) -> None:
    issue(world, town, ("", 2))
    run = print_all(world, town)
    body = {"organization_codes": world.village_codes[:1]}
    calls = {
        "household-codes": lambda who: issue(world, who, ("", 1)),
        "print-runs": lambda who: who.post(path(world, "print-runs"), body | {"layout": "labels_12"}),
        "pdf": lambda who: who.get(f"{run}/parts/1.pdf"),
        "zip": lambda who: who.get(f"{run}/parts.zip"),
        "serials": lambda who: who.get(path(world, "serials.xlsx")),
        "revoke": lambda who: who.post(path(world, "slots/revoke"), slots(world, "1") | {"as": "lost"}),
        "reissue": lambda who: who.post(path(world, "slots/reissue"), slots(world, "1")),
        "hand-outs": lambda who: who.post(path(world, "hand-outs"), body),
    }
    for name in ("neighbour", "secretary", "auditor", "stranger"):
        statuses = {call: act(everybody[name]).status_code for call, act in calls.items()}
        assert set(statuses.values()) == {401 if name == "stranger" else 403}, (name, statuses)
    assert calls["pdf"](everybody["county"]).status_code == 200


def test_a_run_of_the_county_is_not_the_towns(world: World, town: Caller, county: Caller) -> None:
    issue(world, town, ("", 1))
    run = print_all(world, county)
    assert problem(town.get(run)) == (403, "forbidden")
    assert problem(town.get(f"{run}/parts/1.pdf")) == (403, "forbidden")
    assert town.get(path(world, "print-runs")).json == {"items": []}


def test_a_run_belongs_to_its_campaign(world: World, town: Caller) -> None:
    issue(world, town, ("", 1))
    run = print_all(world, town)
    other = run.replace(f"/{world.campaign_id}/", f"/{world.campaign_id + 1}/")
    assert town.get(other).status_code == 404


def test_serials_are_revoked_and_reissued(world: World, town: Caller) -> None:
    issue(world, town, ("", 5))
    assert town.post(path(world, "slots/revoke"), slots(world, "１-2、5") | {"as": "lost"}).json == {
        "count": 3
    }
    assert town.post(path(world, "slots/reissue"), slots(world, "2至3")).json == {"count": 2}
    early = town.post(path(world, "slots/revoke"), slots(world, "1") | {"as": "undelivered"})
    assert problem(early) == (409, "voting_has_begun")
    assert fields_of(town.post(path(world, "slots/reissue"), slots(world, "6"))) == {"serials"}
    assert fields_of(town.post(path(world, "slots/reissue"), slots(world, "全部"))) == {"serials"}
    with reading() as session:
        acts = session.scalars(
            select(AuditEntry.after)
            .where(AuditEntry.action.in_(["entrances.revoke", "entrances.reissue"]))
            .order_by(AuditEntry.seq)
        ).all()
    assert [('"serials":"1-2、5"' in (act or "").replace(" ", "")) for act in acts[:1]] == [True]


def test_groups_come_as_a_file_and_as_the_roster(world: World, town: Caller) -> None:
    code = world.village_codes[0]
    rows = f"村编码,村民小组,户数\n{code},一组,2\n{code},二组,x\n"
    bad = upload(world, town, rows)
    assert problem(bad) == (422, "invalid_rows")
    assert bad.json["errors"].keys() == {"3"}
    good = upload(world, town, rows.replace("x", "3"))
    assert good.json == {"codes": 5, "organizations": 1}
    roster = town.post(
        path(world, "household-codes"), {"organization_codes": world.village_codes}, Idempotency_Key="k"
    )
    assert roster.json == {"codes": 200, "organizations": 2}
    template = town.get(path(world, "household-codes/template.xlsx"))
    assert template.status_code == 200


def upload(world: World, caller: Caller, rows: str) -> Any:
    return caller.client.post(
        PREFIX + path(world, "household-codes/import"),
        data={"file": (BytesIO(rows.encode()), "groups.csv")},
        headers=caller.headers,
    )


def test_every_act_stands_in_the_audit_trail_without_a_code(world: World, town: Caller) -> None:
    issue(world, town, ("一组", 1))
    run = print_all(world, town)
    # The test's own context outlives each call; in the service every call begins without an entry.
    g.pop("has_entry")
    code = town.get(f"{run}/parts/1.pdf").data.decode()
    town.get(path(world, "serials.xlsx"))
    town.post(path(world, "hand-outs"), {})
    with reading() as session:
        entries = session.scalars(select(AuditEntry).order_by(AuditEntry.seq.desc()).limit(5)).all()
    assert [entry.action for entry in reversed(entries)] == [
        "entrances.create",
        "code_sheets.print",
        "code_sheets.print",
        "code_sheets.list",
        "code_sheets.hand_out",
    ]
    assert not any(code in f"{entry.target}{entry.after}" for entry in entries)


def test_what_cannot_be_asked(world: World, town: Caller) -> None:
    assert fields_of(town.post(path(world, "household-codes"), {})) == {"items"}
    assert "mode" in fields_of(town.post(path(world, "print-runs"), {"layout": "letter", "mode": "open"}))
    assert problem(town.post(path(world, "print-runs"), {"layout": "letter"})) == (409, "nothing_to_print")
    assert problem(town.get(path(world, "print-runs/999"))) == (404, "not_found")
