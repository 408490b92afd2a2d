"""One subject of a rating as people fill it in: a level's sheet beside those of the others."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from survey_service.core.clock import local_text
from survey_service.core.texts import text
from survey_service.ratings.reading import due_step
from survey_service.ratings.record_schemas import EvidenceLinkIn, EvidencePlaceIn, LevelIn, ReturnIn, VisitIn
from survey_service.ratings.records import Records
from survey_service.ratings.schemas import FindingsIn, SheetIn
from survey_service.ratings.sheets import PART_OF, level_words
from survey_service.ratings.vocabulary import Level, Source, StepKind, VisitOutcome
from survey_service.reports.presentation.forms import Body, Choice, FormView, body_of, choices, load
from survey_service.reports.presentation.ratings import CycleView, cycle_view
from survey_service.reports.presentation.turnout import UNKNOWN
from survey_service.staff.rules import Role

Json = Mapping[str, Any]
NO_CHECKS = "-"
"""What a form says where not one of the checks is passed; nothing ticked means not looked at yet."""

_HOME_LEVEL = {
    Role.BRANCH_SECRETARY: Level.SELF,
    Role.TOWN_STAFF: Level.TOWN,
    Role.COUNTY_ADMIN: Level.COUNTY,
}
_BELOW = {
    Role.BRANCH_SECRETARY: (Level.SELF,),
    Role.TOWN_STAFF: (Level.SELF, Level.TOWN),
    Role.COUNTY_ADMIN: (Level.SELF, Level.TOWN, Level.COUNTY),
}


@dataclass(frozen=True)
class Told:
    """What another level has written for an indicator."""

    level: str
    value: str
    note: str


@dataclass(frozen=True)
class LineView:
    """One indicator: the fields of the level that fills it in, and what the others have written.

    `scorers` says who does where the level has nothing to fill in.
    """

    code: str
    title: str
    group: str
    maximum: str
    part: str
    value: str
    shown: str
    ticked: frozenset[str]
    note: str
    options: Sequence[Choice]
    told: Sequence[Told]
    differs: bool
    is_mass: bool
    scorers: str
    error: str


@dataclass(frozen=True)
class EvidenceView:
    id: int
    indicator: str
    level: str
    title: str
    url: str
    is_file: bool
    may_detach: bool


@dataclass(frozen=True)
class TickView:
    """A finding that can be ticked, with its note; or an item of X or Y with the most of it."""

    name: str
    title: str
    value: str
    is_ticked: bool = False
    maximum: str = ""


@dataclass(frozen=True)
class SheetPage:
    """`level` is whose sheet is shown for filling in; None where the reader only looks."""

    cycle: CycleView
    code: str
    name: str
    level: Level | None
    level_title: str
    other_levels: Sequence[Choice]
    is_open: bool
    is_submitted: bool
    lines: Sequence[LineView]
    columns: Sequence[str]
    totals: Sequence[tuple[str, str]]
    is_mass_beside: bool
    """A campaign gives the mass score: it is not in these totals."""
    form: FormView
    evidence: Sequence[EvidenceView]
    indicators: Sequence[Choice]
    restrictions: Sequence[TickView]
    bonus: Sequence[TickView]
    penalty: Sequence[TickView]
    fields: Sequence[Choice]
    field: str
    exclusion: str
    visits: Sequence[Sequence[str]]
    outcomes: Sequence[Choice]
    returns: Sequence[str]
    returnable: Sequence[Choice]
    may_find: bool
    may_visit: bool
    due: str

    @property
    def url(self) -> str:
        return f"/staff/ratings/{self.cycle.id}/sheets/{self.code}"


def level_asked_for(given: str, role: Role) -> Level | None:
    """Return whose sheet is filled in: one's own, or that of a level below whose paper form is keyed in."""
    allowed = _BELOW.get(role, ())
    return Level(given) if given in allowed else _HOME_LEVEL.get(role)


