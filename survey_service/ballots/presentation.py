"""What the voter's templates are given: view objects without any logic left in them."""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from flask import current_app, render_template
from markupsafe import Markup

from survey_service.ballots import access
from survey_service.ballots.queries import ReceiptState
from survey_service.ballots.schemas import shown_item
from survey_service.ballots.voting import OpenedPage
from survey_service.campaigns.rules import Mode, State
from survey_service.core import clock
from survey_service.core.errors import ServiceError
from survey_service.core.http import public_url
from survey_service.core.texts import text
from survey_service.entrances.queries import OpenedEntrance
from survey_service.questionnaires.queries import CompiledVersion
from survey_service.questionnaires.rules import FormFields

_SECRET_BYTES = 24
_STATUS_CLOSED = 410
_MOST_PAGES_KEPT = 500
"""About 7 MB: one page for each village of a large county."""
_CODE_PLACE, _TICKET_PLACE = "\x01", "\x02"


@dataclass(frozen=True)
class Action:
    label: str
    url: str
    is_primary: bool = False


@dataclass(frozen=True)
class Dispute:
    """The button "this was not me": a form, since it works without scripts."""

    action: str
    ticket: str
    organization_code: str = ""
    """Which ballot is meant, where one code rates several subjects."""


@dataclass(frozen=True)
class Message:
    """A page in the place of the questionnaire: what happened and what to do."""

    kind: str
    heading: str
    sentence: str
    actions: Sequence[Action] = ()
    organization_name: str = ""
    retry_after: int | None = None
    status: int = 200
    dispute: Dispute | None = None
    shows_ways: bool = False
    """Whether the other ways to take part are named: one phone often serves three generations."""


@dataclass(frozen=True)
class CodeEntry:
    action: str
    code: str
    error: str


@dataclass(frozen=True)
class Lookup:
    action: str
    receipt: str
    state: ReceiptState | None


@dataclass(frozen=True)
class Village:
    name: str
    url: str


@dataclass(frozen=True)
class Others:
    title: str
    villages: Sequence[Village]
    back_url: str


@dataclass(frozen=True)
class WaysWithoutWeChat:
    """What somebody can do who has opened a posted code outside WeChat."""

    organization_name: str
    title: str
    address: str
    qr_url: str
    enter_code_url: str = "/"


@dataclass(frozen=True)
class Step:
    """Where somebody stands who rates several subjects with one code; empty where there is only one."""

    organization_code: str = ""
    action: str = ""
    receipt_url: str = "/r/"
    position: str = ""
    back_url: str = ""
    is_notice_folded: bool = False


@dataclass(frozen=True)
class BallotPage:
    code: str
    organization_name: str
    title: str
    subject_name: str
    rater_class_label: str
    notice: Sequence[str]
    others_url: str
    action: str
    api_url: str
    ticket: str
    is_preview: bool
    closes_at_text: str
    questions: Markup
    warning: str = ""
    recording_url: str = ""
    errors: Sequence[Mapping[str, str]] = field(default_factory=list)
    step: Step = Step()
    is_visit: bool = False
    """On the phone of who helps the page keeps nothing, and so does without the scripts that would."""


def new_secret() -> str:
    """Return a ballot secret for a browser that cannot make one."""
    return secrets.token_urlsafe(_SECRET_BYTES)


def render_ballot(page: OpenedPage) -> str:
    """Render the empty questionnaire.

    The pages of one subject differ in their code and ticket only, so the rest is rendered once in each
    process. The places of both are held by control characters, which no text of ours or of users contains.
    """
    if access.is_visit(page.entrance):
        return _render(page.entrance, page.ticket, _render_questions(page.version, {}, {}), {})
    blank = replace(page.entrance, entrance_id=0, code=_CODE_PLACE, code_digest=b"")
    cache: dict[tuple[OpenedEntrance, str], str] = current_app.extensions["ballot_pages"]
    rendered = cache.get((blank, page.version.digest))
    if rendered is None:
        rendered = _render(blank, _TICKET_PLACE, _render_questions(page.version, {}, {}), {})
        if len(cache) >= _MOST_PAGES_KEPT:
            cache.clear()
        cache[blank, page.version.digest] = rendered
    return rendered.replace(_CODE_PLACE, page.entrance.code).replace(_TICKET_PLACE, page.ticket)


def render_step(page: OpenedPage, step: Step) -> str:
    """Render the empty questionnaire of one subject among several; a panel is small, so nothing is kept."""
    return _render(page.entrance, page.ticket, _render_questions(page.version, {}, {}), {}, step)


