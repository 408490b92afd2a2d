"""The page that every household may open."""

import gzip
import re

from survey_service.campaigns.rules import Mode
from survey_service.clear_letters.rules import MOST_CHARACTERS
from survey_service.core.resources import resource
from tests.factories.campaigns import World
from tests.http.campaigns.callers import Caller
from tests.http.clear_letters.conftest import Letter, begin_letter

HOSTILE = "<script>alert(1)</script>\"'&{{ 7*7 }}"


def test_a_draft_is_nobodys_to_read(letter: Letter) -> None:
    client = letter.world.app.test_client()
    with letter.world.app.extensions["database"].reading() as session:
        code = session.connection().exec_driver_sql("SELECT code FROM clear_letter").scalar_one()
    assert client.get(f"/l/{code}").status_code == 404
    letter.submit()
    assert client.get(f"/l/{code}").status_code == 404
    letter.approve()
    assert client.get(f"/l/{code}").status_code == 200
    assert client.get(f"/l/{code.lower()[:4]}-{code[4:]}").status_code == 200


def test_unknown_codes_lead_to_a_kind_page(world: World) -> None:
    client = world.app.test_client()
    for code in ("7K2M9QXW", "x", "%00", "7K2M9QXW" * 30):
        assert client.get(f"/l/{code}").status_code == 404


def test_the_page_says_everything_without_a_script(letter: Letter) -> None:
    (entrance,) = letter.world.issue(Mode.OPEN)
    page = letter.published().world.app.test_client().get(letter.address)
    for words in ("第1村第三季度明白信", "2026年7月1日—9月30日", "党务公开", "土地流转", "2026年12月15日前"):
        assert words in page.text
    assert 'href="tel:13800000001"' in page.text
    assert f'href="/s/{entrance.code}"' in page.text
    assert '<td class="n">38,600</td>' in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]* src=)", page.text)
    assert "?type=large" in page.text
    large = letter.world.app.test_client().get(f"{letter.address}?type=large")
    assert '<html lang="zh-Hans" class="is-elder">' in large.text


def test_hostile_words_are_shown_as_words(world: World, secretary: Caller, town: Caller) -> None:
    letter = begin_letter(
        world,
        secretary,
        town,
        title=HOSTILE,
        work_done=[HOSTILE],
        contacts=[{"name": HOSTILE[:25], "phone": "javascript:1"}, {"name": "林", "phone": "0768-88000"}],
        sections={
            name: {"text": HOSTILE, "tables": [{"title": HOSTILE, "rows": [[HOSTILE], [HOSTILE]]}]}
            for name in ("party_affairs", "village_affairs", "finances")
        },
    ).published()
    page = letter.world.app.test_client().get(letter.address).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "{{ 7*7 }}" in page
    assert 'href="tel:1"' in page
    assert "javascript:" not in page.replace(">javascript:1<", "")


def test_the_largest_letter_stays_within_the_budget(world: World, secretary: Caller, town: Caller) -> None:
    """30 KB with styles and scripts, as a gateway sends them."""
    words = "".join(chr(0x4E00 + (number * 2_654_435_761 >> 7) % 20_000) for number in range(MOST_CHARACTERS))
    rows = [[words[row * 40 + place * 5 :][:5] for place in range(5)] for row in range(40)]
    letter = begin_letter(
        world,
        secretary,
        town,
        greeting="",
        work_done=[words[start : start + 190] for start in range(0, 1_900, 190)],
        sections={
            "party_affairs": {"text": words[2_000:2_900]},
            "village_affairs": {"text": words[3_000:3_900]},
            "finances": {"text": words[4_000:4_500], "tables": [{"rows": rows}]},
        },
    ).published()
    page = letter.world.app.test_client().get(letter.address).data
    shared = sum(path.stat().st_size for path in resource("h5/static").glob("voter-*.gz"))
    assert len(gzip.compress(page)) + shared <= 30 * 1024


def test_openings_are_counted_by_day_and_nothing_else(letter: Letter) -> None:
    client = letter.published().world.app.test_client()
    for _ in range(3):
        client.get(letter.address)
    client.head(letter.address)
    assert letter.town.get(f"{letter.path}/readings").json == {"total": 0, "days": []}
    letter.world.drain()
    client.get(letter.address)
    letter.world.drain()
    shown = letter.town.get(f"{letter.path}/readings").json
    assert shown == {"total": 4, "days": [{"day": "2026-11-21", "count": 4}]}
    assert letter.shown()["readings"] == 4
