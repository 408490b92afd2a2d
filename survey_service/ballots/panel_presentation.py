"""What the pages of a code for several subjects are given: one large button on, and the list beside it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from survey_service.ballots.panels import Sitting
from survey_service.ballots.presentation import Action, Dispute, Message, Step, page_message
from survey_service.ballots.voting import OpenedPage
from survey_service.core import clock
from survey_service.core.errors import ServiceError
from survey_service.core.texts import text
from survey_service.entrances.panels import RatedSubject
from survey_service.entrances.queries import OpenedEntrance


@dataclass(frozen=True)
class SubjectLink:
    number: int
    name: str
    url: str
    done: bool


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
    subjects: Sequence[SubjectLink]
    closes_at_text: str
    rater_class_label: str
    receipt: str = ""


def url_of(code: str, subject: RatedSubject) -> str:
    return f"/s/{code}/of/{subject.organization_code}"


def sitting_page(entrance: OpenedEntrance, sitting: Sitting, *, receipt: str = "") -> SittingPage:
    """Return the page that leads to the next subject."""
    done, total, following = sitting.count, len(sitting.subjects), sitting.next
    return SittingPage(
        organization_name=entrance.organization_name,
        title=entrance.title,
        heading=_heading(sitting, has_receipt=bool(receipt)),
        done=done,
        total=total,
        progress=text("voter.subjects_progress", done=done, total=total),
        next_label=text("voter.subjects_continue" if done else "voter.subjects_begin", name=following.name)
        if following
        else "",
        next_url=url_of(entrance.code, following) if following else "",
        subjects=[
            SubjectLink(number, one.name, url_of(entrance.code, one), one.subject_id in sitting.done)
            for number, one in enumerate(sitting.subjects, start=1)
        ],
        closes_at_text=clock.local_text(entrance.closes_at),
        rater_class_label=text(f"campaigns.class_{entrance.rater_class}"),
        receipt=receipt,
    )


def _heading(sitting: Sitting, *, has_receipt: bool) -> str:
    left = len(sitting.subjects) - sitting.count
    if not left:
        return text("voter.subjects_complete")
    if has_receipt:
        return text("voter.subjects_received", left=left)
    return text("voter.subjects_heading", total=len(sitting.subjects))


def page_of(page: OpenedPage, subject: RatedSubject) -> OpenedPage:
    """Return the opened page as that of one subject."""
    entrance = replace(page.entrance, organization_name=subject.name, subject_name=subject.subject_name)
    return replace(page, entrance=entrance)


def step_of(entrance: OpenedEntrance, sitting: Sitting, subject: RatedSubject) -> Step:
    """Return where somebody stands on the way through all subjects."""
    number = [one.subject_id for one in sitting.subjects].index(subject.subject_id) + 1
    total = len(sitting.subjects)
    return Step(
        organization_code=subject.organization_code,
        action=url_of(entrance.code, subject),
        receipt_url=f"/s/{entrance.code}/sent/",
        position=text("voter.subjects_step", number=number, total=total, done=sitting.count),
        back_url=f"/s/{entrance.code}",
        is_notice_folded=sitting.count > 0,
    )


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
