"""The forms of the published texts, each as one table with what stands above and below it.

They are built from what the pages show, so that a form never holds more than its reader may see.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction
from typing import Any

from sqlalchemy.orm import Session

from survey_service.campaigns.queries import get_campaign
from survey_service.core.errors import Conflict, Invalid, NotFound
from survey_service.core.exports import Cell
from survey_service.core.permissions import Identity
from survey_service.core.texts import text
from survey_service.questionnaires.queries import get_compiled
from survey_service.ratings import reading as reader
from survey_service.ratings.grades import scheme_of_cycle
from survey_service.ratings.health import lowest_items, ranks_in_groups
from survey_service.ratings.queries import get_cycle, list_subjects
from survey_service.ratings.records import read_records
from survey_service.ratings.rules import reward_sums
from survey_service.ratings.sheets import level_words
from survey_service.ratings.totals import show
from survey_service.ratings.vocabulary import Level, VisitOutcome

Json = Mapping[str, Any]


class FormKind(StrEnum):
    """A form of the texts; a scheme gives it its own title under the same code."""

    STANDARDS = "standards"
    SELF_ASSESSMENT = "self_assessment"
    MASS_BALLOT = "mass_ballot"
    MASS_SUMMARY = "mass_summary"
    ASSESSMENT = "assessment"
    PRELIMINARY_LIST = "preliminary_list"
    NEGATIVE_LIST = "negative_list"
    NOTICE_LIST = "notice_list"
    HEALTH_REPORT = "health_report"
    REWARDS = "rewards"


OF_ONE_SUBJECT = frozenset({FormKind.SELF_ASSESSMENT, FormKind.HEALTH_REPORT})
"""Those that are filled in for one subject each."""
OF_FINAL_GRADES = frozenset({FormKind.NOTICE_LIST, FormKind.REWARDS})


@dataclass(frozen=True)
class FormColumn:
    """A column with its share of the page's width."""

    heading: str
    width: int


@dataclass(frozen=True)
class Form:
    """One table; `facts` stand above it, `notes` and the lines to sign on below."""

    title: str
    subtitle: str
    columns: Sequence[FormColumn]
    rows: Sequence[Sequence[Cell]]
    facts: Sequence[tuple[str, str]] = ()
    notes: Sequence[str] = ()
    signatures: Sequence[str] = ()


@dataclass(frozen=True)
class _Source:
    """What a form is built from, all of it as the reader may see it."""

    session: Session
    staff: Identity
    cycle_id: int
    cycle: Json
    document: Json
    organization_code: str
    due_on: date | None

    @property
    def titles(self) -> dict[str, str]:
        return {band["grade"]: band["title"] for band in self.document["bands"]}

    def grade(self, code: str | None) -> str:
        return self.titles.get(code or "", "")

    def rows(self) -> list[Json]:
        table = reader.read_grades(self.session, staff=self.staff, cycle_id=self.cycle_id)
        return list(table["items"])

    def leaves(self) -> list[tuple[Json, str]]:
        return list(_leaves(self.document["indicators"], ""))


def _leaves(nodes: Sequence[Json], group: str) -> Iterator[tuple[Json, str]]:
    for node in nodes:
        if node.get("children"):
            yield from _leaves(node["children"], node["title"])
        else:
            yield node, group


def form_title(document: Json, kind: FormKind) -> str:
    """Return the title that a scheme gives a form, else the general one."""
    own = {one["code"]: one["title"] for one in document.get("forms") or ()}
    return str(own.get(kind.value) or text(f"rating_forms.title_{kind}"))


def list_forms(document: Json) -> list[FormKind]:
    """Return the forms that a scheme has a use for."""
    useless = set()
    if not document.get("rewards"):
        useless.add(FormKind.REWARDS)
    if not document.get("restrictions"):
        useless.add(FormKind.NEGATIVE_LIST)
    if document["mass"]["role"] == "none":
        useless |= {FormKind.MASS_BALLOT, FormKind.MASS_SUMMARY}
    return [kind for kind in FormKind if kind not in useless]


