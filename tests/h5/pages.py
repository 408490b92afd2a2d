"""The voter's templates rendered with made-up contexts, as the service will render them."""

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from survey_service.core.texts import text

H5 = Path(__file__).parents[2] / "h5"
STATIC = H5 / "static"
CATALOGUE = H5.parent / "survey_service" / "texts" / "zh_Hans" / "voter.toml"
INDICATORS = (
    "党组织带头人",
    "工作思路",
    "工作制度",
    "活动阵地",
    "保障机制",
    "工作业绩",
    "群众评价",
)
MESSAGE_KINDS = tuple(
    name.removeprefix("message_").removesuffix("_heading")
    for name in tomllib.loads(CATALOGUE.read_text("utf-8"))
    if name.startswith("message_") and name.endswith("_heading")
)


@dataclass(frozen=True)
class Option:
    key: str
    label: str


@dataclass(frozen=True)
class Row:
    key: str
    text: str


@dataclass(frozen=True)
class ShowIf:
    item: str
    options: tuple[str, ...]


@dataclass(frozen=True)
class Item:
    key: str
    kind: str
    text: str
    hint: str = ""
    required: bool = True
    options: tuple[Option, ...] = ()
    rows: tuple[Row, ...] = ()
    max_length: int | None = None
    minimum: int | None = None
    maximum: int | None = None
    max_choices: int | None = None
    show_if: ShowIf | None = None


@dataclass(frozen=True)
class Failure:
    name: str
    message: str


@dataclass(frozen=True)
class Step:
    organization_code: str = ""
    receipt_url: str = "/r/"
    position: str = ""
    back_url: str = ""
    is_notice_folded: bool = False


@dataclass(frozen=True)
class BallotPage:
    """What `ballot.html` is given; the names are those that the service uses."""

    code: str = "7K2M9QXW3FHTP"
    organization_name: str = "汤溪镇大榕村"
    title: str = "党员群众满意度测评表"
    subject_name: str = "大榕村党支部"
    rater_class_label: str = "村民"
    notice: tuple[str, ...] = (
        text("voter.notice_who", organizer="汤溪镇党委"),
        text("voter.notice_why", subject="大榕村党支部"),
        text("voter.notice_what"),
        text("voter.notice_how_long"),
        text("voter.notice_rights"),
    )
    others_url: str = "/others"
    action: str = "/s/7K2M9QXW3FHTP"
    api_url: str = "/api/v1/entrances/7K2M9QXW3FHTP/ballots"
    ticket: str = "ticket-1"
    is_preview: bool = False
    warning: str = ""
    closes_at_text: str = "12月31日 18:00"
    recording_url: str = ""
    errors: tuple[Failure, ...] = ()
    questions: str = ""
    step: Step = Step()
    is_visit: bool = False


@dataclass(frozen=True)
class Action:
    label: str
    url: str
    is_primary: bool = False


@dataclass(frozen=True)
class Dispute:
    action: str = "/s/ABCDEFGHJKMNP/dispute"
    ticket: str = "a.b"
    organization_code: str = ""


@dataclass(frozen=True)
class Message:
    kind: str
    heading: str
    sentence: str
    actions: tuple[Action, ...]
    organization_name: str = "汤溪镇大榕村"
    retry_after: int | None = None
    dispute: Dispute | None = None
    shows_ways: bool = False


SATISFACTION = (
    Option("satisfied", "满意"),
    Option("basically_satisfied", "基本满意"),
    Option("dissatisfied", "不满意"),
    Option("not_informed", "不了解"),
)
REMARK = Item("remark", "text", "意见建议", required=False, max_length=500)
TOWNSHIP_FORM = (
    *(Item(f"i{n}", "rating", label, options=SATISFACTION) for n, label in enumerate(INDICATORS, start=1)),
    REMARK,
)
ALL_KINDS = (
    Item("overall", "rating", "总体评价", "请按您知道的情况选", options=SATISFACTION),
    Item(
        "why",
        "multiple",
        "哪些方面不满意",
        options=(Option("roads", "道路和路灯"), Option("water", "饮水"), Option("money", "村务财务公开")),
        max_choices=2,
        show_if=ShowIf("overall", ("dissatisfied",)),
    ),
    Item(
        "team",
        "matrix",
        "村两委班子",
        rows=(Row("work", "办事"), Row("fair", "公道")),
        options=SATISFACTION,
    ),
    Item(
        "channel",
        "single",
        "您平时怎么了解村里的事",
        options=(Option("board", "村务公开栏"), Option("group", "微信群"), Option("talk", "听邻居说")),
        required=False,
    ),
    Item("meetings", "number", "今年参加过几次会", minimum=0, maximum=99),
    REMARK,
)


