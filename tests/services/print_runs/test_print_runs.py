"""Runs of printing: part by part, resumed where they stopped, encrypted, and gone when handed out."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from sqlalchemy import select, update
from sqlalchemy.orm import undefer

from survey_service.campaigns.rules import Mode
from survey_service.core.db import Database, reading, unit_of_work
from survey_service.core.errors import Conflict, Forbidden, NotFound
from survey_service.core.typesetting import PrintError
from survey_service.entrances.batches import destroy_due_keys
from survey_service.entrances.issuing import Households
from survey_service.entrances.models import CodeBatch
from survey_service.entrances.rules import KEY_LIFETIME, RevokedAs
from survey_service.print_runs import jobs, printing, rules, service
from survey_service.print_runs.jobs import print_parts, sweep_printing
from survey_service.print_runs.models import PrintPart
from survey_service.print_runs.printing import PartFile
from survey_service.print_runs.queries import RunProgress, read_progress
from survey_service.print_runs.rules import LEASE, MOST_ATTEMPTS, PartState, PrintLayout, PrintSplit
from survey_service.print_runs.service import HandedOut, PrintOrder
from tests.factories.applications import make_app
from tests.factories.campaigns import CLOSES_AT, NOW, World, start_campaign
from tests.services.entrances.test_batches import issue
from tests.services.entrances.test_making_codes import at_village
from tests.services.entrances.test_slots import reissue, revoke

REPOSITORY = Path(__file__).parents[3]
LABELS = PrintOrder(Mode.HOUSEHOLD, PrintLayout.LABELS_24)
FAKE_PDF = b"%PDF-1.7 for the tests"


@pytest.fixture(autouse=True)
def quick_printer(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Write down what would stand on the paper instead of setting it; real PDFs have tests of their own."""

    def render(sheet: Any) -> bytes:
        return (
            FAKE_PDF + "".join(f"\n{slip.serial} {slip.group} {slip.code}" for slip in sheet.slips).encode()
        )

    monkeypatch.setattr(printing, "render", render)
    with time_machine.travel(NOW, tick=False):
        yield


def start(world: World, order: PrintOrder = LABELS, **changes: Any) -> int:
    given: dict[str, Any] = {"staff": world.staff, "now": NOW} | changes
    with unit_of_work() as session:
        run = service.start_print_run(session, campaign_id=world.campaign_id, order=order, **given)
        return run.id


def progress(run_id: int) -> RunProgress:
    with reading() as session:
        return read_progress(session, run_id)


def part(world: World, run_id: int, number: int = 1) -> PartFile:
    with reading() as session:
        return printing.read_part(session, run_id=run_id, number=number, keyring=world.keyring)


def hand_out(world: World, **changes: Any) -> HandedOut:
    given: dict[str, Any] = {"staff": world.staff, "now": NOW, "organization_codes": None} | changes
    with unit_of_work() as session:
        return service.hand_out_codes(session, campaign_id=world.campaign_id, mode=Mode.HOUSEHOLD, **given)


def stored_parts() -> list[PrintPart]:
    with reading() as session:
        parts = select(PrintPart).options(undefer(PrintPart.content))
        return list(session.scalars(parts.order_by(PrintPart.run_id, PrintPart.number)))


def issue_some(world: World, *, codes: int = 2) -> None:
    """Make codes for every village."""
    issue(world, *(Households(code, codes) for code in world.village_codes))


def test_each_village_is_a_part_in_the_order_of_the_campaign(world: World) -> None:
    issue_some(world, codes=3)
    run_id = start(world)
    world.drain()
    found = progress(run_id)
    assert (found.parts, found.printed, found.codes, found.codes_printed) == (2, 2, 6, 6)
    assert found.is_finished
    names = [part(world, run_id, number).name for number in (1, 2)]
    assert [name.split("_")[2] for name in names] == ["第1村", "第2村"]
    assert part(world, run_id).content.startswith(FAKE_PDF)


def test_each_group_is_a_part_where_that_is_asked_for(world: World) -> None:
    code = world.village_codes[0]
    issue(world, Households(code, 2, "一组"), Households(code, 2, "二组"))
    run_id = start(world, replace(LABELS, split=PrintSplit.GROUP))
    world.drain()
    words = [part(world, run_id, number).content.decode() for number in (1, 2)]
    assert ["一组" in words[0], "二组" in words[0], "一组" in words[1], "二组" in words[1]] == [
        True,
        False,
        False,
        True,
    ]
    assert "一组_0001-0002" in part(world, run_id).name