def build_form(
    session: Session,
    *,
    staff: Identity,
    cycle_id: int,
    kind: FormKind,
    organization_code: str = "",
    due_on: date | None = None,
) -> Form:
    """Return a form of a cycle; `due_on` is until when a health report asks for improvement.

    Raises NotFound, Forbidden, Invalid where a form of one subject names none, Conflict `wrong_step` for
    lists of final grades before there are any.
    """
    cycle = reader.read_cycle(session, staff=staff, cycle_id=cycle_id)
    document = reader.read_document(session, staff=staff, cycle_id=cycle_id)
    if kind not in list_forms(document):
        raise NotFound
    if kind in OF_ONE_SUBJECT and not organization_code:
        raise Invalid(errors={"organization_code": [text("schema.required")]})
    if kind in OF_FINAL_GRADES and not cycle["is_final"]:
        raise Conflict("wrong_step", step=text("ratings.grades_are_not_final"))
    source = _Source(session, staff, cycle_id, cycle, document, organization_code, due_on)
    return _BUILDERS[kind](source)


def _form(
    source: _Source, kind: FormKind, columns: Mapping[str, int], rows: Sequence[Sequence[Cell]], **more: Any
) -> Form:
    headings = [FormColumn(_heading(name), width) for name, width in columns.items()]
    title = form_title(source.document, kind)
    return Form(title, source.cycle["title"], headings, rows, **more)


def _heading(name: str) -> str:
    """A heading is a word of the catalogue; one that a scheme gives begins with `=`."""
    return name[1:] if name.startswith("=") else text(f"rating_forms.column_{name}")


def _numbered(rows: Sequence[Sequence[Cell]]) -> list[list[Cell]]:
    return [[number, *row] for number, row in enumerate(rows, start=1)]


def _standards(source: _Source) -> Form:
    rows = [
        [leaf["title"], group, show(Fraction(leaf.get("points") or 0)), _how(leaf)]
        for leaf, group in source.leaves()
    ]
    notes = [
        text("rating_forms.note_band", grade=band["title"], floor=band["min"])
        for band in source.document["bands"]
    ]
    notes += [_quota(one, source) for one in source.document.get("quotas") or ()]
    notes += [text("rating_forms.note_assumptions", count=len(source.document["assumptions"]))]
    columns = {"number": 6, "indicator": 30, "group": 24, "maximum": 10, "how": 30}
    return _form(source, FormKind.STANDARDS, columns, _numbered(rows), notes=notes)


def _how(leaf: Json) -> str:
    parts = leaf.get("checks") or leaf.get("options") or ()
    named = leaf.get("scored_by")
    by_whom = text("rating_forms.by_whom", levels=level_words(named)) if named else ""
    if leaf.get("source") == "mass":
        return text("rating_forms.how_mass") + by_whom
    return ("、".join(one["title"] for one in parts) or text("rating_forms.how_points")) + by_whom


def _quota(one: Json, source: _Source) -> str:
    side = "max_percent" if one.get("max_percent") is not None else "min_percent"
    return text(f"rating_forms.note_{side}", grade=source.grade(one["grade"]), percent=one[side])


def _self_assessment(source: _Source) -> Form:
    subject = _subject(source)
    rows = [
        [one["title"], one["maximum"], _own_entry(source, one), one["notes"].get(Level.SELF, "")]
        for one in subject["entries"]
    ]
    facts = [(text("rating_forms.subject"), subject["name"])]
    if subject["totals"][Level.SELF] is not None:
        facts.append((text("rating_forms.column_self"), subject["totals"][Level.SELF]))
    columns = {"number": 6, "indicator": 32, "maximum": 10, "self": 14, "note": 38}
    signatures = [text("rating_forms.sign_secretary"), text("rating_forms.sign_date")]
    is_divided = any(Level.SELF not in one["scored_by"] for one in subject["entries"])
    more = {"notes": [text("rating_forms.note_not_self")] if is_divided else [], "signatures": signatures}
    return _form(source, FormKind.SELF_ASSESSMENT, columns, _numbered(rows), facts=facts, **more)


def _own_entry(source: _Source, entry: Json) -> str:
    """Mark what the rated party does not assess itself, so that nobody fills it in on paper."""
    if Level.SELF not in entry["scored_by"]:
        return text("rating_forms.not_self", levels=level_words(entry["scored_by"]))
    is_beside = entry["source"] == "mass" and source.cycle["campaign_id"] is not None
    return text("rating_forms.how_mass") if is_beside else _entry(source, entry, "self_")


def _subject(source: _Source) -> Json:
    return reader.read_subject(
        source.session,
        staff=source.staff,
        cycle_id=source.cycle_id,
        organization_code=source.organization_code,
    )


