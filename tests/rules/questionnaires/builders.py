"""Short ways to write questions, and forms as a browser sends them."""

from decimal import Decimal
from typing import Any

from werkzeug.datastructures import MultiDict

from survey_service.questionnaires.kinds import KINDS
from survey_service.questionnaires.option_sets import Option
from survey_service.questionnaires.rules import AnswerError, Item, Plan, Row, ShowIf

OWN_OPTIONS = (Option("a", "甲"), Option("b", "乙"), Option("c", "丙"))


def rating(key: str = "overall", **changes: Any) -> Item:
    values: dict[str, Any] = {"option_set": "satisfaction4", "weight": Decimal(1)}
    return Item(key=key, kind="rating", text="总体评价", **values | changes)


def matrix(key: str = "m", **changes: Any) -> Item:
    values: dict[str, Any] = {
        "option_set": "grade4",
        "weight": Decimal(1),
        "rows": (Row("study", "学习"), Row("work", "工作", Decimal(3)), Row("idle", "其他", Decimal(0))),
    }
    return Item(key=key, kind="matrix", text="逐项评价", **values | changes)


def single(key: str = "one", **changes: Any) -> Item:
    return Item(key=key, kind="single", text="选一项", **{"options": OWN_OPTIONS} | changes)


def multiple(key: str = "some", **changes: Any) -> Item:
    return Item(key=key, kind="multiple", text="选几项", **{"options": OWN_OPTIONS} | changes)


def words(key: str = "remark", **changes: Any) -> Item:
    return Item(key=key, kind="text", text="意见建议", **{"max_length": 10} | changes)


def number(key: str = "years", **changes: Any) -> Item:
    return Item(key=key, kind="number", text="年数", **changes)


def if_dissatisfied(target: str = "overall") -> ShowIf:
    return ShowIf(target, ("dissatisfied",))


def plan(*items: Item) -> Plan:
    return Plan(items, KINDS)


def errors_of(plan: Plan, answers: dict[str, Any]) -> set[str]:
    """Return the names of the answers that are refused."""
    try:
        plan.check(answers)
    except AnswerError as error:
        return set(error.errors)
    return set()


def form(**values: str | list[str]) -> MultiDict[str, str]:
    """Return what a browser sends; `m__row` stands for the field `m.row`."""
    fields: MultiDict[str, str] = MultiDict()
    for name, value in values.items():
        fields.setlist(name.replace("__", "."), value if isinstance(value, list) else [value])
    return fields
