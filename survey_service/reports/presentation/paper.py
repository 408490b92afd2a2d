"""Paper as pages show it: batches, how far each list has come, and the screens on which it is keyed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from survey_service.campaigns.models import Campaign
from survey_service.campaigns.queries import SubjectRow
from survey_service.campaigns.rules import Mode, RaterClass
from survey_service.core.texts import text
from survey_service.paper_entry.models import PaperBatch
from survey_service.paper_entry.rules import (
    BLANK_KEY,
    BUNDLE,
    SPOILED_KEY,
    WHOLE_SPOILED,
    BatchState,
    Column,
    Keying,
    ListKind,
    PaperForm,
    TotalsForm,
)
from survey_service.paper_entry.service import COUNTABLE, BatchView, ListState
from survey_service.questionnaires.option_sets import OPTION_SETS
from survey_service.reports.charts import Segment, stack
from survey_service.reports.presentation.forms import Choice, choices
from survey_service.reports.presentation.turnout import CampaignHead, campaign_head
from survey_service.staff.rules import Role

LOOKS = {"first": Keying.FIRST, "second": Keying.SECOND}


@dataclass(frozen=True)
class BatchRow:
    """A batch in the list; `numbers` are sentences, none while it is open."""

    id: int
    name: str
    label: str
    state: str
    state_label: str
    issued: int
    numbers: Sequence[str]
    segments: Sequence[Segment]
    """The parts of what was returned."""


@dataclass(frozen=True)
class PaperPage:
    head: CampaignHead
    batches: Sequence[BatchRow]
    may_open: bool
    organizations: Sequence[Choice]
    classes: Sequence[Choice]
    modes: Sequence[Choice]
    printed: Sequence[Choice]
    """What can be printed; nothing for whoever stands above nobody."""


@dataclass(frozen=True)
class LookView:
    """One person's keying of a list: `act` is what the reader can do about it, or empty."""

    name: str
    label: str
    lines: int
    is_finished: bool
    is_own: bool
    may_key: bool


@dataclass(frozen=True)
class DifferenceView:
    """Where two people read something else, in words; `settled` is what a third look read, or empty."""

    position: int
    label: str
    first: str
    second: str
    settled: str
    slot: int = 0


@dataclass(frozen=True)
class ListView:
    kind: str
    title: str
    hint: str
    looks: Sequence[LookView]
    state: str
    state_label: str
    differences: Sequence[DifferenceView]
    may_settle: bool
    may_confirm: bool


@dataclass(frozen=True)
class BatchPage:
    head: CampaignHead
    row: BatchRow
    lists: Sequence[ListView]
    is_open: bool
    is_ready: bool


@dataclass(frozen=True)
class KeyView:
    key: str
    label: str


@dataclass(frozen=True)
class ColumnView:
    number: int
    text: str
    keys: Sequence[KeyView]


@dataclass(frozen=True)
class EntryLine:
    position: int
    value: str
    error: str


@dataclass(frozen=True)
class TotalLine:
    """A line of a meeting's sheet: what it is about, and a labelled number for each option."""

    position: int
    label: str
    cells: Sequence[tuple[str, str]]
    error: str


@dataclass(frozen=True)
class EntryPage:
    head: CampaignHead
    row: BatchRow
    kind: str
    look: str
    look_label: str
    title: str
    bundle: int
    columns: Sequence[ColumnView]
    lines: Sequence[EntryLine]
    totals: Sequence[TotalLine]
    keyed: int
    error: str
    legend: Sequence[KeyView]


def paper_page(
    campaign: Campaign,
    found: Sequence[tuple[PaperBatch, SubjectRow]],
    subjects: Sequence[SubjectRow],
    classes: Sequence[RaterClass],
    *,
    role: Role,
    now: datetime,
) -> PaperPage:
    """Show the batches, newest first, and the form of another one."""
    is_countable = campaign.window.state(now) in COUNTABLE and campaign.frozen_at is None
    return PaperPage(
        head=campaign_head(campaign, role=role, current="paper", now=now),
        batches=[batch_row(batch, subject) for batch, subject in reversed(found)],
        may_open=is_countable and bool(subjects),
        organizations=[Choice(one.organization_code, one.name) for one in subjects],
        classes=choices(classes, "campaigns.class_"),
        modes=choices((Mode.PAPER, Mode.PAPER_TOTAL), "campaigns.mode_"),
        printed=_printed() if subjects else (),
    )