def _entry(source: _Source, entry: Json, level: str) -> str:
    value = entry[level]
    leaf = next(leaf for leaf, _ in source.leaves() if leaf["code"] == entry["code"])
    words = {one["code"]: one["title"] for one in leaf.get("options") or leaf.get("checks") or ()}
    if isinstance(value, list):
        return "、".join(words[one] for one in value) or text("rating_work.no_checks")
    return str(words.get(value, value)) if value is not None else ""


def _mass_ballot(source: _Source) -> Form:
    """The items of the campaign's questionnaire, or the indicators where there is none."""
    items = [leaf["title"] for leaf, _ in source.leaves()]
    if source.cycle["campaign_id"] is not None:
        campaign = get_campaign(source.session, source.cycle["campaign_id"])
        plan = get_compiled(source.session, campaign.questionnaire_version_id).plan
        items = [item.text for item in plan.scored_items]
    options = ("satisfied", "basically_satisfied", "dissatisfied", "not_informed")
    columns = {"number": 6, "item": 42} | dict.fromkeys(options, 13)
    rows = [[item, *("□" for _ in options)] for item in items]
    notes = [text("rating_forms.note_mass_ballot"), text("rating_forms.note_opinions")]
    return _form(source, FormKind.MASS_BALLOT, columns, _numbered(rows), notes=notes)


def _mass_summary(source: _Source) -> Form:
    """Figures as they were released or sealed; withheld ones say so and nothing else."""
    rows = []
    for row in source.rows():
        mass = row["mass"] or {}
        status = text(f"ratings.status_{mass['status']}") if mass else text("rating_forms.no_mass")
        is_ok = mass.get("status") == "ok"
        figures = [mass.get(name) if is_ok else "" for name in ("score", "satisfaction_rate")]
        rows.append([row["name"], *figures, status])
    columns = {"number": 6, "name": 40, "mass_score": 16, "satisfaction_rate": 16, "status": 22}
    signatures = [text("rating_forms.sign_counter"), text("rating_forms.sign_date")]
    notes = [text("rating_forms.note_withheld")]
    kind = FormKind.MASS_SUMMARY
    return _form(source, kind, columns, _numbered(rows), notes=notes, signatures=signatures)


def _assessment(source: _Source) -> Form:
    rows = [
        [
            row["name"],
            *(row["levels"][level] or "" for level in Level),
            row["mass_score"] or "",
            row["total"] or "",
            source.grade(row["grade_final"] or row["grade_proposed"]),
            text("rating_forms.excluded", reason=row["excluded"]) if row["excluded"] else "",
        ]
        for row in source.rows()
    ]
    columns = {"number": 6, "name": 26, "self": 11, "town": 11, "county": 11}
    columns |= {"mass_score": 11, "total": 11, "grade": 11, "remark": 14}
    notes = [] if source.cycle["is_final"] else [text("rating_forms.note_draft")]
    signatures = [text("rating_forms.sign_town"), text("rating_forms.sign_county")]
    kind = FormKind.ASSESSMENT
    return _form(source, kind, columns, _numbered(rows), notes=notes, signatures=signatures)


def _preliminary_list(source: _Source) -> Form:
    best = source.document["bands"][0]["grade"]
    rows = [[row["name"], row["total"]] for row in source.rows() if row["grade_proposed"] == best]
    columns = {"number": 8, "name": 62, "total": 30}
    facts = [(text("rating_forms.column_grade"), source.grade(best))]
    return _form(source, FormKind.PRELIMINARY_LIST, columns, _numbered(rows), facts=facts)


def _negative_list(source: _Source) -> Form:
    titles = {one["code"]: one for one in source.document["restrictions"]}
    rows = []
    for one in list_subjects(source.session, source.cycle_id, within_path=source.staff.path):
        for code, note in reader.read_findings(one, source.cycle, source.staff).items():
            blocked = "、".join(map(source.grade, titles[code]["grades"]))
            rows.append([one.name, titles[code]["title"], note, blocked])
    columns = {"number": 6, "name": 26, "finding": 28, "note": 24, "blocked": 16}
    return _form(source, FormKind.NEGATIVE_LIST, columns, _numbered(rows))


def _notice_list(source: _Source) -> Form:
    order = list(source.titles)
    graded = [row for row in source.rows() if row["grade_final"]]
    graded.sort(key=lambda row: order.index(row["grade_final"]))
    rows = [[row["name"], source.grade(row["grade_final"])] for row in graded]
    given = [row["grade_final"] for row in graded]
    facts = [(title, str(given.count(grade))) for grade, title in source.titles.items()]
    due = [one["due_on"] for one in source.cycle["steps"] if one["kind"] == "public_notice"]
    notes = [text("rating_forms.note_notice", day=day.isoformat()) for day in due if day is not None]
    columns = {"number": 10, "name": 60, "grade": 30}
    return _form(source, FormKind.NOTICE_LIST, columns, _numbered(rows), facts=facts, notes=notes)


