"""What authors did stands in the audit trail: provable afterwards, and by the day only."""

import json
from collections import Counter
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import func, select, update

from survey_service.auditing.rules import Entry, Facts
from survey_service.core import clock
from survey_service.core.audit import AUTHOR
from survey_service.core.db import reading, unit_of_work
from survey_service.opinions.jobs import sweep_author_acts
from survey_service.opinions.models import OpinionAuthorAct, OpinionVerdict
from survey_service.staff.rules import Role
from tests.factories.auditing.chain import read_chain
from tests.factories.opinions import LAMP, REPORT, OpinionWorld


def entries(place: OpinionWorld) -> list[Entry]:
    chain = read_chain(place.world.app.extensions["database"])
    return [entry for entry in chain if entry.actor == AUTHOR]


def acts(facts: Facts | None) -> dict[str, Any]:
    return {name: act for name, act in (facts or {}).items() if name != "on"}


def sweep(days: int = 0) -> None:
    with time_machine.travel(clock.now() + timedelta(days=days), tick=False):
        sweep_author_acts()


def answered(place: OpinionWorld) -> tuple[int, str]:
    opinion, code = place.write()
    place.triage(opinion)
    assert place.act(place.secretary, opinion, "answer", public_text="已经修好").status_code == 200
    return opinion, code


def proven_verdicts(place: OpinionWorld) -> Counter[str]:
    """Return how often each verdict stands, by the audit trail alone: what was given less what was."""
    found: Counter[str] = Counter()
    for entry in entries(place):
        found.update(act["verdict"] for act in acts(entry.after).values() if "verdict" in act)
        found.subtract(act["verdict"] for act in acts(entry.before).values() if "verdict" in act)
    return +found


def stored_verdicts() -> Counter[str]:
    counted = select(OpinionVerdict.verdict, func.count()).group_by(OpinionVerdict.verdict)
    with reading() as session:
        return Counter({verdict.value: number for verdict, number in session.execute(counted)})


def test_each_act_of_an_author_is_in_the_entry_of_its_day(both: OpinionWorld) -> None:
    opinion, code = answered(both)
    assert both.rate(code, "dissatisfied").json["state"] == "reopened"
    sweep()
    assert entries(both) == []
    sweep(days=1)
    (entry,) = entries(both)
    today = clock.local_day(clock.now()).isoformat()
    assert (entry.action, entry.target) == ("opinions.authors", f"opinions:{both.county_code}")
    assert entry.before == {f"{opinion}.3": {"state": "answered"}}
    assert entry.after == {
        "on": today,
        f"{opinion}.0": {"state": "received"},
        f"{opinion}.3": {"state": "reopened", "verdict": "dissatisfied"},
    }
    sweep(days=2)
    assert len(entries(both)) == 1
    with reading() as session:
        assert session.query(OpinionAuthorAct).count() == 0


def test_no_entry_tells_a_person_a_word_or_an_order(place: OpinionWorld) -> None:
    written = [answered(place) for _ in range(4)]
    for _, code in reversed(written):
        client = place.world.app.test_client()
        verdict = {"verdict": "satisfied", "remark": "谢谢王书记"}
        assert client.post(f"/api/v1/opinions/{code}/verdict", json=verdict).status_code == 200
    chain = read_chain(place.world.app.extensions["database"])
    before = chain[-1].seq
    sweep(days=1)
    (entry,) = entries(place)
    assert entry.seq == before + 1
    cases = [name.partition(".")[0] for name in acts(entry.after)]
    assert cases == sorted(cases)
    told = json.dumps(asdict(entry), ensure_ascii=False)
    assert [word for word in (LAMP, "谢谢", *(code for _, code in written)) if word in told] == []


def test_a_changed_verdict_is_found_by_the_audit_trail(place: OpinionWorld) -> None:
    _, code = answered(place)
    _, other = answered(place)
    place.rate(code, "partly_solved")
    sweep(days=1)
    place.rate(code, "dissatisfied")
    place.rate(other, "basically_satisfied")
    place.rate(other, "satisfied")
    sweep(days=1)
    assert proven_verdicts(place) == stored_verdicts() == Counter({"dissatisfied": 1, "satisfied": 1})
    with unit_of_work() as session:
        session.execute(update(OpinionVerdict).values(verdict="satisfied"))
    assert proven_verdicts(place) != stored_verdicts()


def test_all_acts_come_in_however_many_wait(place: OpinionWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("survey_service.opinions.author_acts._AT_ONCE", 2)
    written = {place.write()[0] for _ in range(5)}
    sweep(days=1)
    named = [name for entry in entries(place) for name in acts(entry.after)]
    assert sorted(named) == sorted(f"{opinion}.0" for opinion in written)


def test_only_an_auditor_of_the_whole_tree_reads_it(place: OpinionWorld) -> None:
    place.write(REPORT)
    sweep(days=1)
    of_county = place.people.system(Role.AUDITOR, place.county_code)
    of_town = place.people.system(Role.AUDITOR, place.world.town_code)
    shown = [
        {entry["actor"] for entry in auditor.get("/api/v1/audit").json["items"]}
        for auditor in (of_county, of_town)
    ]
    assert [AUTHOR in actors for actors in shown] == [True, False]
