"""Ratings: all grades of a province with their traces, a page of them, and a what-if of a county."""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from flask import Flask
from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from bench.city import CITY_CODE, USERNAME, application, tree_file
from bench.processes import Finished, run_to_end
from bench.report import Say, Section, Spread, Table, at_most
from bench.scale import Scale
from bench.servers import Databases, program
from bench.surroundings import command_environment
from survey_service.core import clock
from survey_service.core.canonical import canonical_json
from survey_service.core.db import reading, unit_of_work
from survey_service.core.permissions import Identity
from survey_service.organizations.queries import get_organization
from survey_service.organizations.service import import_organizations
from survey_service.ratings.models import RatingCycle, RatingSheet
from survey_service.ratings.presets import preset_text
from survey_service.ratings.previews import preview_changes
from survey_service.ratings.queries import list_subjects
from survey_service.ratings.scheme_changes import Changes
from survey_service.ratings.service import add_scheme, open_cycle
from survey_service.ratings.vocabulary import Level
from survey_service.staff.rules import Role
from survey_service.staff.service import create_account

_NAME = "rated"
_INDICATORS, _GROUPS = 60, 6
_COUNTY = 634
_MOST_SECONDS, _MOST_MEGABYTES = 20, 500
_MOST_PAGE_MS, _MOST_WHAT_IF_SECONDS = 100, 1
_REPEATS = 5
_CHUNK = 1_000
_SEED = 20261122
_CHANGES = {
    "a band and a share": Changes(max_percents={"好": "10"}, bands={"较好": "75"}),
    "the points of an indicator": Changes(points={"item0-0": "20"}),
}
"""The first leaves all totals as they are; the second works out all of them anew."""


@dataclass(frozen=True)
class _Look:
    """What one run took, and how much of it was processor time of ours."""

    wall: float
    cpu: float


def measure(databases: Databases, folder: Path, scale: Scale, say: Say) -> Section:
    """Load subjects with two sheets each, work out their grades by the command line, and look at them."""
    folder.mkdir(parents=True, exist_ok=True)
    app = application(databases.create(_NAME))
    started = time.monotonic()
    with app.app_context():
        staff, password = _load_staff(scale.rated)
        large, small = _load_cycles(staff, scale.rated)
    say(f"loaded {scale.rated:,} subjects in {time.monotonic() - started:.0f} s")
    runs = [_refresh(databases, folder, large)]
    for _ in range(scale.repeats - 1):
        _touch(app, large)
        runs.append(_refresh(databases, folder, large))
    with app.app_context(), unit_of_work() as session:
        # What the server does by itself a minute after so many rows came.
        session.execute(text("ANALYZE"))
    pages = _pages(app, password, large)
    previews = {name: _previews(app, staff, small, changes) for name, changes in _CHANGES.items()}
    app.extensions["database"].engine.dispose()
    what = f"all grades with traces, {scale.rated:,} subjects × {_INDICATORS} indicators, two sheets each"
    return Section(
        [
            at_most(what, _MOST_SECONDS, Spread.of(run.seconds for run in runs), unit="s", places=1),
            at_most(
                "… peak memory of its process",
                _MOST_MEGABYTES,
                Spread.of(run.peak_megabytes for run in runs),
                unit="MB",
            ),
            at_most("a page of these grades", _MOST_PAGE_MS, Spread.of(one.wall for one in pages), unit="ms"),
            *(
                at_most(
                    f"a what-if on {_COUNTY} subjects × {_INDICATORS} indicators, {name} changed",
                    _MOST_WHAT_IF_SECONDS,
                    Spread.of(one.wall for one in looks),
                    unit="s",
                    places=2,
                )
                for name, looks in previews.items()
            ),
        ],
        [_table(runs)],
        [
            "Processor time of our own process, without the database: "
            f"{Spread.of(one.cpu for one in pages).shown()} ms a page; a what-if "
            + ", ".join(
                f"{Spread.of(one.cpu for one in looks).shown(2)} s ({name})"
                for name, looks in previews.items()
            )
            + ". The tables have statistics when pages are looked at: PostgreSQL gathers them within minutes."
        ],
    )


def _load_staff(villages: int) -> tuple[Identity, str]:
    file = tree_file(counties=13, towns=200, villages=villages)
    now = clock.now()
    with unit_of_work() as session:
        import_organizations(session, content=file, filename="province.csv", within_path=None)
        created = create_account(
            session, username=USERNAME, role=Role.COUNTY_ADMIN, organization_code=CITY_CODE, now=now
        )
        created.account.must_change_password = False
        assert created.password is not None
        city = get_organization(session, code=CITY_CODE)
        return Identity(created.account.id, USERNAME, Role.COUNTY_ADMIN, city.id, city.path), created.password