def _rewards(source: _Source) -> Form:
    scheme = scheme_of_cycle(get_cycle(source.session, source.cycle_id))
    graded = [(row["name"], row["grade_final"], row["field"]) for row in source.rows()]
    rows: list[list[Cell]] = []
    for name, grade, field in graded:
        amounts = [reward.amount(grade, field) for reward in scheme.rewards]
        year = sum(
            (amount * one.times for amount, one in zip(amounts, scheme.rewards, strict=True)), Fraction()
        )
        if year:
            rows.append([name, source.grade(grade), *map(show, amounts), show(year)])
    sums = reward_sums(scheme, [(grade, field) for _, grade, field in graded])
    totals = [sums[one.code][1] for one in scheme.rewards]
    numbered = _numbered(rows)
    numbered.append([None, text("rating_forms.sum"), "", *map(show, totals), show(sum(totals, Fraction()))])
    own = {f"={one.title}（{one.unit}）": 18 for one in scheme.rewards}
    columns = {"number": 6, "name": 26, "grade": 12} | own | {"year": 18}
    notes = [_reward_note(one.title, sums[one.code]) for one in scheme.rewards]
    return _form(source, FormKind.REWARDS, columns, numbered, notes=notes)


def _reward_note(title: str, found: tuple[int, Fraction]) -> str:
    return text("rating_forms.note_reward", title=title, count=found[0], sum=show(found[1]) or "")


def _health_report(source: _Source) -> Form:
    place: dict[str, Any] = {
        "staff": source.staff,
        "cycle_id": source.cycle_id,
        "organization_code": source.organization_code,
    }
    trace = reader.read_trace(source.session, **place)
    subject = _subject(source)
    rank, of = ranks_in_groups(source.session, source.cycle_id)[source.organization_code]
    lowest = lowest_items(trace["proposal"]["total"]["indicators"])
    rows = [[one.title, one.value, one.maximum, one.percent, one.suggestion] for one in lowest]
    until = source.due_on.isoformat() if source.due_on else text("rating_forms.by_hand")
    grade = source.grade(trace["grade_final"] or trace["proposal"]["grade_proposed"])
    facts = [
        (text("rating_forms.subject"), subject["name"]),
        (text("rating_forms.column_grade"), grade),
        (text("rating_forms.column_total"), trace["proposal"]["total"]["value"] or ""),
        (text("rating_forms.rank"), text("rating_forms.rank_of", rank=rank, of=of) if rank else ""),
        (text("rating_forms.until"), until),
    ]
    columns = {"indicator": 26, "value": 11, "maximum": 11, "percent": 12, "suggestion": 40}
    problems = [text("rating_forms.problem", words=one) for one in _problems(source, place, trace)]
    notes = problems or [text("rating_forms.no_problems")]
    signatures = [text("rating_forms.sign_county"), text("rating_forms.sign_date")]
    kind = FormKind.HEALTH_REPORT
    return _form(source, kind, columns, rows, facts=facts, notes=notes, signatures=signatures)


def _problems(source: _Source, place: Mapping[str, Any], trace: Json) -> Iterator[str]:
    """What blocked a grade or moved it, what differed on the spot, and why sheets were handed back."""
    yield from trace["reasons"][1:]
    records = read_records(source.session, **place)
    for visit in records.visits:
        if visit.outcome is VisitOutcome.DIFFERS:
            yield text("rating_forms.visit", day=visit.visited_on.isoformat(), words=visit.words)
    for returned in records.returns:
        yield text("rating_forms.returned", remark=returned.remark)


_BUILDERS: Mapping[FormKind, Callable[[_Source], Form]] = {
    FormKind.STANDARDS: _standards,
    FormKind.SELF_ASSESSMENT: _self_assessment,
    FormKind.MASS_BALLOT: _mass_ballot,
    FormKind.MASS_SUMMARY: _mass_summary,
    FormKind.ASSESSMENT: _assessment,
    FormKind.PRELIMINARY_LIST: _preliminary_list,
    FormKind.NEGATIVE_LIST: _negative_list,
    FormKind.NOTICE_LIST: _notice_list,
    FormKind.HEALTH_REPORT: _health_report,
    FormKind.REWARDS: _rewards,
}