def test_what_is_printed_opens_the_form(world: World) -> None:
    issue_some(world, codes=1)
    run_id = start(world)
    world.drain()
    code = part(world, run_id).content.decode().split()[-1]
    world.cast(world.open(code))


def test_panels_are_printed_with_their_class(world: World) -> None:
    world.issue(Mode.PANEL)
    run_id = start(world, PrintOrder(Mode.PANEL, PrintLayout.LABELS_12))
    with reading() as session:
        sheet = printing.prepare_part(
            session, run_id=run_id, number=1, keyring=world.keyring, public_url="https://a.example"
        )
    assert sheet is not None
    assert getattr(sheet, "rater_class", "") == "村（居）民"
    assert len(sheet.slips) == 1


def test_no_stored_byte_can_be_read_without_the_batch_key(world: World) -> None:
    code = world.village_codes[0]
    issue(world, Households(code, 1, "一组"), Households(code, 1, "二组"))
    run_id = start(world, replace(LABELS, split=PrintSplit.GROUP))
    world.drain()
    readable = part(world, run_id).content
    stored = stored_parts()[0].content
    assert stored is not None
    assert FAKE_PDF not in stored
    assert readable.split()[-1] not in stored
    with unit_of_work() as session:
        first, second = session.scalars(
            select(PrintPart).where(PrintPart.run_id == run_id).order_by(PrintPart.number)
        )
        second.content = first.content
    with pytest.raises(ValueError, match="does not open"):
        part(world, run_id, 2)


def test_what_was_handed_out_is_gone_with_the_same_commit(world: World) -> None:
    issue_some(world)
    run_id = start(world)
    world.drain()
    first = world.village_codes[0]
    assert hand_out(world, organization_codes=[first]) == HandedOut(codes=2, organizations=1)
    states = [(one.state, one.content is None) for one in stored_parts()]
    assert states == [(PartState.DROPPED, True), (PartState.PRINTED, False)]
    with pytest.raises(Conflict, match="codes_handed_out"):
        part(world, run_id)
    assert part(world, run_id, 2).content
    with pytest.raises(Conflict, match="nothing_printed"):
        hand_out(world, organization_codes=[first])
    with pytest.raises(Conflict, match="nothing_to_print"):
        start(world, replace(LABELS, organization_codes=[first]))


def test_a_key_that_dies_of_age_takes_its_pdf_along(world: World) -> None:
    issue_some(world)
    start(world)
    world.drain()
    with unit_of_work() as session:
        destroy_due_keys(session, now=NOW + KEY_LIFETIME + timedelta(seconds=1))
    world.drain()
    assert {(one.state, one.content) for one in stored_parts()} == {(PartState.DROPPED, None)}
    assert hand_out(world).codes == 4


def test_nothing_is_handed_out_before_it_is_printed(world: World) -> None:
    issue_some(world)
    with pytest.raises(Conflict, match="nothing_printed"):
        hand_out(world)
    run_id = start(world)
    world.drain()
    start(world)
    with pytest.raises(Conflict, match="printing_unfinished"):
        hand_out(world)
    world.drain()
    assert hand_out(world).codes == 4
    assert progress(run_id).dropped == 2


def test_codes_that_are_handed_out_while_they_are_printed_are_not_kept(world: World) -> None:
    issue_some(world)
    run_id = start(world)
    place = {"run_id": run_id, "number": 1}
    with unit_of_work() as session:
        assert printing.take_part(session, run_id=run_id, now=NOW) == 1
    with unit_of_work() as session:
        session.execute(update(CodeBatch).values(wrapped_key=None))
    with unit_of_work() as session:
        state = printing.keep_part(
            session, **place, taken_at=NOW, pdf=FAKE_PDF, keyring=world.keyring, now=NOW
        )
    assert state is PartState.DROPPED
    sweep_printing()
    assert progress(run_id).dropped == 2


def test_a_part_belongs_to_one_process_until_its_lease_ends(world: World) -> None:
    issue_some(world)
    run_id = start(world)

    def take(now: datetime) -> int | None:
        with unit_of_work() as session:
            return printing.take_part(session, run_id=run_id, now=now)

    assert [take(NOW), take(NOW), take(NOW)] == [1, 2, None]
    assert take(NOW + LEASE) is None
    assert take(NOW + LEASE + timedelta(seconds=1)) == 1