def _load_cycles(staff: Identity, rated: int) -> tuple[int, int]:
    """Open a cycle over everybody and one over a county's worth, and fill in both."""
    now = clock.now()
    with unit_of_work() as session:
        add_scheme(session, staff=staff, source=_scheme(), now=now)
        whole = _open(session, staff, under=CITY_CODE)
        codes = [one.organization_code for one in list_subjects(session, whole)]
        part = _open(session, staff, organization_codes=codes[: min(_COUNTY, rated)])
        for cycle_id in (whole, part):
            _fill_in(session, staff, cycle_id)
    return whole, part


def _open(session: Session, staff: Identity, **whom: object) -> int:
    opened = open_cycle(
        session,
        staff=staff,
        scheme="bench-60",
        title="基层党组织分类定级",
        now=clock.now(),
        **whom,  # type: ignore[arg-type]  # Either of two keywords of different types.
    )
    return opened.cycle.id


def _scheme() -> str:
    """Return the township's scheme with sixty indicators in six groups, which together give 100 points."""
    head, _, rest = preset_text("township-classification").partition("indicators:")
    tail = rest[rest.index("\nbands:") :]
    groups = [line for group in range(_GROUPS) for line in _group(group)]
    head = head.replace("code: township-classification", "code: bench-60")
    head = "\n".join("mass: {role: none}" if line.startswith("mass:") else line for line in head.splitlines())
    return head + "\nindicators:\n" + "\n".join(groups) + tail


def _group(group: int) -> list[str]:
    points = 100 // _GROUPS + (group < 100 % _GROUPS)
    head = f"  - code: group{group}\n    title: 第{group + 1}类\n    points: {points}\n    children:"
    items = (
        f"      - {{code: item{group}-{number}, title: 第{group + 1}类第{number + 1}项, points: 10}}"
        for number in range(_INDICATORS // _GROUPS)
    )
    return [head, *items]


def _fill_in(session: Session, staff: Identity, cycle_id: int) -> None:
    """Write two sheets for everybody, past the services: the entries are what they would have stored."""
    rng = random.Random(_SEED)  # noqa: S311  Invented scores, not secrets.
    codes = [f"item{group}-{number}" for group in range(_GROUPS) for number in range(_INDICATORS // _GROUPS)]
    now = clock.now()
    rows = []
    for one in list_subjects(session, cycle_id):
        level_of = rng.randint(50, 90)
        for level in (Level.SELF, Level.TOWN):
            points = {code: str(min(100, level_of + rng.randint(-20, 20)) / 10) for code in codes}
            rows.append(
                {
                    "cycle_id": cycle_id,
                    "subject_id": one.row.subject_id,
                    "level": level,
                    "entries": canonical_json({"points": points}),
                    "staff_id": staff.id,
                    "changed_at": now,
                }
            )
    for start in range(0, len(rows), _CHUNK):
        session.execute(insert(RatingSheet), rows[start : start + _CHUNK])


def _touch(app: Flask, cycle_id: int) -> None:
    with app.app_context(), unit_of_work() as session:
        session.get_one(RatingCycle, cycle_id).revision += 1


def _refresh(databases: Databases, folder: Path, cycle_id: int) -> Finished:
    environment = command_environment(databases.cluster.url(_NAME))
    command = [program("survey-service"), "ratings", "refresh", str(cycle_id)]
    finished = run_to_end(command, environment=environment, folder=folder)
    if finished.exit_status != 0:
        raise RuntimeError(finished.output)
    return finished


def _pages(app: Flask, password: str, cycle_id: int) -> list[_Look]:
    client = app.test_client()
    client.post("/staff", data={"username": USERNAME, "password": password})
    addresses = [f"/staff/ratings/{cycle_id}", f"/staff/ratings/{cycle_id}?cursor=9999"]

    def look() -> None:
        for address in addresses:
            answer = client.get(address)
            if answer.status_code != 200:
                raise RuntimeError(answer.text)

    return [_Look(1e3 * one.wall / len(addresses), 1e3 * one.cpu / len(addresses)) for one in _looks(look)]


def _previews(app: Flask, staff: Identity, cycle_id: int, changes: Changes) -> list[_Look]:
    def look() -> None:
        with app.app_context(), reading() as session:
            preview_changes(session, staff=staff, cycle_id=cycle_id, changes=changes)

    return _looks(look)


def _looks(look: Callable[[], None]) -> list[_Look]:
    """Return what some runs took after one that warms up."""
    look()
    found = []
    for _ in range(_REPEATS):
        started, used = time.perf_counter(), time.process_time()
        look()
        found.append(_Look(time.perf_counter() - started, time.process_time() - used))
    return found


def _table(runs: Sequence[Finished]) -> Table:
    rows = [(f"{run.seconds:.1f}", f"{run.cpu_seconds:.1f}", f"{run.peak_megabytes:.0f}") for run in runs]
    headings = ("seconds of the command", "CPU seconds of the program", "peak MB")
    return Table("All grades of a cycle: the first time, then again with nothing changed", headings, rows)
