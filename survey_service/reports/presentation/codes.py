"""One-time codes as pages show them: what became of them, what is being printed, what can be done next."""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from survey_service.campaigns.rules import RaterClass, State
from survey_service.core import clock
from survey_service.core.texts import text
from survey_service.entrances.rules import OPEN_STATES, RevokedAs
from survey_service.entrances.slot_schemas import SlotMode
from survey_service.paper_entry.queries import SheetCounts
from survey_service.print_runs.queries import PartRow, RunProgress
from survey_service.print_runs.rules import MAX_TEXT_LENGTH, PartState, PrintLayout, PrintSplit
from survey_service.reports.charts import share
from survey_service.reports.codes import CodeBoard, PlaceCodes, SubjectPaper
from survey_service.reports.presentation.forms import Body, Choice, body_of, choices
from survey_service.reports.presentation.turnout import UNKNOWN, CampaignHead, campaign_head
from survey_service.staff.rules import Role, is_allowed

_KEY_BYTES = 12
NUMBERS = ("made", "printed", "handed_out", "undelivered", "revoked", "reissued")
_STAGES = ("made", "printed", "handed_out")


@dataclass(frozen=True)
class StageView:
    """One of the bars of the picture: how many of the codes have come so far."""

    label: str
    number: int
    width: str


@dataclass(frozen=True)
class PlaceRow:
    code: str
    name: str
    kinds: str
    numbers: Sequence[str]


@dataclass(frozen=True)
class RunView:
    id: int
    title: str
    made_at: str
    is_finished: bool
    share: str
    sentence: str
    remarks: Sequence[str]
    has_files: bool
    has_failed: bool


@dataclass(frozen=True)
class CodesPage:
    head: CampaignHead
    stages: Sequence[StageView]
    headings: Sequence[str]
    places: Sequence[PlaceRow]
    runs: Sequence[RunView]
    organizations: Sequence[Choice]
    modes: Sequence[Choice]
    classes: Sequence[Choice]
    layouts: Sequence[Choice]
    splits: Sequence[Choice]
    reasons: Sequence[Choice]
    most_text: int
    may_make: bool
    may_print: bool
    may_revoke: bool
    is_before_opening: bool
    key: str
    """Makes a form that is sent twice make its codes once."""
    refusal: str = ""
    faults: Sequence[str] = ()
    bad_rows: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class PartView:
    number: int
    name: str
    serials: str
    codes: int
    state: str
    state_label: str
    has_file: bool


@dataclass(frozen=True)
class RunPage:
    campaign_id: int
    run: RunView
    parts: Sequence[PartView]


def codes_board_page(
    board: CodeBoard,
    *,
    role: Role,
    now: datetime,
    refusal: str = "",
    errors: Mapping[str, Sequence[str]] | None = None,
) -> CodesPage:
    state = board.campaign.window.state(now)
    is_running = state in OPEN_STATES
    rated = [one for one in board.places if not one.is_panel]
    found = errors or {}
    # Rows and organizations have numbers; what else is named is a field, and needs no name on a page.
    named = [key for key in found if not key.isdecimal()]
    return CodesPage(
        head=campaign_head(board.campaign, role=role, current="codes", now=now),
        stages=_stages(board.places),
        headings=[text(f"code_pages.{name}") for name in (*NUMBERS, "used")],
        places=[_place(one) for one in board.places],
        runs=[run_view(one) for one in board.runs],
        organizations=[Choice("", text("code_pages.everywhere")), *map(_choice, board.places)],
        modes=[Choice(str(mode), text(f"campaigns.mode_{mode}")) for mode in SlotMode],
        classes=choices(RaterClass, "campaigns.class_"),
        layouts=choices(PrintLayout, "code_pages.layout_"),
        splits=choices(PrintSplit, "code_pages.split_"),
        reasons=choices(RevokedAs, "code_pages.reason_"),
        most_text=MAX_TEXT_LENGTH,
        may_make=board.is_above_some and is_running and is_allowed(role, "entrances.create"),
        may_print=bool(board.places) and is_running and is_allowed(role, "code_sheets.print"),
        may_revoke=bool(rated) and is_running and is_allowed(role, "entrances.revoke"),
        is_before_opening=state in {State.DRAFT, State.SCHEDULED},
        key=secrets.token_urlsafe(_KEY_BYTES),
        refusal=refusal,
        faults=[sentence for key in named for sentence in found[key]],
        bad_rows=[(key, "".join(sentences)) for key, sentences in found.items() if key not in named],
    )


