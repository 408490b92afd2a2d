"""The five published systems, each on its own real place, from opening the cycle to the filed result.

The organizations are real, every score is invented. What the published texts tell of results is planned
here: 109 secretaries with 2 five stars, 2 four stars and 105 below; 200 five-star branches in villages.
"""

import lzma
import random
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from survey_service.core.clock import local_day
from survey_service.core.db import unit_of_work
from survey_service.core.permissions import Identity
from survey_service.organizations.models import Organization
from survey_service.organizations.queries import get_organization, select_subtree
from survey_service.organizations.rules import OrganizationKind
from survey_service.organizations.service import import_organizations
from survey_service.ratings.decisions import decide_grade
from survey_service.ratings.grades import scheme_of_cycle, work_out
from survey_service.ratings.models import RatingCycle, RatingSubject
from survey_service.ratings.process import complete_step
from survey_service.ratings.rules import Scheme
from survey_service.ratings.service import note_findings, open_cycle
from survey_service.ratings.sheets import fill_in_sheet
from survey_service.ratings.visits import note_visit
from survey_service.ratings.vocabulary import Level, Source, StepKind, VisitOutcome
from survey_service.staff.models import StaffAccount
from survey_service.staff.rules import Role
from survey_service.staff.service import create_account

HUNDRED = 100
KINDNESS = 3
"""By so many points of 100 the rated judge themselves better than others do."""


@dataclass(frozen=True)
class Planned:
    """What is invented for one subject; `level` is its share of every indicator's points, in percent."""

    code: str
    level: int
    choice: str = ""
    missed: int = 0
    """Checks of a list that are not passed."""
    mass: int | None = None
    findings: Mapping[str, Any] = field(default_factory=dict)


Plan = Callable[[Sequence[Organization], random.Random], Iterator[Planned]]


@dataclass(frozen=True)
class Place:
    """A system on its place; `username` is the account of the office that runs the cycle."""

    scheme: str
    file: str
    code: str
    rated: str
    username: str
    year: int
    plan: Plan
    has_self: bool = True


def _stars(organizations: Sequence[Organization], rng: random.Random) -> Iterator[Planned]:
    """Centres between 55 and 97."""
    for one in organizations:
        yield Planned(one.code, min(97, max(55, round(rng.gauss(80, 8)))))


SECRETARIES = 109


def _secretaries(organizations: Sequence[Organization], rng: random.Random) -> Iterator[Planned]:
    """Two reach 95 (one of them by X), two 90, and all others stay below.

    60 % quantitative, 20 for the appraisal, 20 for the mass evaluation: 58.8 + 20 + 19 = 97.8;
    54 + 16 + 18 + X 8 = 96; 55.2 + 20 + 17 = 92.2; 57 + 16 + 19 = 92; at most 54 + 16 + 18 = 88 else.
    """
    honoured = {"bonus": {"honour": Decimal(8)}}
    known = [(98, "good", 95, {}), (90, "fairly_good", 90, honoured)]
    known += [(92, "good", 85, {}), (95, "fairly_good", 95, {})]
    chosen = rng.sample(range(SECRETARIES), len(known))
    for position, one in enumerate(organizations[:SECRETARIES]):
        if position in chosen:
            level, choice, mass, findings = known[chosen.index(position)]
            yield Planned(one.code, level, choice, mass=mass, findings=findings)
        else:
            choice = rng.choice(("fairly_good", "fairly_good", "average"))
            yield Planned(one.code, rng.randint(55, 90), choice, mass=rng.randint(60, 90))


FIVE_STARS = 200
CANCELLED = 14
"""Five-star branches whose application was cancelled in 2021, as published."""


