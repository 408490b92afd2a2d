"""What the pages of a code for several subjects are given: one large button on, and the list beside it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from survey_service.ballots.panels import Sitting, Turn
from survey_service.ballots.presentation import Action, Dispute, Message, Step, page_message
from survey_service.ballots.voting import OpenedPage
from survey_service.campaigns.rules import State
from survey_service.core import clock
from survey_service.core.errors import ServiceError
from survey_service.core.texts import text
from survey_service.entrances.panels import RatedSubject
from survey_service.entrances.queries import OpenedEntrance

_BEFORE = frozenset({State.DRAFT, State.SCHEDULED})


@dataclass(frozen=True)
class SubjectLink:
    number: int
    name: str
    url: str
    done: bool


@dataclass(frozen=True)
class SubjectGroup:
    """The subjects of one campaign; no title where there is only one, no links while it is shut."""

    title: str
    note: str
    subjects: Sequence[SubjectLink]


@dataclass(frozen=True)
class SittingPage:
    """The way through all subjects; after one was sent with its receipt on top."""

    organization_name: str
    title: str
    heading: str
    done: int
    total: int
    progress: str
    next_label: str
    next_url: str
    groups: Sequence[SubjectGroup]
    closes_at_text: str
    rater_class_label: str
    receipt: str = ""


def path_of(sitting: Sitting, subject: RatedSubject) -> str:
    """Return what follows the code in the address of a subject's form."""
    if len(sitting.turns) == 1:
        return f"of/{subject.organization_code}"
    return f"in/{subject.campaign_id}/of/{subject.organization_code}"


def _url_of(entrance: OpenedEntrance, sitting: Sitting, subject: RatedSubject) -> str:
    return f"/s/{entrance.code}/{path_of(sitting, subject)}"


def _name_of(sitting: Sitting, subject: RatedSubject) -> str:
    """Return the village, or among several campaigns what of it is rated: its branch, its secretary."""
    return subject.name if len(sitting.turns) == 1 else subject.subject_name


def sitting_page(entrance: OpenedEntrance, sitting: Sitting, *, receipt: str = "") -> SittingPage:
    """Return the page that leads to the next subject."""
    done, total, following = sitting.count, len(sitting.subjects), sitting.next
    number = len(sitting.turns)
    return SittingPage(
        organization_name=entrance.organization_name,
        title=entrance.title if number == 1 else text("voter.sitting_title", number=number),
        heading=_heading(sitting, has_receipt=bool(receipt)),
        done=done,
        total=total,
        progress=text("voter.subjects_progress", done=done, total=total),
        next_label=_next_label(sitting, following) if following else "",
        next_url=_url_of(entrance, sitting, following) if following else "",
        groups=list(_groups(entrance, sitting)),
        closes_at_text=clock.local_text(entrance.closes_at) if number == 1 else "",
        rater_class_label=text(f"campaigns.class_{entrance.rater_class}"),
        receipt=receipt,
    )


def _next_label(sitting: Sitting, following: RatedSubject) -> str:
    word = "continue" if sitting.count else "begin"
    return text(f"voter.subjects_{word}", name=_name_of(sitting, following))


def _groups(entrance: OpenedEntrance, sitting: Sitting) -> Iterator[SubjectGroup]:
    """Yield the campaigns in their turn; the numbers run through all that can be rated now."""
    number = 0
    for turn in sitting.turns:
        links = []
        for subject in turn.subjects:
            number += turn.is_open
            links.append(_link(entrance, sitting, turn, subject, number))
        is_alone = len(sitting.turns) == 1
        yield (
            SubjectGroup("", "", links) if is_alone else SubjectGroup(turn.entrance.title, _note(turn), links)
        )


def _link(
    entrance: OpenedEntrance, sitting: Sitting, turn: Turn, subject: RatedSubject, number: int
) -> SubjectLink:
    return SubjectLink(
        number=number if turn.is_open else 0,
        name=_name_of(sitting, subject),
        url=_url_of(entrance, sitting, subject) if turn.is_open else "",
        done=sitting.is_done(subject),
    )


def _note(turn: Turn) -> str:
    """Return until when a campaign is open, or why it is not."""
    entrance = turn.entrance
    if turn.is_open:
        return text("voter.sitting_until", closes_at=clock.local_text(entrance.closes_at))
    if entrance.state in _BEFORE:
        return text("voter.sitting_not_open", opens_at=clock.local_text(entrance.opens_at))
    return text("voter.sitting_over")


def _heading(sitting: Sitting, *, has_receipt: bool) -> str:
    left = len(sitting.subjects) - sitting.count
    if not left:
        return text("voter.subjects_complete")
    if has_receipt:
        return text("voter.subjects_received", left=left)
    return text("voter.subjects_heading", total=len(sitting.subjects))


def page_of(page: OpenedPage, sitting: Sitting, subject: RatedSubject) -> OpenedPage:
    """Return the opened page as that of one subject, with the form and the ticket of its campaign."""
    turn = sitting.turn_of(subject)
    entrance = replace(turn.entrance, organization_name=subject.name, subject_name=subject.subject_name)
    return replace(page, entrance=entrance, version=turn.version, ticket=turn.ticket)


def step_of(entrance: OpenedEntrance, sitting: Sitting, subject: RatedSubject) -> Step:
    """Return where somebody stands on the way through all subjects."""
    number = sitting.subjects.index(subject) + 1
    total = len(sitting.subjects)
    return Step(
        organization_code=subject.organization_code,
        action=_url_of(entrance, sitting, subject),
        receipt_url=f"/s/{entrance.code}/sent/",
        position=text("voter.subjects_step", number=number, total=total, done=sitting.count),
        back_url=f"/s/{entrance.code}",
        is_notice_folded=_has_seen_notice(sitting, subject),
    )


def _has_seen_notice(sitting: Sitting, subject: RatedSubject) -> bool:
    """Every campaign has its own notice, which is read once."""
    return any(campaign_id == subject.campaign_id for campaign_id, _ in sitting.done)


def all_rated_message(entrance: OpenedEntrance, sitting: Sitting) -> Message:
    """Return the page for a device that has rated every subject."""
    look_up = Action(text("voter.action_lookup"), "/receipts", is_primary=True)
    name, total = entrance.organization_name, len(sitting.subjects)
    return page_message("all_rated", look_up, organization_name=name, total=total)


def conflict_message(code: str, organization_code: str, error: ServiceError, *, ticket: str) -> Message:
    """Return the page for a subject that was rated with this code before, perhaps by somebody else."""
    on = Action(text("voter.subjects_next"), f"/s/{code}", is_primary=True)
    if error.code == "secret_in_use":
        return page_message("bad_ticket", on, status=error.status)
    kind = "different_answers" if error.code == "different_answers" else "spent_subject"
    message = page_message(kind, on, status=error.status)
    if kind != "spent_subject":
        return message
    return replace(message, dispute=Dispute(f"/s/{code}/dispute", ticket, organization_code))
