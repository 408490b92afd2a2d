"""Letters to a county: household codes issued and stored, and labels set as PDF."""

import resource
import statistics
import time
from dataclasses import dataclass, replace
from pathlib import Path

from bench.report import Section, Spread, Table, at_most
from bench.scale import Scale
from bench.servers import Databases
from survey_service.campaigns.rules import Mode
from survey_service.core.db import Database, unit_of_work
from survey_service.core.migrations import upgrade
from survey_service.core.permissions import Identity
from survey_service.entrances.codes import code_of_slot
from survey_service.entrances.issuing import Households, issue_household_codes
from survey_service.entrances.posters import CodeSheet, Slip, render_sheet
from survey_service.print_runs.letters import LetterSheet, body_of_text, render_letters
from tests.factories.applications import make_app
from tests.factories.campaigns import NOW, World, start_campaign

_NAME = "letters"
_VILLAGES, _GROUPS, _HOUSEHOLDS = 214, 10, 43
"""A county of 92,020 households (`domain.md` section 10)."""
_LABELS, _LETTERS = 2_000, 500
_MOST_SECONDS = 5
_MOST_MEGABYTES = 400
_BASE = "https://pingyi.raoping.gov.cn/s/"


@dataclass(frozen=True)
class Taken:
    """What one round took: seconds by the clock, and seconds of CPU of this process or its child."""

    seconds: float
    cpu_seconds: float


def measure(databases: Databases, folder: Path, scale: Scale) -> Section:
    """Issue the codes of a county on both engines, then set labels and letters."""
    folder.mkdir()
    issued = {
        "PostgreSQL": _issue_rounds(databases.create(_NAME), folder, scale.repeats),
        "SQLite": _issue_rounds(f"sqlite:///{folder / 'letters.sqlite3'}", folder, scale.repeats),
    }
    labels = [_set(_LABELS, is_letter=False) for _ in range(scale.repeats)]
    # The high-water mark of all children so far: a letter's part is smaller than this one.
    megabytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e6
    letters = [_set(_LETTERS, is_letter=True) for _ in range(scale.repeats)]
    codes = _VILLAGES * _GROUPS * _HOUSEHOLDS
    targets = [
        at_most(
            f"{codes:,} household codes issued and stored, {name}", _MOST_SECONDS, _seconds(rounds), unit="s"
        )
        for name, rounds in issued.items()
    ]
    targets += [
        at_most(f"{_LABELS:,} labels as PDF", _MOST_SECONDS, _seconds(labels), unit="s", places=1),
        at_most("… peak memory of the typesetter", _MOST_MEGABYTES, Spread.of([megabytes]), unit="MB"),
    ]
    rows = {f"{codes:,} codes, {name}": rounds for name, rounds in issued.items()}
    rows |= {f"{_LABELS:,} labels, 24 a page": labels, f"{_LETTERS:,} letters": letters}
    return Section(targets, [_table(rows)])


def _seconds(rounds: list[Taken]) -> Spread:
    return Spread.of(one.seconds for one in rounds)


def _issue_rounds(url: str, folder: Path, rounds: int) -> list[Taken]:
    database = Database(url)
    upgrade(database.engine)
    world = start_campaign(make_app(folder, database), villages=_VILLAGES)
    with world.app.app_context():
        taken = [_issue(world, world.staff) for _ in range(rounds)]
    database.engine.dispose()
    return taken


def _issue(world: World, staff: Identity) -> Taken:
    households = [
        Households(code, _HOUSEHOLDS, f"第{number}村民小组")
        for code in world.village_codes
        for number in range(1, _GROUPS + 1)
    ]
    started, cpu = time.perf_counter(), time.process_time()
    with unit_of_work() as session:
        issue_household_codes(
            session,
            staff=staff,
            keyring=world.keyring,
            campaign_id=world.campaign_id,
            households=households,
            now=NOW,
        )
    return Taken(time.perf_counter() - started, time.process_time() - cpu)


def _set(count: int, *, is_letter: bool) -> Taken:
    sheet = _letters(count) if is_letter else _labels(count)
    started, cpu = time.perf_counter(), _children_seconds()
    if isinstance(sheet, LetterSheet):
        render_letters(sheet)
    else:
        render_sheet(sheet)
    return Taken(time.perf_counter() - started, _children_seconds() - cpu)


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


_SHEET = CodeSheet(
    area="饶平县汤溪镇",
    village="大门坑村",
    campaign="2026年度党员群众满意度测评",
    rater_class="村民",
    mode=Mode.HOUSEHOLD,
    until="2026年12月31日18:00",
    typing_address="pingyi.raoping.gov.cn",
    slips=(),
)


def _slips(count: int) -> list[Slip]:
    codes = [code_of_slot(bytes(range(32)), serial=serial, issue=1) for serial in range(1, count + 1)]
    return [
        Slip(serial=serial, code=code, url=_BASE + code, group=f"第{serial // _HOUSEHOLDS + 1}村民小组")
        for serial, code in enumerate(codes, 1)
    ]


def _labels(count: int) -> CodeSheet:
    return replace(_SHEET, slips=_slips(count))


def _letters(count: int) -> LetterSheet:
    return LetterSheet(
        area=_SHEET.area,
        village=_SHEET.village,
        campaign=_SHEET.campaign,
        organizer="中共汤溪镇委员会",
        holder=_SHEET.rater_class,
        until=_SHEET.until,
        typing_address=_SHEET.typing_address,
        body=body_of_text("致全体村民的一封信", "尊敬的村民朋友：\n请您家评一评村党组织一年来的工作。\n" * 4),
        slips=_slips(count),
    )


def _table(rows: dict[str, list[Taken]]) -> Table:
    body = [
        (name, Spread.of(one.seconds for one in rounds).shown(1), f"{_median_cpu(rounds):.1f}")
        for name, rounds in rows.items()
    ]
    return Table("Letters to a county", ("", "seconds", "CPU seconds, ours or the typesetter's"), body)


def _median_cpu(rounds: list[Taken]) -> float:
    return statistics.median(one.cpu_seconds for one in rounds)