def render_filled_ballot(
    page: OpenedPage,
    *,
    ticket: str,
    form: FormFields,
    errors: Mapping[str, Sequence[str]],
    step: Step = Step(),
) -> str:
    """Render the questionnaire as it was filled in, with what is wrong."""
    found = {name: sentences[0] for name, sentences in errors.items()}
    questions = _render_questions(page.version, _form_values(page.version, form), found)
    return _render(page.entrance, ticket, questions, found, step)


def _render(
    entrance: OpenedEntrance,
    ticket: str,
    questions: Markup,
    errors: Mapping[str, str],
    step: Step = Step(),
) -> str:
    view = BallotPage(
        code=entrance.code,
        organization_name=entrance.organization_name,
        title=entrance.title,
        subject_name=entrance.subject_name,
        rater_class_label=text(f"campaigns.class_{entrance.rater_class}"),
        notice=_notice(entrance),
        others_url=f"/s/{entrance.code}/others" if entrance.is_posted else "",
        action=step.action or f"/s/{entrance.code}",
        api_url=f"/api/v1/entrances/{entrance.code}/ballots",
        ticket=ticket,
        is_preview=entrance.is_preview,
        closes_at_text=clock.local_text(entrance.closes_at),
        warning=_warning(access.resolve_mode(entrance)),
        recording_url=f"/recordings/{entrance.recording_digest}" if entrance.recording_digest else "",
        questions=questions,
        errors=[{"name": name, "message": sentence} for name, sentence in errors.items()],
        step=step,
        is_visit=access.is_visit(entrance),
    )
    return render_template("voter/ballot.html", page=view)


def _warning(mode: Mode) -> str:
    """Return what an open mode says about itself."""
    warnings = {Mode.OPEN: "voter.warning_wechat", Mode.OPEN_DEVICE: "voter.warning_open"}
    return text(warnings[mode]) if mode in warnings else ""


def _notice(entrance: OpenedEntrance) -> list[str]:
    """Return the notice of the campaign, or the standard one."""
    if entrance.notice.strip():
        return [line.strip() for line in entrance.notice.splitlines() if line.strip()]
    return [
        text("voter.notice_who", organizer=entrance.organizer),
        text("voter.notice_why", subject=entrance.subject_name),
        text("voter.notice_what"),
        text("voter.notice_how_long"),
        text("voter.notice_rights"),
    ]


def _form_values(version: CompiledVersion, form: FormFields) -> dict[str, str | list[str]]:
    """Return what a form holds, by form name."""
    values: dict[str, str | list[str]] = {}
    for key, raw in version.plan.raw_from_form(form).items():
        if isinstance(raw, dict):
            values |= {f"{key}.{row}": option for row, option in raw.items()}
        else:
            values[key] = raw
    return values


def _render_questions(
    version: CompiledVersion, answers: Mapping[str, Any], errors: Mapping[str, str]
) -> Markup:
    items = [shown_item(item) for item in version.plan.items]
    return Markup(render_template("voter/questions.html", items=items, answers=answers, errors=errors))  # noqa: S704  Rendered with autoescape.


def code_entry(typed: str, *, action: str = "/") -> CodeEntry:
    """Return the page that asks for a code, with a hint when what was typed cannot be one."""
    return CodeEntry(action, typed[:40], text("voter.enter_code_wrong") if typed else "")


def lookup(typed: str, state: ReceiptState | None) -> Lookup:
    return Lookup("/receipts", typed[:40], state)


def other_villages(entrance: OpenedEntrance, rows: Iterable[tuple[str, str]]) -> Others:
    villages = [Village(name, f"/s/{code}") for code, name in rows if code != entrance.code]
    return Others(entrance.title, villages, f"/s/{entrance.code}")


def ways_without_wechat(entrance: OpenedEntrance) -> WaysWithoutWeChat:
    """Return the page in the place of a form that only WeChat accounts may fill in."""
    address = f"{public_url()}/s/{entrance.code}"
    qr_url = f"/api/v1/entrances/{entrance.code}.png"
    return WaysWithoutWeChat(entrance.organization_name, entrance.title, address, qr_url)


def page_message(kind: str, *actions: Action, status: int = 200, **values: object) -> Message:
    """Return the message of a kind in the words of the catalogue; `values` fill its sentence."""
    name = str(values.pop("organization_name", ""))
    return Message(
        kind=kind,
        heading=text(f"voter.message_{kind}_heading"),
        sentence=text(f"voter.message_{kind}_sentence", **values),
        actions=actions,
        organization_name=name,
        status=status,
    )


