"""What the author's templates are given: view objects without any logic left in them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from urllib.parse import urlencode

from survey_service.core.clock import day_text
from survey_service.core.http import public_url
from survey_service.core.texts import text
from survey_service.entrances.codes import grouped
from survey_service.opinions.authors import AuthorView
from survey_service.opinions.public_answers import AnswersPage, PublicAnswer
from survey_service.opinions.rules import (
    MAX_PHOTOS,
    MAX_REMARK_LENGTH,
    MAX_TEXT_LENGTH,
    MIN_TEXTS,
    Category,
    Level,
    State,
    Topic,
    Verdict,
)
from survey_service.opinions.writing import OpenedForm
from survey_service.organizations.rules import place_name

_DONE = frozenset({State.DECLINED, State.CLOSED})
_STEPS: tuple[tuple[str, frozenset[State]], ...] = (
    ("received", frozenset({State.RECEIVED})),
    (
        "handling",
        frozenset({State.TRIAGED, State.TRANSFERRED, State.ACCEPTED, State.IN_PROGRESS, State.REOPENED}),
    ),
    ("answered", frozenset({State.ANSWERED, State.CALLED_BACK, State.DECLINED})),
    ("rated", frozenset({State.RATED})),
    ("closed", frozenset({State.CLOSED})),
)


@dataclass(frozen=True)
class Choice:
    key: str
    label: str


def choices(words: type[StrEnum], name: str) -> Sequence[Choice]:
    """Return the words of an enum as people choose them."""
    return [Choice(one.value, text(f"opinions.{name}_{one}")) for one in words]


@dataclass(frozen=True)
class FormPage:
    """The page on which an opinion is written, with what was filled in and what is wrong."""

    organization_name: str
    title: str
    action: str
    answers_url: str
    ticket: str
    values: Mapping[str, str]
    errors: Mapping[str, str]
    categories: Sequence[Choice]
    topics: Sequence[Choice]
    levels: Sequence[Choice]
    most_characters: int = MAX_TEXT_LENGTH
    most_photos: int = MAX_PHOTOS


def form_page(
    form: OpenedForm,
    *,
    ticket: str = "",
    values: Mapping[str, str] | None = None,
    errors: Mapping[str, Sequence[str]] | None = None,
) -> FormPage:
    """Return the empty form, or the one that was sent with what is wrong."""
    return FormPage(
        organization_name=form.organization_name,
        title=form.title,
        action=f"/o/{form.code}",
        answers_url=f"/o/{form.code}/answers",
        ticket=ticket or form.ticket,
        values=values or {},
        errors={name: sentences[0] for name, sentences in (errors or {}).items()},
        categories=choices(Category, "category"),
        topics=choices(Topic, "topic"),
        levels=choices(Level, "level"),
    )


@dataclass(frozen=True)
class Step:
    """One step of a case as its author sees it: behind, here, or ahead."""

    label: str
    place: str


@dataclass(frozen=True)
class CasePage:
    """What became of an opinion, its code to keep, and the verdict."""

    code: str
    url: str
    qr_url: str
    heading: str
    sentence: str
    is_new: bool
    steps: Sequence[Step]
    due: str
    answers: Sequence[Mapping[str, str]]
    declined_because: str
    verdicts: Sequence[Choice]
    verdict_action: str
    verdict_given: str
    answers_url: str
    remark_length: int = MAX_REMARK_LENGTH


def case_page(view: AuthorView) -> CasePage:
    """Return the page of an opinion."""
    code = view.query_code
    return CasePage(
        code=grouped(code),
        url=f"{public_url()}/q/{code}",
        qr_url=f"/q/{code}.svg",
        heading=text(f"opinions.author_{view.state}_heading"),
        sentence=text(f"opinions.author_{view.state}_sentence"),
        is_new=view.state is State.RECEIVED,
        steps=_steps(view.state),
        due="" if view.state in _DONE or view.may_rate else _due(view.due, is_exact=view.is_due_exact),
        answers=[{"private": private, "public": public} for private, public in view.answers],
        declined_because=view.declined_because,
        verdicts=choices(Verdict, "verdict") if view.may_rate else [],
        verdict_action=f"/q/{code}/verdict",
        verdict_given=text(f"opinions.verdict_{view.verdict}") if view.verdict else "",
        answers_url=f"/a/{view.organization_code}",
    )


def _due(day: date, *, is_exact: bool) -> str:
    sentence = "opinions.due" if is_exact else "opinions.due_about"
    return text(sentence, day=day_text(day))


def _steps(state: State) -> list[Step]:
    here = next((index for index, (_, states) in enumerate(_STEPS) if state in states), 0)
    places = ["behind"] * here + ["here"] + ["ahead"] * (len(_STEPS) - here - 1)
    labels = (text(f"opinions.step_{name}") for name, _ in _STEPS)
    return [Step(label, place) for label, place in zip(labels, places, strict=True)]


@dataclass(frozen=True)
class AnswerCard:
    """One opinion with its public answer."""

    chips: Sequence[str]
    text: str
    answer: str
    signed: str


@dataclass(frozen=True)
class AnswersView:
    """What a place has answered in public; `withheld` says why there is nothing to read."""

    place: str
    cards: Sequence[AnswerCard]
    withheld: str
    newest_url: str
    older_url: str
    is_large: bool
    size_url: str


def answers_page(page: AnswersPage, *, after: int, is_large: bool) -> AnswersView:
    """Return the public page of a place, in plain or large type, with the way to older answers."""
    own = f"/a/{page.organization_code}"
    kept = {"type": "large"} if is_large else {}
    older = {"cursor": page.next_after, **kept}
    return AnswersView(
        place=place_name(page.organization_name),
        cards=[_card(one) for one in page.items],
        withheld=text("opinions.answers_withheld", least=MIN_TEXTS) if page.is_withheld else "",
        newest_url=_address(own, kept) if after else "",
        older_url=_address(own, older) if page.next_after else "",
        is_large=is_large,
        size_url=own if is_large else f"{own}?type=large",
    )


def _address(path: str, query: Mapping[str, object]) -> str:
    return f"{path}?{urlencode(query)}" if query else path


def _card(one: PublicAnswer) -> AnswerCard:
    kinds = (one.category and f"category_{one.category}", one.topic and f"topic_{one.topic}")
    return AnswerCard(
        chips=[text(f"opinions.{kind}") for kind in kinds if kind],
        text=one.text,
        answer=one.answer,
        signed=text("opinions.answers_signed", by=place_name(one.answered_by), day=day_text(one.answered_on)),
    )


@dataclass(frozen=True)
class LookupPage:
    action: str
    typed: str
    error: str


def lookup_page(typed: str, *, is_unknown: bool = False) -> LookupPage:
    """Return the page that asks for a query code."""
    return LookupPage("/q", typed[:40], text("opinions.lookup_unknown") if is_unknown else "")