def _printed() -> list[Choice]:
    with_stubs = [
        Choice(str(mode), text("paper.print_stubs", mode=text(f"campaigns.mode_{mode}")))
        for mode in (Mode.HOUSEHOLD, Mode.PANEL)
    ]
    return [*with_stubs, Choice(str(Mode.PAPER_TOTAL), text("paper.print_meeting"))]


def batch_row(batch: PaperBatch, subject: SubjectRow) -> BatchRow:
    return BatchRow(
        id=batch.id,
        name=subject.name,
        label="·".join([text(f"campaigns.mode_{batch.mode}"), text(f"campaigns.class_{batch.rater_class}")]),
        state=str(batch.state),
        state_label=text(f"paper.state_{batch.state}"),
        issued=batch.issued,
        numbers=list(_numbers(batch)),
        segments=_segments(batch),
    )


def _numbers(batch: PaperBatch) -> Iterator[str]:
    """Yield what came of a batch in sentences."""
    if batch.state is BatchState.DISCARDED:
        yield text("paper.discarded_because", reason=batch.reason)
    if batch.returned is None:
        return
    for name in ("returned", "invalid", "blank", "partly_spoiled", "set_aside"):
        number = getattr(batch, name) or 0
        if number or name == "returned":
            yield text(f"paper.number_{name}", number=number)
    if batch.returned > batch.issued:
        yield text("paper.more_than_issued", issued=batch.issued, returned=batch.returned)


def _segments(batch: PaperBatch) -> Sequence[Segment]:
    """Return the parts of the returned ballots: read, blank, set aside, spoiled; none of an open batch."""
    if not batch.returned:
        return ()
    others = (batch.blank or 0, batch.set_aside or 0, batch.invalid or 0)
    names = ("read", "blank", "set_aside", "invalid")
    numbers = (max(0, batch.returned - sum(others)), *others)
    return stack([(text(f"paper.part_{name}"), n) for name, n in zip(names, numbers, strict=True)])


def batch_page(
    view: BatchView, forms: tuple[PaperForm, TotalsForm], *, staff_id: int, role: Role, now: datetime
) -> BatchPage:
    return BatchPage(
        head=campaign_head(view.campaign, role=role, current="paper", now=now),
        row=batch_row(view.batch, view.subject),
        lists=[_list(one, forms, staff_id) for one in view.lists],
        is_open=view.batch.state is BatchState.OPEN,
        is_ready=all(one.is_ready for one in view.lists),
    )


def _list(one: ListState, forms: tuple[PaperForm, TotalsForm], staff_id: int) -> ListView:
    differences = list(_differences(one, forms))
    state = _state_of(one)
    number = len(one.differences or one.stub_differences or ())
    return ListView(
        kind=str(one.kind),
        title=text(f"paper.list_{one.kind}"),
        hint=text(f"paper.list_{one.kind}_hint"),
        looks=[_look(name, one, staff_id) for name in LOOKS],
        state=state,
        state_label=text(f"paper.list_is_{state}", number=number),
        differences=differences,
        may_settle=one.row.first_finished and one.row.second_finished,
        may_confirm=one.waits_for_confirmation and one.row.settled_by != staff_id,
    )


def _state_of(one: ListState) -> str:
    if one.is_ready:
        return "ready"
    if one.waits_for_confirmation:
        return "waiting"
    return "keying" if one.differences is None and one.stub_differences is None else "differing"


def _look(name: str, one: ListState, staff_id: int) -> LookView:
    row = one.row
    is_first = name == "first"
    keyer = row.first_by if is_first else row.second_by
    other = row.second_by if is_first else row.first_by
    is_finished = row.first_finished if is_first else row.second_finished
    return LookView(
        name=name,
        label=text(f"paper.look_{name}"),
        lines=one.lines[LOOKS[name]],
        is_finished=is_finished,
        is_own=keyer == staff_id,
        may_key=not is_finished and keyer in (None, staff_id) and other != staff_id,
    )