def static_url(name: str) -> str:
    """Return the URL of a built file as the manifest names it."""
    manifest = json.loads((STATIC / "manifest.json").read_text("utf-8"))
    return f"/static/{manifest[name]}"


def make_environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(H5 / "templates"), autoescape=True, undefined=StrictUndefined
    )
    environment.globals.update(t=text, static=static_url)
    return environment


ENVIRONMENT = make_environment()


def render(template: str, **context: object) -> str:
    return ENVIRONMENT.get_template(f"voter/{template}").render(**context)


def questions(
    items: Sequence[Item],
    answers: Mapping[str, str | list[str]] | None = None,
    errors: Mapping[str, str] | None = None,
) -> Markup:
    return Markup(render("questions.html", items=items, answers=answers or {}, errors=errors or {}))


def ballot(page: BallotPage, items: Sequence[Item] = TOWNSHIP_FORM) -> str:
    """Render the whole page; the errors stand in the summary and at their questions."""
    errors = {error.name: error.message for error in page.errors}
    return render("ballot.html", page=replace(page, questions=questions(items, errors=errors)))


def message(kind: str, retry_after: int | None = None) -> str:
    """Render the page of one kind with the words of the catalogue and two ways on."""
    times = {"opens_at": "12月1日 8:00"} if kind == "not_open" else {}
    times = {"closed_at": "12月31日 18:00"} if kind == "closed" else times
    times = {"total": "12"} if kind == "all_rated" else times
    actions = (
        Action(text("voter.action_enter_code"), "/enter", is_primary=True),
        Action(text("voter.action_others"), "/others"),
    )
    heading = text(f"voter.message_{kind}_heading")
    # The page for unforeseen errors shows the sentence of the error itself.
    sentence = "" if kind == "error" else text(f"voter.message_{kind}_sentence", **times)
    return render("message.html", message=Message(kind, heading, sentence, actions, retry_after=retry_after))


@dataclass(frozen=True)
class Others:
    title: str = "党员群众满意度测评表"
    villages: tuple[dict[str, str], ...] = tuple(
        {"name": f"汤溪镇{name}村", "url": f"/s/{name}"} for name in ("大榕", "麦园", "桃源", "月星", "居豪")
    )
    back_url: str = "/s/7K2M9QXW3FHTP"


@dataclass(frozen=True)
class Sitting:
    organization_name: str = "汤溪镇"
    title: str = "党员群众满意度测评表"
    heading: str = text("voter.subjects_received", left=1)
    done: int = 1
    total: int = 2
    progress: str = text("voter.subjects_progress", done=1, total=2)
    next_label: str = text("voter.subjects_continue", name="麦园村")
    next_url: str = "/s/7K2M9QXW3FHTP/of/2"
    closes_at_text: str = "12月31日 18:00"
    rater_class_label: str = "老干部"
    receipt: str = "7K2M9QXW3FHTP"
    groups: tuple[dict[str, object], ...] = (
        {
            "title": "",
            "note": "",
            "subjects": [
                {"number": 1, "name": "大榕村", "url": "/s/7K2M9QXW3FHTP/of/1", "done": True},
                {"number": 2, "name": "麦园村", "url": "/s/7K2M9QXW3FHTP/of/2", "done": False},
            ],
        },
    )


@dataclass(frozen=True)
class CodeEntry:
    action: str = "/enter"
    code: str = ""
    error: str = ""


@dataclass(frozen=True)
class ReceiptLookup:
    action: str = "/lookup"
    receipt: str = ""
    state: str = ""


@dataclass(frozen=True)
class Receipt:
    receipt: str = "7K2M9QXW3FHTP"
    organization_name: str = "汤溪镇大榕村"
    state: str = "counted"
    lookup_url: str = "/lookup"


def receipt(shown: Receipt) -> str:
    return render(
        "receipt.html",
        receipt=shown.receipt,
        organization_name=shown.organization_name,
        state=shown.state,
        lookup_url=shown.lookup_url,
    )
