"""What the templates say and do not say, without a browser."""

import json
import re

import pytest

from survey_service.core.texts import text
from tests.h5 import pages
from tests.h5.pages import ALL_KINDS, H5, MESSAGE_KINDS, BallotPage, Failure, ballot, message, questions

SOURCES = [path for folder in ("templates/voter", "scripts/voter") for path in (H5 / folder).rglob("*.*")]
CHINESE = re.compile(r"[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]")
INLINE = re.compile(r"\bstyle=|\son\w+=|<style|<script(?![^>]*\bsrc=)|javascript:|https?://")
USED_TEXTS = re.compile(r"\bt\('([^']+)'")
# Each of them came after Chrome 53, the oldest web view that still opens our pages.
TOO_NEW = re.compile(
    r"\.(append|prepend|replaceWith|replaceChildren|before|after|flat|flatMap|padStart|padEnd|at|replaceAll|"
    r"requestSubmit|finally|matchAll|toggleAttribute)\(|Object\.(entries|values|fromEntries)|AbortController|"
    r"getOwnPropertyDescriptors|structuredClone|globalThis|\?\?=|IntersectionObserver|ResizeObserver"
)


def test_every_chinese_sentence_stands_in_the_catalogue() -> None:
    assert [path.name for path in SOURCES if CHINESE.search(path.read_text("utf-8"))] == []


def test_every_text_that_a_template_uses_exists() -> None:
    used = {key for path in SOURCES for key in USED_TEXTS.findall(path.read_text("utf-8"))}
    assert used
    for key in used:
        assert text(key)


def test_the_scripts_use_nothing_too_new() -> None:
    built = pages.STATIC / pages.static_url("voter.js").rsplit("/", 1)[1]
    scripts = [built, *(path for path in SOURCES if path.suffix == ".ts")]
    assert [path.name for path in scripts if TOO_NEW.search(path.read_text("utf-8"))] == []


def test_the_content_security_policy_is_kept() -> None:
    templates = [path for path in SOURCES if path.suffix == ".html"]
    assert [path.name for path in templates if INLINE.search(path.read_text("utf-8"))] == []


def test_the_lock_file_names_no_registry() -> None:
    lock = json.loads((H5 / "package-lock.json").read_text("utf-8"))
    assert [name for name, package in lock["packages"].items() if "resolved" in package] == []


def words_of(html: str) -> str:
    body = html.split("<body", 1)[1].split(">", 1)[1]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body)).strip()


def test_the_village_stands_first_and_the_notice_before_the_questions() -> None:
    words = words_of(ballot(BallotPage()))
    assert words.startswith("汤溪镇大榕村 不是我的村")
    notice = words.index("谁也不能强迫")
    assert notice < words.index("纸质测评表", notice) < words.index("党组织带头人")


def test_answers_are_kept_after_an_error() -> None:
    answers: dict[str, str | list[str]] = {
        "overall": "dissatisfied",
        "why": ["roads"],
        "team.work": "satisfied",
        "meetings": "12<3",
        "remark": "\n路灯</textarea>",
    }
    html = questions(ALL_KINDS, answers, {"team.fair": "这一题还没有选"})
    for name, value in (("overall", "dissatisfied"), ("why", "roads"), ("team.work", "satisfied")):
        assert f'name="{name}" value="{value}" checked' in html
    assert html.count(" checked") == 3
    assert 'value="12&lt;3"' in html
    assert "\n\n路灯&lt;/textarea&gt;</textarea>" in html
    assert '<p class="field__error" id="e-team.fair">这一题还没有选</p>' in html


def test_without_scripts_a_conditional_item_is_shown_and_optional() -> None:
    why = questions(ALL_KINDS).split('data-item="why"')[1].split("data-item=")[0]
    assert "hidden" not in why.split(">")[0]
    assert " required" not in re.sub(r"data-required", "", why)


def test_the_summary_leads_to_the_fields() -> None:
    html = ballot(BallotPage(errors=(Failure("i1", "这一题还没有选"),)))
    assert '<a href="#q-i1">这一题还没有选</a>' in html
    assert 'id="q-i1"' in html


@pytest.mark.parametrize("kind", MESSAGE_KINDS)
def test_a_message_says_what_can_be_done(kind: str) -> None:
    words = words_of(message(kind, retry_after=20))
    assert text(f"voter.message_{kind}_heading") in words
    assert "请过 20 秒再试" in words
    assert "输入参评码" in words


def test_no_two_messages_share_an_icon() -> None:
    drawings = [message(kind).split("<svg")[1].split(">", 1)[1].split("</svg>")[0] for kind in MESSAGE_KINDS]
    assert len(set(drawings)) == len(MESSAGE_KINDS)


@pytest.mark.parametrize(("state", "sentence"), [("counted", "已计入结果"), ("accepted", "随后计入结果")])
def test_a_receipt_is_grouped_and_explained(state: str, sentence: str) -> None:
    words = words_of(pages.receipt(pages.Receipt(state=state)))
    assert "7K2M- 9QXW- 3FHTP" in words
    assert sentence in words
    assert "回执不能证明是谁投的" in words
