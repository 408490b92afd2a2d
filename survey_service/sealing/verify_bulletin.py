#!/usr/bin/env python3
"""Verify the published receipts of a sealed campaign, and its scores, without trusting who published them.

    python3 verify_bulletin.py bulletin.json [snapshot.json]

`bulletin.json` is the answer of GET /api/v1/campaigns/{id}/bulletin, `snapshot.json` that of .../snapshot.
Exit status 0: everything agrees. 1: the first bad entry is named. 2: a file cannot be read.
This file needs Python 3.11 and nothing else; read it before you believe it.
"""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from hashlib import sha256
from math import floor
from pathlib import Path
from typing import Any, NoReturn

Json = Mapping[str, Any]
BLANK, NOT_INFORMED = "", "not_informed"
COUNTS = ("count", "excluded", "invalid", "weightless", "totals")
"""The last one, ballots that meetings counted by hand, stands only where there are any."""
DEFAULT_MODE_WEIGHTS = {"open": 0, "open_device": 0}
"""Every other mode weighs 1 where the formula does not name it."""


class Bad(Exception):
    """The first entry that does not agree."""


def require(condition: bool, entry: str, fault: str) -> None:
    if not condition:
        raise Bad(f"{entry}: {fault}")


def digest_json(value: object) -> str:
    """Return the SHA-256 of canonical JSON: sorted keys, no spaces, letters as they are."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()


def check_lists(bulletin: Json) -> None:
    """Each list is sorted, names nobody twice, and has the number and the digest that stand beside it."""
    seen: set[str] = set()
    for entry, item in named("bulletin entry", bulletin["items"]):
        receipts = item["receipts"]
        require(len(receipts) == item["count"], entry, f"{len(receipts)} receipts, not {item['count']}")
        require(receipts == sorted(receipts), entry, "the receipts are not sorted by code point")
        require(len(seen | set(receipts)) == len(seen) + len(receipts), entry, "a receipt stands twice")
        digest = sha256("\n".join(receipts).encode()).hexdigest()
        require(digest == item["digest"], entry, f"the digest of the receipts is {digest}")
        seen |= set(receipts)


def named(kind: str, items: Sequence[Json]) -> Iterator[tuple[str, Json]]:
    for number, item in enumerate(items, 1):
        yield f"{kind} {number} ({item['organization_code']})", item


def check_against(bulletin: Json, snapshot: Json) -> None:
    """The bulletin is the one that the snapshot was sealed with."""
    head = snapshot["head"]
    digest = digest_json(snapshot)
    require(
        digest == bulletin["snapshot_digest"], "snapshot", f"its digest is {digest}, not the published one"
    )
    for place, formula_hash in (("bulletin", bulletin["formula_hash"]), ("snapshot", head["formula_hash"])):
        found = digest_json(head["frozen"])
        require(found == formula_hash, f"formula of the {place}", f"its hash is {found}")
    found = digest_json(head["questionnaire"])
    require(found == head["frozen"]["questionnaire"], "questionnaire", f"its digest is {found}")
    recorded = {one["organization_code"]: one for one in head["bulletin"]}
    for entry, item in named("bulletin entry", bulletin["items"]):
        expected = recorded.pop(item["organization_code"], None)
        require(expected is not None, entry, "the snapshot knows no such list")
        shown = {name: value for name, value in item.items() if name != "receipts"}
        require(shown == expected, entry, f"the snapshot says {expected}")
    require(not recorded, "bulletin", f"lists are missing: {', '.join(sorted(recorded))}")


def check_subjects(snapshot: Json) -> None:
    """The receipts of each list are as many as the ballots behind the scores, which follow from them."""
    head = snapshot["head"]
    listed = {one["organization_code"]: dict.fromkeys(COUNTS, 0) for one in head["bulletin"]}
    for entry, subject in named("snapshot subject", snapshot["subjects"]):
        ballots, figures = subject["ballots"], subject["figures"]
        count = whole(ballots)
        require(figures["returned"] == count, entry, f"{figures['returned']} returned, {count} ballots")
        if count:
            require(subject["listed_under"] in listed, entry, "its receipts are listed nowhere")
            sums = listed[subject["listed_under"]]
            sums.update({name: sums[name] + ballots.get(name, 0) for name in COUNTS})
        check_score(entry, subject, head["frozen"]["formula"])
    for entry, one in named("snapshot list", head["bulletin"]):
        expected = listed[one["organization_code"]]
        require(
            {name: one.get(name, 0) for name in COUNTS} == expected,
            entry,
            f"its subjects add up to {expected}",
        )
    total = sum(one["count"] for one in head["bulletin"])
    require(total == head["participations"], "snapshot", f"{total} receipts, {head['participations']} voters")


def whole(ballots: Json) -> int:
    """Return the ballots with receipts and those of meetings."""
    return int(ballots["count"]) + int(ballots.get("totals", 0))


def check_score(entry: str, subject: Json, formula: Json) -> None:
    """Derive the score and the satisfaction rate again, exactly, from the counted ballots in the trace."""
    trace, figures = subject["trace"], subject["figures"]
    if trace is None or not trace.get("slices"):
        return
    counted = whole(subject["ballots"]) - subject["ballots"]["excluded"]
    traced = sum(one["returned"] for one in trace["slices"])
    require(traced == counted, entry, f"{traced} ballots in the trace, {counted} that are not excluded")
    if is_withheld(trace):
        return
    for name, points in (("score", coefficients_of), ("satisfaction_rate", positives_of)):
        found = show(derive(trace["slices"], trace["formula"]["items"], formula, points))
        require(found == figures[name], entry, f"the {name} is {found}, not {figures[name]}")


def is_withheld(trace: Json) -> bool:
    """Tell whether something that enters the score is withheld, because few people stand behind it."""
    withheld = trace["withheld"]
    return bool(withheld["items"] or withheld["counts"]) or any(
        trace["classes"][key]["is_counted"] for key in withheld["classes"]
    )


Points = Callable[[Json, str], Mapping[str, Fraction] | None]
"""Gives each option of an option set what it is worth, from 0 to 1; None where nothing is defined."""


def coefficients_of(formula: Json, option_set: str) -> Mapping[str, Fraction]:
    return {option: Fraction(value) for option, value in formula["coefficients"][option_set].items()}


def positives_of(formula: Json, option_set: str) -> Mapping[str, Fraction] | None:
    positive = formula["positive"].get(option_set)
    return dict.fromkeys(positive, Fraction(1)) if positive else None


def derive(slices: Sequence[Json], items: Sequence[Json], formula: Json, points: Points) -> Fraction | None:
    """Items first, classes last; a class counts from `min_class` standing ballots on."""
    parts = []
    for rater_class, weight in formula["class_weights"].items():
        own = [
            (mode_weight(one["modes"][0], formula), one)
            for one in slices
            if one["class"] == rater_class
            and mode_weight(one["modes"][0], formula) > 0
            and one["withheld"] is None
        ]
        if sum(one["standing"] for _, one in own) >= formula["min_class"]:
            rated = ((Fraction(item["weight"]), rate(own, item, formula, points)) for item in items)
            parts.append((Fraction(weight), mean(rated)))
    return mean(parts)


def mode_weight(mode: str, formula: Json) -> Fraction:
    return Fraction(formula["mode_weights"].get(mode, DEFAULT_MODE_WEIGHTS.get(mode, 1)))


def rate(own: Iterable[tuple[Fraction, Json]], item: Json, formula: Json, points: Points) -> Fraction | None:
    """Return 100 · Σ n·c / Σ n of one item in one class, where n are weighted ballots."""
    worth = points(formula, item["option_set"])
    if worth is None:
        return None
    pairs = [
        (weight * number, worth.get(option, Fraction(0)))
        for weight, one in own
        for option, number in one["counts"].get(item["key"], {}).items()
        if stands(option, item, formula)
    ]
    denominator = sum(number for number, _ in pairs)
    return (
        100 * sum((number * value for number, value in pairs), Fraction(0)) / denominator
        if denominator
        else None
    )


def stands(option: str, item: Json, formula: Json) -> bool:
    """Tell whether an answer stands in the denominator."""
    if option == BLANK:
        return bool(formula["count_abstained"])
    has_coefficient = option in formula["coefficients"][item["option_set"]]
    return has_coefficient or (option == NOT_INFORMED and bool(formula["count_not_informed"]))


def mean(parts: Iterable[tuple[Fraction, Fraction | None]]) -> Fraction | None:
    present = [(weight, value) for weight, value in parts if value is not None and weight > 0]
    whole = sum(weight for weight, _ in present)
    return sum((weight * value for weight, value in present), Fraction(0)) / whole if present else None


def show(value: Fraction | None) -> str | None:
    """Round half up to two places, once, at the end."""
    if value is None:
        return None
    hundredths = floor(value * 100 + Fraction(1, 2))
    return f"{hundredths // 100}.{hundredths % 100:02}"


def verify(bulletin: Json, snapshot: Json | None) -> None:
    """Raise Bad for the first entry that does not agree."""
    try:
        check_lists(bulletin)
        if snapshot is not None:
            check_against(bulletin, snapshot)
            check_subjects(snapshot)
    except (KeyError, TypeError, AttributeError, ValueError, ZeroDivisionError) as error:
        raise Bad(f"the form of the files: {type(error).__name__} {error}") from error


def read(path: str) -> Any:
    """Read a JSON file in which no name stands twice."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            raise ValueError("a name stands twice in an object")
        return found

    return json.loads(Path(path).read_text("utf-8"), object_pairs_hook=unique)


def main(arguments: Sequence[str]) -> NoReturn:
    if len(arguments) not in {1, 2}:
        sys.stderr.write(str(__doc__))
        sys.exit(2)
    try:
        bulletin, *rest = [read(path) for path in arguments]
    except (OSError, ValueError, RecursionError) as error:
        sys.stderr.write(f"cannot be read: {error}\n")
        sys.exit(2)
    try:
        verify(bulletin, rest[0] if rest else None)
    except Bad as error:
        sys.stderr.write(f"BAD {error}\n")
        sys.exit(1)
    receipts = sum(item["count"] for item in bulletin["items"])
    scope = "receipts, counts, formula and scores agree" if rest else "the lists agree with their own digests"
    sys.stdout.write(f"OK {receipts} receipts in {len(bulletin['items'])} lists: {scope}\n")
    sys.exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
