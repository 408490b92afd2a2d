"""From a letter to an opinion about it."""

import re
from typing import Any

from flask.testing import FlaskClient

from survey_service.opinions.jobs import sweep_letters
from tests.http.clear_letters.conftest import Letter


def rows(letter: Letter, statement: str) -> list[Any]:
    with letter.world.app.extensions["database"].reading() as session:
        return list(session.connection().exec_driver_sql(statement))


def write(phone: FlaskClient, address: str) -> Any:
    page = phone.get(address)
    ticket = re.search(r'name="ticket" value="([^"]+)"', page.text)
    assert ticket, page.text
    data = {"ticket": ticket[1], "text": "修路的钱从哪里来，想看明细。"}
    return phone.post(address, data=data, content_type="multipart/form-data")


def test_an_opinion_that_is_written_through_a_letter_names_the_letter(letter: Letter) -> None:
    phone = letter.published().world.app.test_client()
    assert f'href="{letter.address}/opinion"' in phone.get(letter.address).text
    assert phone.get(f"{letter.address}/opinion").status_code == 503
    letter.world.drain()
    led = phone.get(f"{letter.address}/opinion")
    assert (led.status_code, led.location[:3]) == (303, "/o/")
    assert write(phone, led.location).status_code == 303
    assert rows(letter, "SELECT letter_id, source FROM opinion") == [(letter.id, "letter")]


def test_a_corrected_letter_keeps_its_box_and_one_taken_down_closes_it(letter: Letter) -> None:
    letter.published().world.drain()
    address = letter.address
    phone = letter.world.app.test_client()
    box = phone.get(f"{address}/opinion").location
    letter.save(title="更正")
    letter.published().world.drain()
    assert phone.get(f"{address}/opinion").location == box
    letter.town.post(f"{letter.path}/withdraw", {"reason": "错"})
    letter.world.drain()
    assert [phone.get(f"{address}/opinion").status_code, phone.get(box).status_code] == [404, 404]


def test_what_a_lost_event_forgot_is_found_by_the_sweep(letter: Letter) -> None:
    phone = letter.published().world.app.test_client()
    sweep_letters()
    sweep_letters()
    assert len(rows(letter, "SELECT id FROM opinion_box")) == 1
    assert phone.get(f"{letter.address}/opinion").status_code == 303
