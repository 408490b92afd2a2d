"""Clear letters as staff see them: the list, one letter with its history, and what changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from survey_service.clear_letters.comparing import Change, compare
from survey_service.clear_letters.models import ClearLetterVersion
from survey_service.clear_letters.presentation import LetterView, letter_view, section_heading
from survey_service.clear_letters.queries import LetterRow, compared_with, read_content, state_of_version
from survey_service.clear_letters.rules import (
    Content,
    LetterState,
    SectionKind,
    count_characters,
    faults_before_submission,
)
from survey_service.clear_letters.service import sentences_of
from survey_service.clear_letters.tables import wrong_totals
from survey_service.core import clock
from survey_service.core.errors import Invalid
from survey_service.core.permissions import Identity
from survey_service.core.texts import has_text, text
from survey_service.organizations.models import Organization
from survey_service.organizations.rules import OrganizationKind, place_name
from survey_service.reports.charts import ChartColumn, Segment, columns, stack
from survey_service.reports.presentation.letter_forms import previewed
from survey_service.staff.rules import is_allowed

ORDER = (
    LetterState.SUBMITTED,
    LetterState.SENT_BACK,
    LetterState.DRAFT,
    LetterState.PUBLISHED,
    LetterState.WITHDRAWN,
)
"""What waits for somebody stands first."""
_CHIPS = {
    LetterState.DRAFT: "draft",
    LetterState.SUBMITTED: "suppressed",
    LetterState.SENT_BACK: "void",
    LetterState.PUBLISHED: "ok",
    LetterState.WITHDRAWN: "withdrawn",
}


@dataclass(frozen=True)
class LetterCard:
    """A letter in a list; `chip` colours its state."""

    id: int
    title: str
    place: str
    state: str
    chip: str
    since: str
    readings: int
    is_public: bool


@dataclass(frozen=True)
class StateLink:
    label: str
    number: int
    url: str
    is_current: bool


@dataclass(frozen=True)
class LettersPage:
    cards: Sequence[LetterCard]
    states: Sequence[StateLink]
    drawing: Sequence[Segment]
    without: Sequence[tuple[str, str]]
    """Code and name of the places that have no letter yet."""
    next_url: str


@dataclass(frozen=True)
class VersionView:
    number: int
    state: str
    chip: str
    moments: Sequence[str]
    remark: str
    url: str
    is_shown: bool


@dataclass(frozen=True)
class ChangeView:
    label: str
    change: Change


@dataclass(frozen=True)
class Advice:
    """What the writer should look at: what is missing, and sums that do not fit."""

    missing: Sequence[str]
    hints: Sequence[str]
    size: str


@dataclass(frozen=True)
class LetterPage:
    """One letter; the `can_` fields say what the reader may do with it now."""

    id: int
    title: str
    place: str
    state: str
    chip: str
    letter: LetterView
    shown_number: int
    versions: Sequence[VersionView]
    changes: Sequence[ChangeView]
    compared_number: int
    advice: Advice | None
    remark: str
    public_url: str
    days: Sequence[ChartColumn]
    readings: int
    can_edit: bool
    can_submit: bool
    can_decide: bool
    can_withdraw: bool
    can_print_households: bool
    codes_url: str
    """Where those of the whole village are printed."""


def letters_page(
    rows: Sequence[LetterRow],
    *,
    readings: Mapping[int, int],
    counts: Mapping[LetterState, int],
    state: LetterState | None,
    without: Sequence[Organization],
    page_size: int,
) -> LettersPage:
    narrowed = f"state={state}&" if state else ""
    return LettersPage(
        cards=[_card(row, readings.get(row.letter.id, 0)) for row in rows],
        states=[
            StateLink(
                text("clear_letters.all_states"), sum(counts.values()), "/staff/clear-letters", state is None
            ),
            *(_state_link(one, counts[one], state) for one in ORDER if counts[one] or one is state),
        ],
        drawing=stack([(text(f"clear_letters.state_{one}"), counts[one]) for one in ORDER]),
        without=[(one.code, place_name(one.name)) for one in without],
        next_url=f"/staff/clear-letters?{narrowed}cursor={rows[-1].letter.id}"
        if len(rows) == page_size
        else "",
    )


def _state_link(one: LetterState, number: int, current: LetterState | None) -> StateLink:
    label = text(f"clear_letters.state_{one}")
    return StateLink(label, number, f"/staff/clear-letters?state={one}", one is current)


def _card(row: LetterRow, readings: int) -> LetterCard:
    since = row.version.decided_at or row.version.submitted_at or row.version.changed_at
    return LetterCard(
        id=row.letter.id,
        title=row.letter.title or text("clear_letters.untitled"),
        place=place_name(row.organization_name),
        state=text(f"clear_letters.state_{row.state}"),
        chip=_CHIPS[row.state],
        since=clock.local_text(row.letter.withdrawn_at or since),
        readings=readings,
        is_public=row.is_public,
    )


def letter_page(
    row: LetterRow,
    versions: Sequence[ClearLetterVersion],
    *,
    reader: Identity,
    days: Sequence[tuple[date, int]],
    number: int | None,
    public_url: str,
    today: date,
) -> LetterPage:
    """Return the page of a letter; `number` chooses an older version to look at."""
    shown = next((one for one in versions if one.number == number), versions[0])
    earlier = compared_with(versions)
    content = read_content(shown)
    is_above = reader.is_above(row.path)
    may_write = is_allowed(reader.role, "clear_letters.compose")
    is_office = is_allowed(reader.role, "clear_letters.decide") and is_above
    is_draft = row.state is LetterState.DRAFT
    return LetterPage(
        id=row.letter.id,
        title=row.letter.title or text("clear_letters.untitled"),
        place=place_name(row.organization_name),
        state=text(f"clear_letters.state_{row.state}"),
        chip=_CHIPS[row.state],
        letter=view_of(row, content),
        shown_number=shown.number,
        versions=[_version_view(row, one, is_shown=one is shown) for one in versions],
        changes=change_views(read_content(earlier), read_content(versions[0]), row.kind) if earlier else [],
        compared_number=earlier.number if earlier else 0,
        advice=advice_on(content, today=today, kind=row.kind) if is_draft and shown is versions[0] else None,
        remark=_last_remark(row, versions),
        public_url=public_url if row.is_public else "",
        days=columns([(f"{day.month}/{day.day}", count) for day, count in days[-31:]]),
        readings=sum(count for _, count in days),
        can_edit=may_write and row.state in {LetterState.DRAFT, LetterState.SENT_BACK, LetterState.PUBLISHED},
        can_submit=may_write and is_draft,
        can_decide=is_office and row.state is LetterState.SUBMITTED and row.version.submitted_by != reader.id,
        can_withdraw=is_office and row.is_public,
        can_print_households=is_above
        and is_allowed(reader.role, "code_sheets.print")
        and row.is_public
        and row.letter.campaign_id is not None,
        codes_url=f"/staff/campaigns/{row.letter.campaign_id}/codes",
    )


def _last_remark(row: LetterRow, versions: Sequence[ClearLetterVersion]) -> str:
    """Return what the town wrote last, while the letter is still on its way."""
    is_done = row.state in {LetterState.PUBLISHED, LetterState.WITHDRAWN}
    return "" if is_done else next((one.remark for one in versions if one.remark), "")


def view_of(row: LetterRow, content: Content) -> LetterView:
    return letter_view(
        content, organization_name=row.organization_name, kind=row.kind, signed_at=row.letter.published_at
    )


def _version_view(row: LetterRow, version: ClearLetterVersion, *, is_shown: bool) -> VersionView:
    moments = [
        text(f"clear_letters.moment_{name}", at=clock.local_text(at))
        for name, at in (
            ("changed", version.changed_at),
            ("submitted", version.submitted_at),
            (str(version.decision), version.decided_at),
        )
        if at is not None
    ]
    state = state_of_version(version)
    return VersionView(
        number=version.number,
        state=text(f"clear_letters.state_{state}"),
        chip=_CHIPS[state],
        moments=moments,
        remark=version.remark,
        url=f"/staff/clear-letters/{row.letter.id}?version={version.number}",
        is_shown=is_shown,
    )


def change_views(before: Content, after: Content, kind: OrganizationKind) -> list[ChangeView]:
    """Return what changed, each place under its name."""
    return [ChangeView(place_label(change.place, kind), change) for change in compare(before, after)]


def place_label(place: str, kind: OrganizationKind) -> str:
    """Return the name of a place in a letter, such as 财务公开 · 表格 1."""
    parts = place.split(".")
    if parts[0] != "sections" or len(parts) == 1:
        name = f"clear_letters.field_{parts[0]}"
        return text(name if has_text(name) else "clear_letters.heading")
    heading = section_heading(SectionKind(parts[1]), kind)
    is_table = len(parts) > 3
    return (
        text("clear_letters.table_label", heading=heading, number=int(parts[3]) + 1) if is_table else heading
    )


def error_lines(errors: Mapping[str, Sequence[str]], kind: OrganizationKind) -> list[tuple[str, str]]:
    """Return every error with the place to which it leads, said with the name of the place."""
    return [
        (place, text("staff_pages.labelled", label=place_label(place, kind)) + "".join(sentences))
        for place, sentences in errors.items()
    ]


def advice_on(content: Content, *, today: date, kind: OrganizationKind) -> Advice:
    """Return what is missing before the letter can be sent in, and sums that do not fit."""
    found = sentences_of(faults_before_submission(content, today=today))
    missing = [sentence for _, sentence in error_lines(found, kind)]
    hints = [
        f"{place_label(place, kind)}："
        + text("clear_letters.wrong_total", column=column, written=f"{written:,}", sum=f"{right:,}")
        for place, table in content.tables
        if table.rows
        for column, written, right in wrong_totals(table)
    ]
    return Advice(missing, hints, text("clear_letters.size", count=count_characters(content)))


@dataclass(frozen=True)
class Preview:
    """What a letter would look like; without a letter only what is wrong."""

    letter: LetterView | None
    advice: Advice


def preview_of(values: Mapping[str, str], place: Organization, *, today: date) -> Preview:
    """Return the letter that a form holds so far."""
    try:
        content = previewed(values)
    except Invalid as error:
        wrong = [sentence for _, sentence in error_lines(error.errors, place.kind)]
        return Preview(None, Advice(wrong, [], ""))
    view = letter_view(content, organization_name=place.name, kind=place.kind, signed_at=None)
    return Preview(view, advice_on(content, today=today, kind=place.kind))