def _differences(one: ListState, forms: tuple[PaperForm, TotalsForm]) -> Iterator[DifferenceView]:
    for stub in one.stub_differences or ():
        label = text("paper.stub_serial", mode=text(f"campaigns.mode_{stub.mode}"), serial=stub.serial)
        settled = "1" if stub.by_third else ""
        yield DifferenceView(0, label, _found(stub.by_first), _found(stub.by_second), settled, stub.slot)
    shown = {line.position: (line.first or "—", line.second or "—") for line in one.differences or ()}
    for place in sorted(shown.keys() | one.settled.keys()):
        first, second = shown.get(place, ("", ""))
        label = _position(one.kind, place, forms[1])
        yield DifferenceView(place, label, first, second, one.settled.get(place, ""))


def _found(is_found: bool) -> str:
    return text("paper.stub_found" if is_found else "paper.stub_missing")


def _position(kind: ListKind, position: int, totals: TotalsForm) -> str:
    if kind is ListKind.BALLOTS:
        return text("paper.ballot_number", number=position)
    return totals.items[position - 1].text if position else text("paper.returned")


def entry_page(
    view: BatchView,
    forms: tuple[PaperForm, TotalsForm],
    *,
    kind: ListKind,
    look: str,
    bundle: int,
    keyed: Mapping[int, str],
    number: int,
    typed: Sequence[str] | None = None,
    errors: Mapping[str, Sequence[str]] | None = None,
    role: Role,
    now: datetime,
) -> EntryPage:
    """Show one screen of a list: a bundle of ballots or stubs, or a meeting's whole sheet.

    `keyed` are the reader's own lines, `typed` what he has just sent with its errors.
    """
    found = errors or {}
    return EntryPage(
        head=campaign_head(view.campaign, role=role, current="paper", now=now),
        row=batch_row(view.batch, view.subject),
        kind=str(kind),
        look=look,
        look_label=text(f"paper.look_{look}"),
        title=text(f"paper.list_{kind}"),
        bundle=bundle,
        columns=[_column(n, one) for n, one in enumerate(forms[0].columns, start=1)],
        lines=list(_lines(kind, bundle, keyed, typed, found)),
        totals=list(_totals(forms[1], keyed, typed, found)) if kind is ListKind.TOTALS else [],
        keyed=number,
        error="".join(found.get("lines", ())),
        legend=[
            KeyView(BLANK_KEY, text("paper.key_blank")),
            KeyView(SPOILED_KEY, text("paper.key_spoiled")),
            KeyView(WHOLE_SPOILED, text("paper.key_whole")),
        ],
    )


def _column(number: int, column: Column) -> ColumnView:
    return ColumnView(
        number, column.text, [KeyView(key, option.label) for key, option in column.keys.items()]
    )


def _lines(
    kind: ListKind,
    bundle: int,
    keyed: Mapping[int, str],
    typed: Sequence[str] | None,
    errors: Mapping[str, Sequence[str]],
) -> Iterator[EntryLine]:
    if kind is ListKind.TOTALS:
        return
    first = first_of(bundle)
    for place in range(BUNDLE):
        stored = "" if kind is ListKind.STUBS else keyed.get(first + place, "")
        value = typed[place] if typed is not None and place < len(typed) else stored
        yield EntryLine(first + place, value, "".join(errors.get(f"lines.{place}", ())))


def _totals(
    form: TotalsForm,
    keyed: Mapping[int, str],
    typed: Sequence[str] | None,
    errors: Mapping[str, Sequence[str]],
) -> Iterator[TotalLine]:
    for position in range(len(form.items) + 1):
        labels = [text("paper.returned")] if position == 0 else _total_labels(form, position)
        written = typed[position] if typed is not None and position < len(typed) else keyed.get(position, "")
        numbers = written.split(",") if written else []
        cells = [(label, numbers[n] if n < len(numbers) else "") for n, label in enumerate(labels)]
        label = _position(ListKind.TOTALS, position, form)
        yield TotalLine(position, label, cells, "".join(errors.get(f"lines.{position}", ())))


def _total_labels(form: TotalsForm, position: int) -> list[str]:
    options = OPTION_SETS[form.items[position - 1].option_set].options
    return [*(one.label for one in options), text("paper.key_blank"), text("paper.key_spoiled")]


def first_of(bundle: int) -> int:
    """Return the position of the first ballot of a bundle; bundles count from 1."""
    return (bundle - 1) * BUNDLE + 1
