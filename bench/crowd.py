"""A county with many opinions: the invented ones of the demonstration, stored in bulk."""

import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta

from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from survey_service.core.db import Database
from survey_service.demonstration.opinion_texts import Written, write_texts
from survey_service.insights.indexing import store_words
from survey_service.opinions.models import Opinion
from survey_service.opinions.queries import ID_BITS, position_of
from survey_service.opinions.redaction import redact
from survey_service.opinions.rules import OPEN, Category, Source, State
from survey_service.organizations.models import Organization
from survey_service.organizations.rules import OrganizationKind, path_under

TOWNS, VILLAGES = 17, 12
"""A county as `domain.md` section 10 knows it: some 214 organizations."""
COUNTY_CODE, TOWN_CODE, VILLAGE_CODE = "C", "T3", "T3V4"
QUIET_TOWN_CODE = f"T{TOWNS - 1}"
"""Its people write nothing: whoever looks there looks in vain."""
TODAY = date(2026, 11, 22)
_SEED = 20261122
_AT_ONCE = 5_000
_OFTEN = (State.RECEIVED, State.TRIAGED, State.IN_PROGRESS, State.ANSWERED, *[State.CLOSED] * 3)
_SELDOM = (State.ACCEPTED, State.TRANSFERRED, State.REOPENED, State.CALLED_BACK, State.RATED, State.DECLINED)
_STATES = (*_OFTEN * 15, *_SELDOM)
_ELSEWHERE = 0.02
"""Cases that another village handles."""


def invent(number: int) -> list[Written]:
    """Return so many texts, the same ones each time."""
    return list(write_texts(random.Random(_SEED), number))  # noqa: S311  Invented words, not secrets.


def store_opinions(database: Database, number: int) -> None:
    """Write a county and its opinions with their index, and let the database count its rows."""
    rng = random.Random(_SEED)  # noqa: S311  Invented cases, not secrets.
    texts = invent(number)
    with database.unit_of_work() as session:
        places = list(_county(session))[:-VILLAGES]
    for start in range(0, number, _AT_ONCE):
        rows = [_row(rng, written, places) for written in texts[start : start + _AT_ONCE]]
        with database.unit_of_work() as session:
            session.execute(insert(Opinion), rows)
            store_words(session, [_indexed(row) for row in rows])
    with database.unit_of_work() as session:
        session.execute(text("ANALYZE"))


def _county(session: Session) -> Iterator[tuple[int, int]]:
    """Yield the ids of each village and of its town."""
    county = _place(session, COUNTY_CODE, OrganizationKind.COUNTY, None)
    for number in range(TOWNS):
        town = _place(session, f"T{number}", OrganizationKind.TOWN, county)
        for village in range(VILLAGES):
            code = f"T{number}V{village}"
            yield _place(session, code, OrganizationKind.VILLAGE, town).id, town.id


def _place(session: Session, code: str, kind: OrganizationKind, parent: Organization | None) -> Organization:
    place = Organization(code=code, name=code, kind=kind, parent_id=parent and parent.id, path="")
    session.add(place)
    session.flush()
    place.path = path_under(parent and parent.path, place.id)
    session.flush()
    return place


def _row(rng: random.Random, written: Written, places: Sequence[tuple[int, int]]) -> dict[str, object]:
    village, town = rng.choice(places)
    other, _ = rng.choice(places)
    opinion_id, state = rng.randrange(1, 1 << ID_BITS), rng.choice(_STATES)
    due = TODAY - timedelta(days=rng.randint(-13, 400))
    came = due - timedelta(days=15)
    return {
        "id": opinion_id,
        "position": position_of(due, opinion_id),
        "organization_id": village,
        "handler_id": other if rng.random() < _ELSEWHERE else rng.choice((village, village, town)),
        "concealed_id": village if written.category is Category.REPORT else None,
        "source": Source.BOX,
        "category": written.category,
        "topic": written.topic,
        "state": state,
        "is_open": state in OPEN,
        "received_on": came,
        "since": came,
        "due_on": due,
        "text": redact(written.text).text,
        "may_publish": False,
    }


def _indexed(row: Mapping[str, object]) -> tuple[int, int, int, str]:
    return int(str(row["id"])), 1, int(str(row["position"])), str(row["text"])


def spoken_words() -> Sequence[str]:
    """Return what is looked for: common and rare pairs, two at once, long ones, and what nobody says."""
    return (
        "路灯",
        "垃圾 臭味",
        "唔知",
        "危房",
        "裂缝有9公分",
        "路灯 溺水",
        "码头边的路灯坏了",
        "彩礼",
        "祠堂旁的垃圾",
    )
