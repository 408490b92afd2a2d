"""Formulas in and out of JSON: as people give them, as they are stored, and what is missing before launch."""

import re
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from survey_service.campaigns.rules import DEFAULT_MODE_WEIGHTS, EmptyClass, Formula, Mode, RaterClass
from survey_service.core.texts import text
from survey_service.questionnaires.option_sets import NOT_INFORMED, OPTION_SETS, OptionSet
from survey_service.questionnaires.rules import read_number

WHOLE_SUBJECT = "all"
"""The JSON key of the response-rate gate on the whole subject."""

_PLAIN_FIELDS = ("count_not_informed", "count_abstained", "min_class", "min_ballots", "counts_households")
_SHARE = re.compile(r"[0-9]{1,12}(\.[0-9]{1,12}|/[0-9]{1,12})?")


class FormulaError(Exception):
    """A formula that cannot be used; `errors` is keyed by field."""

    def __init__(self, errors: Mapping[str, list[str]]) -> None:
        self.errors = dict(errors)
        super().__init__(", ".join(errors))


def build_formula(given: Mapping[str, Any], *, used_sets: Collection[str], min_cell: int) -> Formula:
    """Complete what people gave with the presets of the used option sets; raises FormulaError.

    Flat coefficients (`{"satisfied": "1"}`) are allowed while a single option set is used.
    """
    sets = [OPTION_SETS[key] for key in sorted(used_sets)]
    class_weights = {RaterClass(key): weight for key, weight in given["class_weights"].items()}
    named_weights = {Mode(key): weight for key, weight in given.get("mode_weights", {}).items()}
    counts_households = RaterClass.VILLAGER in class_weights and named_weights.get(Mode.HOUSEHOLD, 0) > 0
    plain = {name: given[name] for name in _PLAIN_FIELDS if name in given}
    return Formula(
        coefficients=_coefficients(given.get("coefficients"), sets),
        positive=_positive(given.get("positive"), sets),
        class_weights=class_weights,
        mode_weights=dict(DEFAULT_MODE_WEIGHTS) | named_weights,
        empty_class=EmptyClass(given.get("empty_class", EmptyClass.RENORMALIZE)),
        min_response_rate=_gates(given.get("min_response_rate", "0")),
        min_cell=min_cell,
        **{"counts_households": counts_households} | plain,
    )


def _preset(option_set: OptionSet) -> dict[str, Decimal]:
    return {option.key: option.coefficient for option in option_set.options if option.coefficient is not None}


def _coefficients(given: Any, sets: Sequence[OptionSet]) -> dict[str, dict[str, Decimal]]:
    if given is None:
        return {one.key: _preset(one) for one in sets}
    is_flat = bool(given) and not any(isinstance(value, Mapping) for value in given.values())
    if is_flat and len(sets) != 1:
        raise FormulaError({"formula.coefficients": [text("campaigns.flat_coefficients")]})
    by_set = {sets[0].key: given} if is_flat else given
    return {key: _fractions_of_one(key, values) for key, values in by_set.items()}


def _fractions_of_one(key: str, values: Any) -> dict[str, Decimal]:
    """Check the coefficients of one option set: known options, numbers from 0 to 1."""
    name = f"formula.coefficients.{key}"
    if key not in OPTION_SETS or not isinstance(values, Mapping):
        raise FormulaError({name: [text("campaigns.unknown_option_set")]})
    _require_known(name, values, OPTION_SETS[key].keys)
    numbers = {option: read_number(value) for option, value in values.items()}
    if not all(number is not None and 0 <= number <= 1 for number in numbers.values()):
        raise FormulaError({name: [text("campaigns.coefficient_range")]})
    return {option: number for option, number in numbers.items() if number is not None}


def _require_known(name: str, options: Collection[str], known: Collection[str]) -> None:
    if unknown := sorted(set(options) - set(known)):
        raise FormulaError({name: [text("campaigns.unknown_options", options="、".join(unknown))]})


