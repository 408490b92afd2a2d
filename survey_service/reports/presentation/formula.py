"""The formula of a campaign in words that a county office can check before it is locked."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from survey_service.campaigns.rules import Formula, Mode, RaterClass
from survey_service.core.texts import text
from survey_service.questionnaires.option_sets import NOT_INFORMED, OPTION_SETS
from survey_service.questionnaires.rules import ScoredItem

COMMA = "、"


@dataclass(frozen=True)
class Clause:
    """One point of the formula: a heading and its sentences."""

    heading: str
    sentences: Sequence[str]


def number(value: Decimal | Fraction) -> str:
    """Write a number without trailing zeros, with up to four decimal places."""
    return f"{float(value):.4f}".rstrip("0").rstrip(".")


def percentage(share: Fraction) -> str:
    return f"{number(share * 100)}%"


def describe_formula(formula: Formula, items: Sequence[ScoredItem]) -> list[Clause]:
    """Return the formula point by point."""
    points = {
        "items": _items(items),
        "options": _options(formula, items),
        "positive": _positive(formula, items),
        "classes": _classes(formula),
        "modes": _modes(formula),
        "gates": _gates(formula),
        "order": [text("reports.formula_order_text")],
    }
    return [
        Clause(text(f"reports.formula_{point}"), sentences)
        for point, found in points.items()
        if (sentences := list(found))
    ]


def _items(items: Sequence[ScoredItem]) -> list[str]:
    weights = {item.weight for item in items}
    if len(weights) == 1:
        names = COMMA.join(item.text for item in items)
        return [text("reports.formula_items_equal", count=len(items), names=names)]
    names = COMMA.join(
        text("reports.formula_weighted", name=item.text, weight=number(item.weight)) for item in items
    )
    return [text("reports.formula_items_weighted", count=len(items), names=names)]


def _used_sets(items: Sequence[ScoredItem]) -> list[str]:
    return list(dict.fromkeys(item.option_set for item in items))


def _options(formula: Formula, items: Sequence[ScoredItem]) -> Iterator[str]:
    for key in _used_sets(items):
        coefficients = formula.coefficients.get(key, {})
        worth = [
            text("reports.formula_option", option=option.label, points=number(coefficients[option.key] * 100))
            for option in OPTION_SETS[key].options
            if option.key in coefficients
        ]
        yield text("reports.formula_options_text", options=COMMA.join(worth))
        if NOT_INFORMED in OPTION_SETS[key].keys - coefficients.keys():
            yield text(f"reports.formula_not_informed_{_word(formula.count_not_informed)}")
    yield text(f"reports.formula_abstained_{_word(formula.count_abstained)}")


def _word(is_counted: bool) -> str:
    return "counted" if is_counted else "left_out"


def _positive(formula: Formula, items: Sequence[ScoredItem]) -> Iterator[str]:
    for key in _used_sets(items):
        positive = formula.positive.get(key, frozenset())
        labels = COMMA.join(option.label for option in OPTION_SETS[key].options if option.key in positive)
        yield text("reports.formula_positive_text", options=labels)


def _classes(formula: Formula) -> Iterator[str]:
    weights: Mapping[RaterClass, Decimal] = {
        key: formula.class_weights[key] for key in RaterClass if formula.class_weights.get(key)
    }
    whole = Fraction(sum(weights.values()))
    names = COMMA.join(
        text(
            "reports.formula_share",
            name=text(f"campaigns.class_{key}"),
            share=percentage(Fraction(weight) / whole),
        )
        for key, weight in weights.items()
    )
    yield text("reports.formula_classes_text", names=names)
    if len(weights) > 1:
        yield text(f"reports.formula_{formula.empty_class}", min_class=formula.min_class)
    elif formula.min_class > 1:
        yield text("reports.formula_only_class", min_class=formula.min_class)


def _modes(formula: Formula) -> Iterator[str]:
    by_weight: dict[Decimal, list[str]] = {}
    for mode in Mode:
        by_weight.setdefault(formula.mode_weights[mode], []).append(text(f"campaigns.mode_{mode}"))
    for weight in sorted(by_weight, reverse=True):
        names = COMMA.join(by_weight[weight])
        if weight:
            yield text("reports.formula_modes_weighted", names=names, weight=number(weight))
        else:
            yield text("reports.formula_modes_left_out", names=names)


def _gates(formula: Formula) -> Iterator[str]:
    for rater_class, share in formula.min_response_rate.items():
        if share:
            who = (
                text("reports.whole_subject")
                if rater_class is None
                else text(f"campaigns.class_{rater_class}")
            )
            yield text("reports.formula_gate", who=who, share=percentage(share))
    if formula.min_ballots:
        yield text("reports.formula_min_ballots", count=formula.min_ballots)
    yield text("reports.formula_min_cell", count=formula.min_cell)
