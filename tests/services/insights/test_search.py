"""Search among many: whichever way is taken, all pages together hold what is visible and holds the words."""

import pytest

from bench.crowd import spoken_words, store_opinions
from survey_service.core.db import Database
from survey_service.insights.search import read_terms, search_opinions
from survey_service.opinions.grouping import fold
from survey_service.opinions.models import Opinion
from survey_service.opinions.queries import select_visible
from tests.services.opinions.test_inbox import A_PAGE, PEOPLE, identity

WORDS = (*spoken_words(), "村里", "没有 村里", "这个词没有人说过")


@pytest.mark.parametrize("few", [1, 8_000])
def test_pages_are_full_and_together_hold_everything(
    database: Database, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_opinions(database, 600)
    monkeypatch.setattr("survey_service.opinions.queries.FEW", few)
    with database.reading() as session:
        for person in PEOPLE:
            staff = identity(session, *person)
            visible = session.scalars(select_visible(staff).order_by(Opinion.position)).all()
            for words in WORDS:
                expected = [
                    one for one in visible if all(term in fold(one.text) for term in read_terms(words))
                ]
                pages, after = [], 0
                while True:
                    page = search_opinions(session, staff=staff, words=words, after=after, limit=A_PAGE)
                    pages.append(page.opinions)
                    if page.next_after is None:
                        break
                    after = page.next_after
                assert [one for page in pages for one in page] == expected
                assert {len(page) for page in pages[:-1]} <= {A_PAGE}