def sheet_page(
    cycle: Json,
    document: Json,
    subject: Json,
    records: Records,
    *,
    level: Level | None,
    role: Role,
    form: FormView | None = None,
) -> SheetPage:
    form, is_office = form or FormView(), role in {Role.TOWN_STAFF, Role.COUNTY_ADMIN}
    is_submitted = level is not None and level.value in subject["submitted"]
    is_returned = any(one.level is level and one.answered_at is None for one in records.returns)
    is_open = level is not None and not is_submitted and (is_returned or _is_in_time(cycle, level))
    found = subject["findings"]
    lines = list(_lines(document, subject, level, form))
    return SheetPage(
        cycle=cycle_view(cycle),
        code=subject["organization_code"],
        name=subject["name"],
        level=level,
        level_title=_level(level) if level else "",
        other_levels=[Choice(one, _level(one)) for one in _BELOW.get(role, ()) if one is not level],
        is_open=is_open,
        is_submitted=is_submitted,
        lines=lines,
        columns=[_level(one) for one in Level if one is not level],
        totals=[(_level(one), subject["totals"][one] or UNKNOWN) for one in Level],
        is_mass_beside=cycle["campaign_id"] is not None and any(line.is_mass for line in lines),
        form=form,
        evidence=[_evidence(one, cycle, subject, lines, level, is_open) for one in records.evidence],
        indicators=[Choice(line.code, line.title) for line in lines],
        restrictions=[
            TickView(one["code"], one["title"], notes.get(one["code"], ""), one["code"] in notes)
            for notes in [found.get("findings", {})]
            for one in document.get("restrictions") or ()
        ],
        bonus=list(_adjustments(document, found, "bonus")),
        penalty=list(_adjustments(document, found, "penalty")),
        fields=[Choice(one["code"], one["title"]) for one in document.get("fields") or ()],
        field=subject["field"] or "",
        exclusion=subject["excluded"] or "",
        visits=[_visit(one) for one in records.visits],
        outcomes=choices(VisitOutcome, "rating_work.outcome_"),
        returns=[_returned(one) for one in records.returns],
        returnable=[
            Choice(one, _level(one))
            for one in _BELOW.get(role, ())[: -1 if role is Role.TOWN_STAFF else None]
            if one.value in subject["submitted"] or not _is_in_time(cycle, one)
        ],
        may_find=is_office and not cycle["is_final"],
        may_visit=is_office and (not cycle["is_final"] or _is_announced(cycle)),
        due=_due(cycle),
    )


def _is_announced(cycle: Json) -> bool:
    due = due_step(cycle)
    return due is not None and due["kind"] is StepKind.PUBLIC_NOTICE


def _is_in_time(cycle: Json, level: Level) -> bool:
    """Tell whether a step in which a level fills in its sheet is due, or still to come."""
    if cycle["is_final"]:
        return False
    kinds = {"self_assessment", "assessment", "review"}
    own = [one for one in cycle["steps"] if one["by"] is level and one["kind"] in kinds]
    deciding = [one for one in cycle["steps"] if one["decides"]]
    return not (own or deciding)[-1]["is_done"]


def _level(level: Level) -> str:
    return text(f"rating_work.level_{level}")


def _due(cycle: Json) -> str:
    due = due_step(cycle)
    if due is None or due["due_on"] is None:
        return ""
    return text("rating_work.due_on", day=due["due_on"].isoformat())


def _leaves(nodes: Sequence[Json], group: str = "") -> Iterator[tuple[Json, str]]:
    for node in nodes:
        if node.get("children"):
            yield from _leaves(node["children"], node["title"])
        else:
            yield node, group


def _lines(document: Json, subject: Json, level: Level | None, form: FormView) -> Iterator[LineView]:
    entries = {one["code"]: one for one in subject["entries"]}
    for leaf, group in _leaves(document["indicators"]):
        if leaf["code"] in entries:
            yield _line(leaf, group, entries[leaf["code"]], level, form)


def _line(leaf: Json, group: str, entry: Json, level: Level | None, form: FormView) -> LineView:
    code, part = leaf["code"], PART_OF[Source(leaf.get("source", "points"))]
    own = entry[_key(level)] if level else None
    name = f"{part}.{code}"
    return LineView(
        code=code,
        title=leaf["title"],
        group=group,
        maximum=entry["maximum"],
        part=part,
        value=form.value(name, own if isinstance(own, str) else ""),
        shown=_shown(leaf, own),
        ticked=frozenset(own if isinstance(own, list) and own else [NO_CHECKS] if own == [] else []),
        note=form.value(f"notes.{code}", entry["notes"].get(level, "") if level else ""),
        options=[
            Choice(one["code"], one["title"]) for one in leaf.get("options") or leaf.get("checks") or ()
        ],
        told=[
            Told(_level(one), _shown(leaf, entry[_key(one)]), entry["notes"].get(one, ""))
            for one in Level
            if one is not level
        ],
        differs=entry["differs"],
        is_mass=entry["source"] == Source.MASS,
        scorers=level_words(entry["scored_by"]) if level and level not in entry["scored_by"] else "",
        error=form.error(name),
    )


