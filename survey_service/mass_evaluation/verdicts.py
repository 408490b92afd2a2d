"""Whether a score may be given: every check of a subject, in the order of precedence."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from survey_service.campaigns.rules import ONE_TIME_MODES, EmptyClass, Formula, Mode, RaterClass
from survey_service.mass_evaluation.estimates import SubjectEstimate, rater_classes
from survey_service.mass_evaluation.slices import weighing
from survey_service.tallies.rules import TallySlice


class Status(StrEnum):
    """What became of a subject's score; every status but OK withholds it."""

    OK = "ok"
    INSUFFICIENT = "insufficient"
    SUPPRESSED = "suppressed"
    VOID = "void"


class Reason(StrEnum):
    """Why a score is withheld; NONE where it is not."""

    NONE = ""
    MORE_THAN_ISSUED = "more_than_issued"
    NO_BALLOTS = "no_ballots"
    SMALL_CELL = "small_cell"
    COMPLEMENTARY = "complementary"
    UNTIL_CLOSING = "until_closing"
    HELD = "held"
    BELOW_GATE = "below_gate"
    CLASS_MISSING = "class_missing"


HANDED_OUT = ONE_TIME_MODES | {Mode.PAPER_TOTAL}
"""Modes in which somebody counted what went out: codes, and the sheets of a meeting."""

STATUS_OF: Mapping[Reason, Status] = {
    Reason.NONE: Status.OK,
    Reason.MORE_THAN_ISSUED: Status.VOID,
    Reason.NO_BALLOTS: Status.SUPPRESSED,
    Reason.SMALL_CELL: Status.SUPPRESSED,
    Reason.COMPLEMENTARY: Status.SUPPRESSED,
    Reason.UNTIL_CLOSING: Status.SUPPRESSED,
    Reason.HELD: Status.SUPPRESSED,
    Reason.BELOW_GATE: Status.INSUFFICIENT,
    Reason.CLASS_MISSING: Status.INSUFFICIENT,
}


@dataclass(frozen=True)
class Turnout:
    """Returned ballots against eligible people; `eligible` is None where it is unknown."""

    returned: int
    eligible: int | None

    @property
    def share(self) -> Fraction | None:
        """The response rate in [0, 1], or above 1 where more were returned; None without eligible people."""
        return Fraction(self.returned, self.eligible) if self.eligible else None

    def meets(self, required: Fraction) -> bool:
        """Compare with a gate; an unknown rate meets only a gate of 0, a class of nobody meets every gate."""
        if self.share is None:
            return required == 0 or (self.eligible == 0 and self.returned == 0)
        return self.share >= required


@dataclass(frozen=True)
class Check:
    """One check with both of its sides; `measures` names the quantity, `scope` a class, a mode or nothing."""

    reason: Reason
    measures: str
    scope: RaterClass | Mode | None
    actual: Fraction | int | None
    limit: Fraction | int
    is_passed: bool


def verdict(checks: Sequence[Check]) -> Reason:
    """Return the reason of the first failed check."""
    return next((check.reason for check in checks if not check.is_passed), Reason.NONE)


def turnout(
    formula: Formula,
    slices: Sequence[TallySlice],
    eligible: Mapping[RaterClass, int | None],
    rater_class: RaterClass | None = None,
) -> Turnout:
    """Return the turnout of the given slices in one class, or in all classes together.

    Together the eligible number is unknown as soon as that of one class is.
    """
    classes = [rater_class] if rater_class else rater_classes(formula, slices)
    numbers = [eligible.get(key) for key in classes]
    known = [number for number in numbers if number is not None]
    return Turnout(
        returned=sum(tally.returned for tally in slices if tally.rater_class in classes),
        eligible=sum(known) if len(known) == len(numbers) else None,
    )


def check_subject(
    *,
    formula: Formula,
    estimate: SubjectEstimate,
    slices: Sequence[TallySlice],
    eligible: Mapping[RaterClass, int | None],
    issued: Mapping[Mode, int | None],
) -> list[Check]:
    """Return all checks in the order of precedence: void, suppressed, insufficient."""
    return [
        *_issued_checks(slices, issued),
        *_cell_checks(formula, estimate, slices),
        *_gate_checks(formula, estimate, slices, eligible),
        *_class_checks(formula, estimate),
    ]


def _issued_checks(slices: Sequence[TallySlice], issued: Mapping[Mode, int | None]) -> Iterator[Check]:
    for mode, limit in sorted(issued.items()):
        if mode in HANDED_OUT and limit is not None:
            returned = sum(tally.returned for tally in slices if tally.mode == mode)
            yield Check(Reason.MORE_THAN_ISSUED, "returned", mode, returned, limit, returned <= limit)


def _cell_checks(
    formula: Formula, estimate: SubjectEstimate, slices: Sequence[TallySlice]
) -> Iterator[Check]:
    returned = sum(tally.returned for tally in slices)
    yield Check(Reason.NO_BALLOTS, "returned", None, returned, 1, returned > 0)
    # Classes that drop out must not carry a handful of others over the threshold.
    n = estimate.counted_n if estimate.counted else estimate.n
    yield Check(Reason.SMALL_CELL, "standing", None, n, formula.min_cell, n >= formula.min_cell)


def _gate_checks(
    formula: Formula,
    estimate: SubjectEstimate,
    slices: Sequence[TallySlice],
    eligible: Mapping[RaterClass, int | None],
) -> Iterator[Check]:
    for rater_class, required in formula.min_response_rate.items():
        response = turnout(formula, weighing(slices, formula), eligible, rater_class)
        yield Check(
            Reason.BELOW_GATE,
            "response_rate",
            rater_class,
            response.share,
            required,
            response.meets(required),
        )
    passed = estimate.n >= formula.min_ballots
    yield Check(Reason.BELOW_GATE, "standing", None, estimate.n, formula.min_ballots, passed)


def _class_checks(formula: Formula, estimate: SubjectEstimate) -> Iterator[Check]:
    if formula.empty_class is EmptyClass.BLOCK:
        for rater_class, part in estimate.weighted.items():
            yield Check(
                Reason.CLASS_MISSING, "standing", rater_class, part.n, formula.min_class, part.is_counted
            )
    counted = len(estimate.counted)
    yield Check(Reason.CLASS_MISSING, "counted_classes", None, counted, 1, counted > 0)