def _enter_code(*, is_primary: bool = False) -> Action:
    return Action(text("voter.action_enter_code"), "/", is_primary)


def _answers(entrance: OpenedEntrance) -> Action:
    """Lead to what the place has answered in public; the address belongs to the package `opinions`."""
    return Action(text("opinions.answers_link"), f"/o/{entrance.code}/answers")


def _dispute(code: str, ticket: str) -> Dispute:
    return Dispute(f"/s/{code}/dispute", ticket)


def state_message(entrance: OpenedEntrance, *, ticket: str, is_answered: bool) -> Message:
    """Return the page for a campaign that is not open, or for a device that has voted already."""
    name = entrance.organization_name
    if is_answered:
        look_up = Action(text("voter.action_lookup"), "/receipts")
        kind = "spent_account" if access.asks_for_wechat(entrance) else "already_answered"
        message = page_message(kind, look_up, _answers(entrance), organization_name=name)
        message = replace(message, shows_ways=True)
        return message if entrance.is_posted else replace(message, dispute=_dispute(entrance.code, ticket))
    if entrance.state is State.WITHDRAWN:
        return page_message("withdrawn", organization_name=name, status=_STATUS_CLOSED)
    if entrance.state in {State.DRAFT, State.SCHEDULED}:
        opens_at = clock.local_text(entrance.opens_at)
        return page_message("not_open", organization_name=name, opens_at=opens_at)
    closed_at = clock.local_text(entrance.closes_at)
    read = _answers(entrance)
    return page_message("closed", read, organization_name=name, closed_at=closed_at, status=_STATUS_CLOSED)


_LED_TO_OTHER_WAYS = {"already_answered", "spent_code", "spent_account"}
_KINDS_OF_SPENT = {"slot": "spent_code", "device": "already_answered", "openid": "spent_account"}


def conflict_message(
    code: str, error: ServiceError, credential: access.Credential, *, ticket: str = ""
) -> Message:
    """Return the page for a ballot that the table of `domain.md` section 7 refuses.

    `ticket` is that of a one-time code, whose holder can say that somebody else has used it.
    """
    if error.code == "secret_in_use":
        reopen = Action(text("voter.action_reopen"), f"/s/{code}", is_primary=True)
        return page_message("bad_ticket", reopen, status=error.status)
    kind = "different_answers" if error.code == "different_answers" else _KINDS_OF_SPENT[credential.kind]
    message = replace(page_message(kind, status=error.status), shows_ways=kind in _LED_TO_OTHER_WAYS)
    is_disputable = ticket and kind == "spent_code"
    return replace(message, dispute=_dispute(code, ticket)) if is_disputable else message


def noted_message(entrance: OpenedEntrance) -> Message:
    """Return the page after a dispute: what happens now, and whom to ask."""
    name = entrance.organization_name
    return page_message("dispute_noted", organization_name=name, organizer=entrance.organizer)


def preview_message() -> Message:
    return page_message("preview")


_KINDS_OF_ERRORS = {
    "unknown_entrance": "unknown_code",
    "not_found": "unknown_page",
    "closed": "stopped",
    "bad_ticket": "bad_ticket",
    "slow_down": "slow_down",
    "unavailable": "unavailable",
    "sign_in_required": "sign_in_required",
    "sign_in_refused": "sign_in_refused",
    "sign_in_failed": "sign_in_failed",
    "virtual_identity": "virtual_identity",
}


_LED_TO_CODES = {
    "unknown_code",
    "unknown_page",
    "sign_in_required",
    "sign_in_refused",
    "sign_in_failed",
    "virtual_identity",
}


def error_message(error: ServiceError, path: str) -> Message:
    """Return the page for any refusal that a page meets."""
    kind = _KINDS_OF_ERRORS.get(error.code)
    actions = [_enter_code(is_primary="again" not in error.extra)] if kind in _LED_TO_CODES else []
    if "again" in error.extra:
        actions.insert(0, Action(text("voter.action_reopen"), str(error.extra["again"]), is_primary=True))
    if kind in {"bad_ticket", "slow_down", "unavailable"} and path.startswith(("/s/", "/o/")):
        actions.append(Action(text("voter.action_reopen"), path, is_primary=True))
    return Message(
        kind=kind or "error",
        heading=text(f"voter.message_{kind}_heading") if kind else text("voter.message_error_heading"),
        sentence=text(f"voter.message_{kind}_sentence") if kind else error.detail,
        actions=actions,
        retry_after=error.retry_after,
        status=int(error.status),
    )
