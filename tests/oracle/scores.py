"""Score raw ballots without any code of the package: the judge of its tallies and scores.

Everything here is plain Python over plain values, ballot by ballot, with weighted lists in place of tallies.
Exact figures are fractions; interval bounds are floats, good to about nine digits.

- a ballot: `{"rater_class", "mode", "answers": {item: option}, "invalid": bool, "excluded": bool}`; a missing
  item is blank
- an item: `{"key", "option_set", "weight"}`
- the formula: as in the API, `coefficients` and `positive` keyed by option set, plus `min_cell`
"""

from fractions import Fraction
from math import inf, isinf, sqrt

DEFAULT_WEIGHTS = {
    "panel": 1,
    "household": 1,
    "open": 0,
    "open_device": 0,
    "assisted": 1,
    "paper": 1,
    "paper_total": 1,
}
ONE_TIME = {"panel", "household", "assisted", "paper"}
POSTED = {"open", "open_device"}


def recount(ballots, items, formula, eligible, issued=None):
    """Return status, reason and the figures; figures that the status withholds are None."""
    classes = [k for k, w in formula["class_weights"].items() if Fraction(w) > 0]
    known = [eligible.get(k) for k in formula["class_weights"]]
    people = None if None in known else sum(known)
    result = {"returned": len(ballots), "eligible": people}
    result["response_rate"] = Fraction(100 * len(ballots), people) if people else None
    heavy = [b for b in ballots if weight_of(b["mode"], formula) > 0]
    kept = [b for b in heavy if not b["excluded"]]
    standing = {k: [b for b in kept if b["rater_class"] == k and stands(b, items, formula)] for k in classes}
    scores = {k: score_of_class(standing[k], items, formula, eligible.get(k)) for k in classes}
    counted = [
        k for k in classes if len(standing[k]) >= formula["min_class"] and scores[k]["score"] is not None
    ]
    result["status"], result["reason"] = judge(
        ballots, heavy, formula, eligible, people, issued or {}, standing, counted
    )
    if result["status"] != "ok":
        return result | dict.fromkeys(("score", "interval", "rate", "rate_interval", "valid", "classes"))
    weights = {k: Fraction(formula["class_weights"][k]) for k in counted}
    result["score"], result["interval"] = join(weights, scores, "score")
    result["rate"], result["rate_interval"] = join(weights, scores, "rate")
    result["valid"] = sum(is_valid(b, items) for b in ballots if not b["excluded"])
    result["classes"] = {k: (len(standing[k]), scores[k]["score"] if k in counted else None) for k in classes}
    return result


def judge(ballots, heavy, formula, eligible, people, issued, standing, counted):
    for mode, number in issued.items():
        if mode in ONE_TIME and number is not None and sum(b["mode"] == mode for b in ballots) > number:
            return "void", "more_than_issued"
    if not ballots:
        return "suppressed", "no_ballots"
    n = sum(map(len, standing.values()))
    if (sum(len(standing[k]) for k in counted) if counted else n) < formula["min_cell"]:
        return "suppressed", "small_cell"
    for scope, gate in formula.get("min_response_rate", {}).items():
        here = [b for b in heavy if scope in ("all", b["rater_class"])]
        whole = people if scope == "all" else eligible.get(scope)
        nobody = whole == 0 and not here
        if Fraction(gate) > 0 and not nobody and (not whole or len(here) < Fraction(gate) * whole):
            return "insufficient", "below_gate"
    if n < formula.get("min_ballots", 0):
        return "insufficient", "below_gate"
    if not counted or (formula["empty_class"] == "block" and len(counted) < len(standing)):
        return "insufficient", "class_missing"
    return "ok", ""


def weight_of(mode, formula):
    return Fraction(formula["mode_weights"].get(mode, DEFAULT_WEIGHTS[mode]))


def is_valid(ballot, items):
    answers = [ballot["answers"].get(item["key"]) for item in items]
    return not ballot.get("invalid") and any(a is not None and a != "not_informed" for a in answers)