def _branches(organizations: Sequence[Organization], rng: random.Random) -> Iterator[Planned]:
    """Of the villages 200 keep five stars, 14 more lose them for what supervision found."""
    villages = [one.code for one in organizations if one.kind is OrganizationKind.VILLAGE]
    best = rng.sample(villages, FIVE_STARS + CANCELLED)
    cancelled = set(best[FIVE_STARS:])
    found = {"findings": {"supervision_problem": _words()["supervision_problem"]}}
    for one in organizations:
        level = rng.randint(90, 97) if one.code in best else rng.randint(60, 89)
        yield Planned(one.code, level, findings=found if one.code in cancelled else {})


TOWNSHIP = (96, 93, 93, 91, 89, 88, 85, 82, 79, 75, 70, 62, 55)


def _township(organizations: Sequence[Organization], _rng: random.Random) -> Iterator[Planned]:
    """Thirteen branches, two of them equal across the line of the best grade."""
    for one, level in zip(organizations, TOWNSHIP, strict=True):
        yield Planned(one.code, level, mass=level)


def _standards(organizations: Sequence[Organization], rng: random.Random) -> Iterator[Planned]:
    """Four in five pass the whole list."""
    for one in organizations:
        yield Planned(one.code, HUNDRED, missed=0 if rng.random() < 0.8 else rng.randint(1, 3))


PLACES = (
    Place("raoping-centre-star", "raoping", "445122000000", "445122000000", "county", 2026, _stars),
    Place(
        "shuocheng-secretary-star",
        *("shuocheng", "140602000000", "140602000000", "shuocheng", 2023),
        plan=_secretaries,
        has_self=False,
    ),
    Place("feicheng-branch-star", "feicheng", "370983000000", "370983000000", "feicheng", 2022, _branches),
    Place("township-classification", "raoping", "445122000000", "445122109000", "county", 2025, _township),
    Place(
        "fuzhou-standard",
        *("fuzhou", "350100000000", "350100000000", "fuzhou", 2026),
        plan=_standards,
        has_self=False,
    ),
)


def load_systems(*, now: datetime, places: Sequence[Place] = PLACES) -> Iterator[str]:
    """Run every system on its place unless it was, and yield what came of it."""
    for place in places:
        title = str(_words()["systems"][place.scheme])
        with unit_of_work() as session:
            staff = _office(session, place, now)
            cycle_id = _find(session, place, staff) or _run(session, place, staff, title, now)
            counts = count_grades(session, cycle_id=cycle_id)
        yield f"{title}: {', '.join(f'{grade} {count}' for grade, count in counts.items())}"


def _office(session: Session, place: Place, now: datetime) -> Identity:
    """Return the office that runs the cycle; the tree and the account are made where they are missing."""
    content = lzma.decompress(_file(f"{place.file}.csv.xz"))
    import_organizations(session, content=content, filename=f"{place.file}.csv", within_path=None)
    owner = get_organization(session, code=place.code)
    account = session.scalars(select(StaffAccount).where(StaffAccount.username == place.username)).first()
    if account is None:
        account = create_account(
            session,
            username=place.username,
            display_name=owner.name,
            role=Role.COUNTY_ADMIN,
            organization_code=place.code,
            now=now,
        ).account
        account.must_change_password, account.password_expires_at = False, None
    return Identity(account.id, account.display_name, account.role, owner.id, owner.path)


def _file(name: str) -> bytes:
    return files("survey_service.demonstration").joinpath("places", name).read_bytes()


@cache
def _words() -> dict[str, Any]:
    return tomllib.loads(_file("words.toml").decode())


def _find(session: Session, place: Place, staff: Identity) -> int | None:
    known = select(RatingCycle.id).where(
        RatingCycle.organization_id == staff.organization_id,
        RatingCycle.scheme_code == place.scheme,
        RatingCycle.year == place.year,
    )
    return session.scalars(known).first()


