"""The author's pages as a plain form: write with photos, keep the code, look up, judge."""

import io
import re

import pytest
from flask.testing import FlaskClient
from PIL import Image
from werkzeug.test import TestResponse

from tests.factories.opinions import LAMP, OpinionWorld


@pytest.fixture
def phone(place: OpinionWorld) -> FlaskClient:
    return place.world.app.test_client()


def photo() -> io.BytesIO:
    drawn = io.BytesIO()
    Image.new("RGB", (30, 20), "green").save(drawn, "JPEG")
    drawn.seek(0)
    return drawn


def fill(phone: FlaskClient, code: str, text: str = LAMP, **more: object) -> TestResponse:
    page = phone.get(f"/o/{code}")
    assert page.status_code == 200, page.text
    ticket = re.search(r'name="ticket" value="([^"]+)"', page.text)
    assert ticket
    return phone.post(
        f"/o/{code}", data={"ticket": ticket[1], "text": text, **more}, content_type="multipart/form-data"
    )


def test_an_opinion_is_written_kept_and_judged_without_a_script(
    place: OpinionWorld, phone: FlaskClient
) -> None:
    code = place.world.issue()[0].code
    sent = fill(phone, code, category="complaint", photos=[(photo(), "lamp.jpg")])
    assert sent.status_code == 303, sent.text
    kept = phone.get(sent.location)
    query_code = sent.location.removeprefix("/q/")
    assert query_code[:4] in kept.text
    assert "请拍照" in kept.text
    assert phone.get(f"/q/{query_code}.svg").mimetype == "image/svg+xml"
    (opinion,) = place.ids(place.town)
    place.triage(opinion)
    place.act(place.secretary, opinion, "answer", public_text="已修好", private_text="谢谢您提醒")
    answered = phone.get(sent.location).text
    assert "已修好" in answered
    assert "谢谢您提醒" in answered
    judged = phone.post(
        f"/q/{query_code}/verdict", data={"verdict": "dissatisfied", "remark": "又坏了13812345678"}
    )
    assert judged.status_code == 303
    assert "重新办理" in phone.get(judged.location).text
    place.act(place.secretary, opinion, "answer", public_text="换新的了")
    place.act(place.town, opinion, "close")
    late = phone.post(f"/q/{query_code}/verdict", data={"verdict": "satisfied"})
    assert late.status_code == 409
    assert "已经办结" in late.text


def test_what_is_wrong_is_said_beside_what_was_written(place: OpinionWorld, phone: FlaskClient) -> None:
    code = place.world.issue()[0].code
    refused = fill(phone, code, "灯坏了", photos=[(io.BytesIO(b"MZ\x90"), "lamp.jpg")], category="help")
    assert refused.status_code == 422
    assert "灯坏了" in refused.text
    assert "这张照片打不开" in refused.text
    assert re.search(r'value="help" checked', refused.text)
    assert "最多写 2000 个字" in fill(phone, code, "长" * 2001).text
    assert place.ids(place.town) == set()


def test_a_form_sent_twice_is_one_opinion(place: OpinionWorld, phone: FlaskClient) -> None:
    code = place.world.issue()[0].code
    page = phone.get(f"/o/{code}")
    ticket = re.search(r'name="ticket" value="([^"]+)"', page.text)
    assert ticket
    secret = phone.get_cookie("opinion_secret", path=f"/o/{code}")
    assert secret
    for _ in range(2):
        phone.set_cookie("opinion_secret", secret.value, path=f"/o/{code}")
        assert phone.post(f"/o/{code}", data={"ticket": ticket[1], "text": LAMP}).status_code == 303
    assert len(place.ids(place.town)) == 1


def test_html_is_shown_as_text(place: OpinionWorld, phone: FlaskClient) -> None:
    refused = fill(phone, place.world.issue()[0].code, "<script>x</script>" + "长" * 2000)
    assert "&lt;script&gt;x" in refused.text
    assert "<script>x" not in refused.text


def test_a_typed_code_leads_to_the_opinion_and_a_wrong_one_nowhere(
    place: OpinionWorld, phone: FlaskClient
) -> None:
    _, code = place.write()
    typed = f"{code[:4]}-{code[4:8]} {code[8:]}".lower()
    assert phone.post("/q", data={"query_code": typed}).location == f"/q/{code}"
    assert phone.get("/q").status_code == 200
    for wrong in ("2" * 13, "路灯"):
        page = phone.get(f"/q/{wrong}")
        assert page.status_code == 404
        assert "请核对" in page.text
    assert phone.get("/o/2222222222222").status_code == 404


def test_a_ticket_that_is_none_leads_back_to_the_form(place: OpinionWorld, phone: FlaskClient) -> None:
    code = place.world.issue()[0].code
    refused = phone.post(f"/o/{code}", data={"ticket": "x", "text": LAMP})
    assert refused.status_code == 403
    assert f'href="/o/{code}"' in refused.text