def test_a_job_lets_others_go_first(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    issue_some(world)
    run_id = start(world)
    monkeypatch.setattr(jobs, "SLICE_SECONDS", 0)
    print_parts(run_id)
    assert progress(run_id).printed == 1
    world.drain()
    assert progress(run_id).printed == 2


def test_what_cannot_be_printed_fails_after_some_attempts_and_is_tried_again_when_asked(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    issue_some(world)
    run_id = start(world)
    render = printing.render

    def refuse(sheet: Any) -> bytes:
        if sheet.village == "第1村":
            raise PrintError("no paper")
        return render(sheet)

    monkeypatch.setattr(printing, "render", refuse)
    for _ in range(MOST_ATTEMPTS):
        sweep_printing()
    found = progress(run_id)
    assert (found.printed, found.failed, found.waiting) == (1, 1, 0)
    with pytest.raises(NotFound):
        part(world, run_id)
    monkeypatch.setattr(printing, "render", render)
    with unit_of_work() as session:
        assert service.retry_failed_parts(session, run_id=run_id) == 1
    world.drain()
    assert progress(run_id).printed == 2


def test_what_holds_dead_codes_is_printed_again(world: World) -> None:
    issue_some(world, codes=3)
    run_id = start(world)
    world.drain()
    before = part(world, run_id).content
    reissue(world, 2)
    revoke(world, 3, how=RevokedAs.LOST)
    world.drain()
    after = part(world, run_id).content
    assert (before.count(b"\n"), after.count(b"\n")) == (3, 1)
    assert (progress(run_id).codes, progress(run_id).printed) == (4, 2)
    fresh = start(world, replace(LABELS, is_new_only=True))
    world.drain()
    assert progress(fresh).codes == 1
    assert part(world, fresh).content.count(b"\n2 ") == 1


def test_the_sweep_prints_anew_what_a_lost_job_left(world: World) -> None:
    issue_some(world, codes=3)
    run_id = start(world)
    world.drain()
    revoke(world, 3, how=RevokedAs.LOST)
    sweep_printing()
    assert part(world, run_id).content.count(b"\n") == 2
    assert (progress(run_id).codes, progress(run_id).printed) == (5, 2)


def test_what_was_printed_of_codes_that_died_meanwhile_is_thrown_away(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    issue_some(world, codes=3)
    run_id = start(world)
    render = printing.render

    def render_slowly(sheet: Any) -> bytes:
        if len(sheet.slips) == 3 and sheet.village == "第1村":
            revoke(world, 3, how=RevokedAs.LOST)
            jobs.renew_parts(world.campaign_id)
        return render(sheet)

    monkeypatch.setattr(printing, "render", render_slowly)
    world.drain()
    assert part(world, run_id).content.count(b"\n") == 2
    assert (progress(run_id).codes, progress(run_id).printed) == (5, 2)


def test_large_parts_are_parted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MOST_CODES_OF_A_PART", 2)
    issue_some(world, codes=5)
    assert progress(start(world)).parts == 6


def test_who_may_not_print_and_when(world: World) -> None:
    issue_some(world)
    first = world.village_codes[0]
    with pytest.raises(Forbidden):
        start(world, replace(LABELS, organization_codes=[first]), staff=at_village(world))
    with pytest.raises(Conflict, match="nothing_to_print"):
        start(world, staff=at_village(world))
    with pytest.raises(Forbidden):
        hand_out(world, organization_codes=[first], staff=at_village(world))
    with pytest.raises(Conflict, match="wrong_state"):
        start(world, now=CLOSES_AT + timedelta(seconds=1))


def test_killed_half_way_it_goes_on_with_the_missing_part(tmp_path: Path, sqlite_database: Database) -> None:
    world = start_campaign(make_app(tmp_path, sqlite_database), villages=3)
    with world.app.app_context():
        issue_some(world, codes=1)
        run_id = start(world)
        command = [sys.executable, "-m", "tests.services.print_runs.killed"]
        command += [str(tmp_path), sqlite_database.url, str(run_id)]
        ended = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
        assert ended.returncode == -signal.SIGKILL, ended.stderr
        assert (progress(run_id).printed, progress(run_id).waiting) == (1, 2)
        first = part(world, run_id).content
        sweep_printing()
        assert progress(run_id).printed == 2
        with time_machine.travel(NOW + timedelta(days=365), tick=False):
            sweep_printing()
        assert progress(run_id).printed == 3
        assert part(world, run_id).content == first
    sqlite_database.engine.dispose()
