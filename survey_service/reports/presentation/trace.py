"""The trace of a score, step by step and in words: whoever can add and divide can check it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from survey_service.campaigns.rules import RaterClass
from survey_service.core.disclosure import Withholding
from survey_service.core.texts import text
from survey_service.mass_evaluation.rules import show
from survey_service.questionnaires.option_sets import OPTION_SETS
from survey_service.reports.service import Figures

_PLACES = 4
_LONGEST_EXACT = 24
"""Characters of an exact fraction that a page still shows; the JSON holds them all."""
_PLUS, _TIMES, _DIVIDED, _EQUALS = " + ", " × ", " ÷ ", " = "


@dataclass(frozen=True)
class Number:
    """A number as it is read, and the exact fraction where that is another one."""

    shown: str
    exact: str = ""


@dataclass(frozen=True)
class SliceView:
    rater_class: str
    mode: str
    weight: str
    returned: int
    valid: str
    standing: str
    invalid: str
    counts: Sequence[tuple[str, str]]
    """Each item with its counts in words."""
    why: str
    """Why nothing of them is shown; empty where it is."""


@dataclass(frozen=True)
class ResultView:
    """A value with the sum that gave it, and its interval."""

    calculation: str
    value: Number
    interval: str


@dataclass(frozen=True)
class CellView:
    """One item in one class."""

    text: str
    score: ResultView
    rate: ResultView | None
    n: int
    effective: str
    corrected: str
    spread: str


@dataclass(frozen=True)
class ClassView:
    label: str
    weight: str
    n: str
    eligible: str
    is_counted: bool
    why: str
    cells: Sequence[CellView]
    score: ResultView | None
    rate: ResultView | None


@dataclass(frozen=True)
class WholeView:
    """The classes joined: the value, the share of each class, and the two bounds as sums."""

    result: ResultView
    shares: str
    bounds: Sequence[str]


@dataclass(frozen=True)
class TraceView:
    """`withheld` are sentences about what is not shown, and why."""

    slices: Sequence[SliceView]
    checks: Sequence[str]
    classes: Sequence[ClassView]
    score: WholeView
    rate: WholeView | None
    withheld: Sequence[str]


def decimal(value: str, places: int = _PLACES) -> str:
    """Write an exact number with up to some decimal places, rounded half up."""
    scale = 10**places
    scaled = int(Fraction(value) * scale + Fraction(1, 2))
    written = f"{Decimal(scaled).scaleb(-places):f}"
    return written.rstrip("0").rstrip(".") if "." in written else written


def exact_number(value: str) -> Number:
    shown = decimal(value)
    is_exact = Fraction(shown) == Fraction(value)
    return Number(shown, "" if is_exact or len(value) > _LONGEST_EXACT else value)


def trace_view(trace: Figures, texts: Mapping[str, str]) -> TraceView:
    """Return the steps of a trace; `texts` are the questions by item key."""
    reader = _Reader(trace, texts)
    return TraceView(
        slices=[reader.slice(one) for one in trace["slices"]],
        checks=[_check(one) for one in trace["checks"]],
        classes=[reader.rater_class(key) for key in RaterClass if key in trace["classes"]],
        score=reader.whole("score"),
        rate=reader.whole("satisfaction_rate") if trace["satisfaction_rate"] else None,
        withheld=reader.withheld(),
    )


def _check(check: Figures) -> str:
    """Write one check with both of its sides."""
    scope, limit = check["scope"], check["limit"]
    kind = f"{check['against']}_{check['measures']}"
    if check["actual"] is None and check["measures"] == "standing":
        return text("reports.check_withheld", limit=limit)
    if kind == "below_gate_response_rate":
        who = text("reports.whole_subject") if scope is None else text(f"campaigns.class_{scope}")
        rate = text("reports.unknown_rate") if check["actual"] is None else _percent(check["actual"])
        key = "check_no_gate" if Fraction(limit) == 0 else "check_response_rate"
        return text(f"reports.{key}", who=who, rate=rate, limit=_percent(limit))
    if kind == "below_gate_standing" and limit == "0":
        return text("reports.check_no_min_ballots", actual=check["actual"])
    who = {"more_than_issued": "mode", "class_missing": "class"}.get(check["against"], "")
    words = text(f"campaigns.{who}_{scope}") if scope else ""
    return text(f"reports.check_{kind}", who=words, actual=check["actual"], limit=limit)


def _number(count: int | None) -> str:
    return text("reports.withheld") if count is None else str(count)


def _value(estimate: Figures | None) -> str:
    return text("reports.withheld") if estimate is None else decimal(estimate["value"])


def why_withheld(reason: str | None) -> str:
    """Say why a part is not shown; nothing where it is."""
    return text(f"reports.withheld_{reason}") if reason else ""


def _percent(share: str) -> str:
    return f"{decimal(str(Fraction(share) * 100), 2)}%"


def _interval(bounds: Sequence[str] | None) -> str:
    return "–".join(str(show(Fraction(bound))) for bound in bounds) if bounds else text("reports.no_interval")


class _Reader:
    """Reads the parts of one trace, whose formula stands at its beginning."""

    def __init__(self, trace: Figures, texts: Mapping[str, str]) -> None:
        self._trace = trace
        self._texts = texts
        self._formula = trace["formula"]
        self._items = {item["key"]: item for item in self._formula["items"]}

    def slice(self, one: Figures) -> SliceView:
        return SliceView(
            rater_class=text(f"campaigns.class_{one['class']}"),
            mode="、".join(text(f"campaigns.mode_{mode}") for mode in one["modes"]),
            weight=decimal(self._formula["mode_weights"][one["modes"][0]]),
            returned=one["returned"],
            valid=_number(one["valid"]),
            standing=_number(one["standing"]),
            invalid=_number(one["invalid"]),
            counts=[
                (self._texts.get(key, key), self._counts(key, counts))
                for key in self._items
                if (counts := (one["counts"] or {}).get(key))
            ],
            why=why_withheld(one["withheld"]),
        )

    def withheld(self) -> list[str]:
        """Say what is left out of the steps, and why."""
        withheld = self._trace["withheld"]
        names = {text(f"campaigns.class_{key}"): reason for key, reason in withheld["classes"].items()}
        names |= {
            text("reports.counts_of", name=text(f"campaigns.class_{key}")): Withholding.SMALL_CELL
            for key in withheld["counts"]
        }
        names |= {self._texts.get(key, key): reason for key, reason in withheld["items"].items()}
        names |= {text("reports.parted_by_mode"): withheld["modes"]} if withheld["modes"] else {}
        return [
            text("reports.withheld_part", name=name, why=why_withheld(reason))
            for name, reason in names.items()
        ]

    def _counts(self, key: str, counts: Mapping[str, int]) -> str:
        labels = self._labels(key) | {"": text("reports.abstained")}
        return "，".join(
            f"{label} {counts[option]}" for option, label in labels.items() if counts.get(option)
        )

    def _labels(self, key: str) -> dict[str, str]:
        return {option.key: option.label for option in OPTION_SETS[self._items[key]["option_set"]].options}

    def rater_class(self, key: RaterClass) -> ClassView:
        one = self._trace["classes"][key]
        cells = one["items"]
        return ClassView(
            label=text(f"campaigns.class_{key}"),
            weight=decimal(one["weight"]),
            n=_number(one["n"]),
            eligible=text("reports.unknown") if one["eligible"] is None else str(one["eligible"]),
            is_counted=one["is_counted"],
            why=why_withheld(one["withheld"]),
            cells=[self._cell(item, cells[item]) for item in self._items if item in cells],
            score=self._joined(one, "score"),
            rate=self._joined(one, "satisfaction_rate"),
        )

    def _cell(self, key: str, cell: Figures) -> CellView:
        option_set = self._items[key]["option_set"]
        coefficients = self._formula["coefficients"][option_set]
        positive = set(self._formula["positive"][option_set])
        return CellView(
            text=self._texts.get(key, key),
            score=_share_of(
                cell, "score", lambda option: decimal(coefficients.get(option, "0")), self._labels(key)
            ),
            rate=_share_of(
                cell,
                "satisfaction_rate",
                lambda option: "1" if option in positive else "0",
                self._labels(key),
            )
            if cell["satisfaction_rate"]
            else None,
            n=cell["n"],
            effective=decimal(cell["effective"]),
            corrected=text("reports.everybody") if cell["corrected"] is None else decimal(cell["corrected"]),
            spread=decimal(cell["spread"], 6),
        )

    def _joined(self, one: Figures, figure: str) -> ResultView | None:
        """Write the mean of the items of a class."""
        if one[figure] is None:
            return None
        if not one["items"] or self._trace["withheld"]["items"]:
            return _result(text("reports.withheld_sum"), one[figure])
        parts = [
            (self._items[key]["weight"], one["items"][key][figure]["value"])
            for key in self._items
            if key in one["items"] and one["items"][key][figure]
        ]
        terms = _PLUS.join(f"{decimal(value)}{_TIMES}{decimal(weight)}" for weight, value in parts)
        weights = decimal(str(sum(Fraction(weight) for weight, _ in parts)))
        return _result(f"({terms}){_DIVIDED}{weights}", one[figure])

    def whole(self, figure: str) -> WholeView:
        joined = self._trace[figure]
        classes = self._trace["classes"]
        shares = {key: Fraction(joined["shares"][key]) for key in RaterClass if key in joined["shares"]}
        values = {key: classes[key][figure] for key in shares}
        terms = _PLUS.join(
            f"{_value(values[key])}{_TIMES}{decimal(str(share))}" for key, share in shares.items()
        )
        words = "，".join(
            text("reports.trace_share", name=text(f"campaigns.class_{key}"), share=_percent(str(share)))
            for key, share in shares.items()
        )
        return WholeView(_result(terms, joined), words, _bounds(joined, shares, values))


def _share_of(
    cell: Figures, figure: str, factor: Callable[[str], str], labels: Mapping[str, str]
) -> ResultView:
    """Write the weighted mean of the options of one item."""
    weighted = {option: cell["weighted"][option] for option in labels if option in cell["weighted"]}
    terms = _PLUS.join(
        f"{labels[option]} {decimal(count)}{_TIMES}{factor(option)}" for option, count in weighted.items()
    )
    return _result(f"100{_TIMES}({terms}){_DIVIDED}{decimal(cell['denominator'])}", cell[figure])


def _result(calculation: str, estimate: Figures) -> ResultView:
    return ResultView(calculation, exact_number(estimate["value"]), _interval(estimate["interval"]))


def _bounds(
    joined: Figures, shares: Mapping[RaterClass, Fraction], values: Mapping[RaterClass, Figures]
) -> list[str]:
    """Write the two bounds as the roots that they come from; one class alone needs none."""
    if joined["interval"] is None or None in values.values():
        return []
    return [_bound(joined, shares, values, side) for side in (0, 1)]


def _bound(
    joined: Figures, shares: Mapping[RaterClass, Fraction], values: Mapping[RaterClass, Figures], side: int
) -> str:
    squares = _PLUS.join(
        f"({decimal(str(share))}{_TIMES}|{_distance(values[key], side)}|)²" for key, share in shares.items()
    )
    return text(
        "reports.trace_low" if side == 0 else "reports.trace_high",
        value=decimal(joined["value"]),
        squares=squares,
        bound=show(Fraction(joined["interval"][side])),
    )


def _distance(estimate: Figures, side: int) -> str:
    return f"{decimal(estimate['value'])} − {decimal(estimate['interval'][side])}"