def point(ballot, item, formula):
    """Return the coefficient that a ballot gives to an item, or None outside the denominator."""
    if ballot.get("invalid"):
        return None
    answer = ballot["answers"].get(item["key"])
    if answer is None:
        return Fraction(0) if formula["count_abstained"] else None
    coefficient = formula["coefficients"][item["option_set"]].get(answer)
    if coefficient is not None:
        return Fraction(coefficient)
    return Fraction(0) if answer == "not_informed" and formula["count_not_informed"] else None


def stands(ballot, items, formula):
    return any(point(ballot, item, formula) is not None for item in items)


def score_of_class(ballots, items, formula, people):
    """Return {"score": value, "score_interval": bounds, "rate": …, "rate_interval": …} of one class."""
    rows = [row for item in items if (row := score_of_item(ballots, item, formula, people))]
    result = {}
    for name in ("score", "rate"):
        parts = [(w, row[name]) for w, row in rows if w > 0 and row[name]]
        total = sum(w for w, _ in parts)
        result[name] = sum(w * value for w, (value, _) in parts) / total if parts else None
        if parts and all(bounds for _, (_, bounds) in parts):
            result[name + "_interval"] = tuple(
                sum(float(w / total) * bounds[side] for w, (_, bounds) in parts) for side in (0, 1)
            )
        else:
            result[name + "_interval"] = None
    return result


def score_of_item(ballots, item, formula, people):
    points = [(weight_of(b["mode"], formula), point(b, item, formula), b) for b in ballots]
    points = [(w, c, b) for w, c, b in points if c is not None]
    if not points:
        return None
    total = sum(w for w, _, _ in points)
    mean = sum(w * c for w, c, _ in points) / total
    size = effective_number([w for w, _, _ in points], people)
    positive = formula["positive"].get(item["option_set"], ())
    happy = sum(w for w, _, b in points if b["answers"].get(item["key"]) in positive) / total
    return Fraction(item["weight"]), {
        "score": (100 * mean, around_mean(points, float(mean), size)),
        "rate": (100 * happy, wilson(float(happy), size)) if positive else None,
    }


def effective_number(weights, people):
    number = float(sum(weights) ** 2 / sum(w * w for w in weights))
    if people is None or len(weights) > people:
        return number
    return inf if len(weights) == people else number * (people - 1) / (people - len(weights))


def around_mean(points, mean, size):
    if isinf(size):
        return 100 * mean, 100 * mean
    if size < 2 - 1e-12:
        return None
    padded = [(float(w), float(c)) for w, c, _ in points] + [(0.5, 0.0), (0.5, 1.0)]
    total = sum(w for w, _ in padded)
    middle = sum(w * c for w, c in padded) / total
    variance = sum(w * (c - middle) ** 2 for w, c in padded) / total
    half = 196 * sqrt(variance / size)
    return max(0.0, 100 * mean - half), min(100.0, 100 * mean + half)


def wilson(share, size):
    if isinf(size):
        return 100 * share, 100 * share
    if size < 2 - 1e-12:
        return None
    z2 = 1.96**2
    middle = (share + z2 / (2 * size)) / (1 + z2 / size)
    half = 1.96 / (1 + z2 / size) * sqrt(share * (1 - share) / size + z2 / (4 * size * size))
    return max(0.0, 100 * (middle - half)), min(100.0, 100 * (middle + half))


def join(weights, scores, name):
    """Join the classes: weighted mean of the values, MOVER for the bounds."""
    present = {k: w for k, w in weights.items() if scores[k][name] is not None}
    if not present:
        return None, None
    total = sum(present.values())
    value = sum(w * scores[k][name] for k, w in present.items()) / total
    bounds = {k: scores[k][name + "_interval"] for k in present}
    if None in bounds.values():
        return value, None
    low = sqrt(
        sum((float(w / total) * (float(scores[k][name]) - bounds[k][0])) ** 2 for k, w in present.items())
    )
    high = sqrt(
        sum((float(w / total) * (bounds[k][1] - float(scores[k][name]))) ** 2 for k, w in present.items())
    )
    return value, (max(0.0, float(value) - low), min(100.0, float(value) + high))