def _run(session: Session, place: Place, staff: Identity, title: str, now: datetime) -> int:
    rng = random.Random(place.scheme)  # noqa: S311  Invented scores, not secrets.
    planned = list(place.plan(_rated(session, place), rng))
    # Long enough ago that a public notice of some days is over.
    begun = now - timedelta(days=30)
    cycle = open_cycle(
        session,
        staff=staff,
        scheme=place.scheme,
        title=title,
        organization_codes=[one.code for one in planned],
        year=place.year,
        now=begun,
    ).cycle
    acting: dict[str, Any] = {"staff": staff, "cycle_id": cycle.id}
    scheme = scheme_of_cycle(cycle)
    for one in planned:
        _fill_in(session, acting, scheme, one, begun, has_self=place.has_self)
    for step in scheme.steps:
        if step.decides:
            _prepare_decision(session, acting, cycle, begun)
        is_after = step.kind in {StepKind.PUBLIC_NOTICE, StepKind.FILING}
        complete_step(session, step=step.code, now=now if is_after else begun, **acting)
    return cycle.id


def _rated(session: Session, place: Place) -> list[Organization]:
    area = get_organization(session, code=place.rated)
    kinds = (OrganizationKind.VILLAGE, OrganizationKind.COMMUNITY)
    rated = select_subtree(area.path).where(Organization.kind.in_(kinds)).order_by(Organization.code)
    return list(session.scalars(rated))


def _fill_in(
    session: Session, acting: dict[str, Any], scheme: Scheme, one: Planned, now: datetime, *, has_self: bool
) -> None:
    place: dict[str, Any] = acting | {"organization_code": one.code}
    fields = _field(session, scheme, one.code)
    levels = {Level.TOWN: one.level} | ({Level.SELF: min(HUNDRED, one.level + KINDNESS)} if has_self else {})
    for level, judged in levels.items():
        entries = _entries(scheme, fields, one, judged)
        fill_in_sheet(session, level=level, entries=entries, now=now, **place)
    if one.findings:
        found: Any = one.findings
        note_findings(session, found=found, **place)


def _field(session: Session, scheme: Scheme, organization_code: str) -> str | None:
    return scheme.field_of_kind.get(get_organization(session, code=organization_code).kind)


def _entries(scheme: Scheme, field_code: str | None, one: Planned, judged: int) -> dict[str, dict[str, Any]]:
    entries: dict[str, dict[str, Any]] = {"points": {}, "choices": {}, "checks": {}}
    for leaf in scheme.leaves(field_code):
        share = one.mass if leaf.source is Source.MASS and one.mass is not None else judged
        if leaf.source is Source.CHOICE:
            entries["choices"][leaf.code] = one.choice
        elif leaf.source is Source.CHECKLIST:
            entries["checks"][leaf.code] = list(leaf.checks[one.missed :])
        else:
            entries["points"][leaf.code] = Decimal(int(leaf.points or 0)) * share / HUNDRED
    return entries


def _prepare_decision(session: Session, acting: dict[str, Any], cycle: RatingCycle, now: datetime) -> None:
    """Visit whom the scheme asks to be visited, and decide about equals on a line."""
    scheme = scheme_of_cycle(cycle)
    on_site = scheme.steps[scheme.deciding_position].on_site
    texts = _words()
    for one in work_out(session, cycle):
        place = acting | {"organization_code": one.subject.organization_code, "now": now}
        if one.grading.proposed in on_site:
            visit = {"visited_on": local_day(now), "visitors": texts["visitors"], "words": texts["visit"]}
            note_visit(session, outcome=VisitOutcome.CONFIRMED, **visit, **place)
        if one.grading.is_tied and one.grading.proposed is not None:
            decide_grade(session, grade=one.grading.proposed, reason=texts["tie_reason"], **place)


def count_grades(session: Session, *, cycle_id: int) -> dict[str, int]:
    """Return how many have each final grade in a cycle."""
    statement = (
        select(RatingSubject.grade_final, func.count())
        .where(RatingSubject.cycle_id == cycle_id, RatingSubject.grade_final.is_not(None))
        .group_by(RatingSubject.grade_final)
    )
    return {str(grade): count for grade, count in session.execute(statement)}
