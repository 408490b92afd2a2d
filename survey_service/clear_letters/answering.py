"""The public page of a letter, and the ways in which a household can answer it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from sqlalchemy.orm import Session

from survey_service.ballots.presentation import Action, Message
from survey_service.clear_letters.presentation import LetterView, letter_view
from survey_service.clear_letters.queries import PublicLetter, find_rating_code
from survey_service.core.clock import local_day
from survey_service.core.texts import text


@dataclass(frozen=True)
class PublicPage:
    """What the template of the public page is given; `actions` lead to the ways of answering.

    `answers_url` leads to what was answered to others; it belongs to the package `opinions`.
    """

    letter: LetterView
    actions: Sequence[Action]
    answers_url: str
    is_over: bool
    is_large: bool
    large_url: str
    plain_url: str


def public_page(
    session: Session, *, letter: PublicLetter, is_large: bool, now: datetime
) -> PublicPage | Message:
    """Return the page of a letter, or the message that it was taken down."""
    if letter.is_withdrawn:
        return Message(
            kind="withdrawn",
            heading=text("clear_letters.withdrawn_heading"),
            sentence=text("clear_letters.withdrawn_sentence"),
            organization_name=letter.organization_name,
            status=HTTPStatus.GONE,
        )
    view = letter_view(
        letter.content,
        organization_name=letter.organization_name,
        kind=letter.kind,
        signed_at=letter.published_at,
    )
    answer_by = letter.content.answer_by
    return PublicPage(
        letter=view,
        actions=ways_to_answer(session, letter=letter, now=now),
        answers_url=f"/a/{letter.organization_code}",
        is_over=answer_by is not None and answer_by < local_day(now),
        is_large=is_large,
        large_url=f"/l/{letter.code}?type=large",
        plain_url=f"/l/{letter.code}",
    )


def ways_to_answer(session: Session, *, letter: PublicLetter, now: datetime) -> list[Action]:
    """Return the questionnaire of the letter's campaign while it is open, and the page for opinions.

    What is written there belongs to the package `opinions`, of which letters know only the address.
    """
    code = find_rating_code(
        session, campaign_id=letter.campaign_id, organization_id=letter.organization_id, now=now
    )
    write = Action(text("clear_letters.write_opinion"), f"/l/{letter.code}/opinion", is_primary=code is None)
    rate = [Action(text("clear_letters.rate"), f"/s/{code}", is_primary=True)] if code else []
    return [*rate, write]