def _key(level: Level) -> str:
    return "self_" if level is Level.SELF else level.value


def _shown(leaf: Json, value: Any) -> str:
    if value is None:
        return UNKNOWN
    if isinstance(value, list):
        return text("rating_work.passed", count=len(value), of=len(leaf["checks"]))
    titles = {one["code"]: one["title"] for one in leaf.get("options") or ()}
    return str(titles.get(value, value))


def _evidence(
    one: Any, cycle: Json, subject: Json, lines: Sequence[LineView], level: Level | None, is_open: bool
) -> EvidenceView:
    titles = {line.code: line.title for line in lines}
    download = (
        f"/api/v1/rating-cycles/{cycle['id']}/subjects/{subject['organization_code']}/evidence/{one.id}"
    )
    return EvidenceView(
        id=one.id,
        indicator=titles.get(one.indicator, one.indicator),
        level=_level(one.level),
        title=one.title,
        url=one.url or download,
        is_file=one.url is None,
        may_detach=is_open and one.level is level,
    )


def _adjustments(document: Json, found: Json, side: str) -> Iterator[TickView]:
    given = found.get(side, {})
    for one in (document.get(side) or {}).get("items", ()):
        yield TickView(one["code"], one["title"], given.get(one["code"], ""), maximum=str(one["points"]))


def _visit(one: Any) -> list[str]:
    outcome = text(f"rating_work.outcome_{one.outcome}")
    return [one.visited_on.isoformat(), one.visitors, outcome, one.words]


def _returned(one: Any) -> str:
    key = "rating_work.returned" if one.answered_at is None else "rating_work.returned_and_answered"
    return text(key, level=_level(one.level), at=local_text(one.at), remark=one.remark)


def sheet_asked_for(values: Any, document: Json, level: Level) -> Body:
    """Return the entries that a form holds; an empty field takes an entry away. Raises Invalid."""
    body: Body = {"by": level.value}
    for leaf, _ in _leaves(document["indicators"]):
        code, part = leaf["code"], PART_OF[Source(leaf.get("source", "points"))]
        if f"{part}.{code}" in values or f"shown.{code}" in values:
            body.setdefault(part, {})[code] = _asked(values, part, code)
        if f"notes.{code}" in values:
            body.setdefault("notes", {})[code] = values[f"notes.{code}"].strip() or None
    return load(SheetIn(), body)


def _asked(values: Any, part: str, code: str) -> Any:
    if part != "checks":
        return values.get(f"{part}.{code}", "").strip() or None
    ticked = values.getlist(f"checks.{code}")
    return [one for one in ticked if one != NO_CHECKS] if ticked else None


def findings_asked_for(values: Any, document: Json) -> Body:
    """Return the findings that a form holds, wholly; raises Invalid."""
    body: Body = {
        "findings": {code: values.get(f"note.{code}", "") for code in values.getlist("findings")},
        "excluded": values.get("excluded", "").strip() or None,
    }
    for side in ("bonus", "penalty"):
        items = (document.get(side) or {}).get("items", ())
        given = {one["code"]: values.get(f"{side}.{one['code']}", "").strip() for one in items}
        body[side] = {code: points for code, points in given.items() if points}
    if values.get("field"):
        body["field"] = values["field"]
    return load(FindingsIn(), body)


def visit_asked_for(values: Mapping[str, str]) -> Body:
    body = load(VisitIn(), body_of(values, VisitIn().fields))
    return {name: value for name, value in body.items() if name != "text"} | {"words": body["text"]}


def return_asked_for(values: Mapping[str, str]) -> Body:
    return _with_level(load(ReturnIn(), body_of(values, ReturnIn().fields)))


def level_in_form(values: Mapping[str, str]) -> Level:
    """Return the level that a form is about; raises Invalid."""
    level: Level = load(LevelIn(), body_of(values, ("by",)))["by"]
    return level


def link_asked_for(values: Mapping[str, str]) -> Body:
    return _with_level(load(EvidenceLinkIn(), body_of(values, EvidenceLinkIn().fields)))


def file_asked_for(values: Mapping[str, str]) -> Body:
    return _with_level(load(EvidencePlaceIn(), body_of(values, EvidencePlaceIn().fields)))


def _with_level(body: Body) -> Body:
    return {name: value for name, value in body.items() if name != "by"} | {"level": body["by"]}