def _positive(given: Any, sets: Sequence[OptionSet]) -> dict[str, frozenset[str]]:
    """Return the positive options by set; without a choice the two best of each set."""
    if given is None:
        return {one.key: frozenset(option.key for option in one.options[:2]) for one in sets}
    if isinstance(given, Mapping):
        return {key: _positive_of_one(key, options) for key, options in given.items()}
    _require_known("formula.positive", given, [key for one in sets for key in one.keys])
    return {one.key: frozenset(given) & one.keys for one in sets}


def _positive_of_one(key: str, options: Collection[str]) -> frozenset[str]:
    name = f"formula.positive.{key}"
    if key not in OPTION_SETS:
        raise FormulaError({name: [text("campaigns.unknown_option_set")]})
    _require_known(name, options, OPTION_SETS[key].keys)
    return frozenset(options)


def _gates(given: Any) -> dict[RaterClass | None, Fraction]:
    """Read the gates on the response rate: a number for the whole subject, or a map by class."""
    by_class = given if isinstance(given, Mapping) else {WHOLE_SUBJECT: given}
    try:
        return {
            None if key == WHOLE_SUBJECT else RaterClass(key): _share(value)
            for key, value in by_class.items()
        }
    except (ValueError, ZeroDivisionError) as error:
        raise FormulaError({"formula.min_response_rate": [text("campaigns.bad_gate")]}) from error


def _share(value: Any) -> Fraction:
    """Read "0.5", "2/3" or "80" (above 1 it is a percentage); raises ValueError or ZeroDivisionError."""
    if _SHARE.fullmatch(str(value)) is None:
        raise ValueError(value)
    share = Fraction(str(value))
    share = share / 100 if share > 1 else share
    if share > 1:
        raise ValueError(value)
    return share


def missing_coefficients(formula: Formula, used_sets: Collection[str]) -> dict[str, list[str]]:
    """Return the options of used sets that have no coefficient and are not `not_informed`, by set."""
    gaps = {
        key: sorted(OPTION_SETS[key].keys - set(formula.coefficients.get(key, {})) - {NOT_INFORMED})
        for key in used_sets
    }
    return {f"formula.coefficients.{key}": options for key, options in gaps.items() if options}


def formula_to_json(formula: Formula) -> dict[str, Any]:
    """Return the formula as plain data, for storage and for the hash."""
    return {
        "coefficients": {key: dict(values) for key, values in formula.coefficients.items()},
        "positive": {key: sorted(options) for key, options in formula.positive.items()},
        "class_weights": {str(key): weight for key, weight in formula.class_weights.items()},
        "mode_weights": {str(key): weight for key, weight in formula.mode_weights.items()},
        "count_not_informed": formula.count_not_informed,
        "count_abstained": formula.count_abstained,
        "min_class": formula.min_class,
        "empty_class": str(formula.empty_class),
        "min_response_rate": {
            str(key or WHOLE_SUBJECT): str(share) for key, share in formula.min_response_rate.items()
        },
        "min_ballots": formula.min_ballots,
        "min_cell": formula.min_cell,
        "counts_households": formula.counts_households,
    }


def formula_from_json(plain: Mapping[str, Any]) -> Formula:
    """Return the formula that `formula_to_json` wrote."""

    def decimals(values: Mapping[str, str]) -> dict[str, Decimal]:
        return {key: Decimal(value) for key, value in values.items()}

    return Formula(
        coefficients={key: decimals(values) for key, values in plain["coefficients"].items()},
        positive={key: frozenset(options) for key, options in plain["positive"].items()},
        class_weights={RaterClass(key): weight for key, weight in decimals(plain["class_weights"]).items()},
        mode_weights={Mode(key): weight for key, weight in decimals(plain["mode_weights"]).items()},
        count_not_informed=plain["count_not_informed"],
        count_abstained=plain["count_abstained"],
        min_class=plain["min_class"],
        empty_class=EmptyClass(plain["empty_class"]),
        min_response_rate=_gates(plain["min_response_rate"]),
        min_ballots=plain["min_ballots"],
        min_cell=plain["min_cell"],
        counts_households=plain["counts_households"],
    )