def _choice(place: PlaceCodes) -> Choice:
    return Choice(place.organization_code, place.name)


def _stages(places: Sequence[PlaceCodes]) -> list[StageView]:
    """Return the bars from codes that were made to codes that were used, as far as the reader may see."""
    numbers = {name: sum(place.total(name) for place in places) for name in _STAGES}
    known = [place.used for place in places if place.used is not None]
    if known:
        numbers["used"] = sum(known)
    made = numbers["made"]
    return [
        StageView(text(f"code_pages.{name}"), number, share(min(number, made), made))
        for name, number in numbers.items()
        if made
    ]


def _place(place: PlaceCodes) -> PlaceRow:
    numbers = [str(place.total(name)) for name in NUMBERS]
    kinds = dict.fromkeys(text(f"campaigns.mode_{one.mode}") for one in place.counts)
    used = UNKNOWN if place.used is None else str(place.used)
    return PlaceRow(place.organization_code, place.name, "、".join(kinds), [*numbers, used])


def run_view(found: RunProgress) -> RunView:
    run = found.run
    kind = {"mode": text(f"campaigns.mode_{run.mode}"), "layout": text(f"code_pages.layout_{run.layout}")}
    remarks = [
        text(f"code_pages.run_{state}", count=count)
        for state, count in (("failed", found.failed), ("dropped", found.dropped))
        if count
    ]
    return RunView(
        id=run.id,
        title=text("code_pages.run_title", number=run.id, **kind),
        made_at=clock.local_text(run.created_at),
        is_finished=found.is_finished,
        share=share(found.parts - found.waiting, found.parts),
        sentence=text(
            "code_pages.run_progress",
            done=found.parts - found.waiting,
            parts=found.parts,
            codes=found.codes_printed,
        ),
        remarks=remarks,
        has_files=found.printed > 0,
        has_failed=found.failed > 0,
    )


def run_page(found: RunProgress, parts: Iterable[PartRow]) -> RunPage:
    return RunPage(found.run.campaign_id, run_view(found), [_part(one) for one in parts])


def _part(part: PartRow) -> PartView:
    return PartView(
        number=part.number,
        name=" ".join(filter(None, [part.name, part.group])),
        serials=f"{part.first_serial:04}–{part.last_serial:04}",
        codes=part.codes,
        state=part.state,
        state_label=text(f"code_pages.state_{part.state}"),
        has_file=part.state is PartState.PRINTED,
    )


def print_run_body(form: Mapping[str, str]) -> Body:
    """Return the body of a run of printing from its form; without an organization, all are meant."""
    body = body_of(form, ["mode", "layout", "split", "title", "text"])
    return body | _named(form) | {"is_new_only": "is_new_only" in form}


def hand_out_body(form: Mapping[str, str]) -> Body:
    return body_of(form, ["mode"]) | _named(form)


def _named(form: Mapping[str, str]) -> Body:
    code = form.get("organization_code", "")
    return {"organization_codes": [code]} if code else {}


def slots_body(form: Mapping[str, str]) -> Body:
    """Return the body of a revocation or reissue from its form."""
    names = ["organization_code", "mode", "rater_class", "serials"]
    return body_of(form, names) | ({"as": form["as"]} if form.get("as") else {})


Facts = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class PaperFacts:
    """What became of a subject's paper, to stand beside its score."""

    codes: Facts
    used: Facts
    sheets: Sequence[tuple[str, Facts]]
    has_panels: bool


def paper_of_subject(paper: SubjectPaper) -> PaperFacts:
    used = UNKNOWN if paper.used is None else str(sum(paper.used.values()))
    made = [(text(f"code_pages.{name}"), str(paper.total(name))) for name in NUMBERS[:5]]
    return PaperFacts(
        codes=[*made, (text("code_pages.used"), used)] if paper.codes else (),
        used=[
            (text(f"code_pages.used_{mode}"), str(number))
            for mode, number in (paper.used or {}).items()
            if number
        ],
        sheets=[(text(f"campaigns.mode_{one.mode}"), _sheets(one)) for one in paper.sheets],
        has_panels=any(one.subject_id is None for one in paper.codes),
    )


def _sheets(one: SheetCounts) -> Facts:
    numbers = {
        "sheets_issued": one.issued,
        "sheets_returned": one.returned,
        "sheets_missing": max(0, one.issued - one.returned),
        "sheets_set_aside": one.set_aside,
    }
    return [(text(f"code_pages.{name}"), str(number)) for name, number in numbers.items()]
