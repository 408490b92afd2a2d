"""Small makers of formulas, slices and ballots, so that a test names only what it is about."""

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, TypedDict

from survey_service.campaigns.rules import EmptyClass, Formula, Mode, RaterClass
from survey_service.mass_evaluation.releases import Gate
from survey_service.mass_evaluation.rules import MassScore, score_subject
from survey_service.questionnaires.rules import ScoredItem
from survey_service.tallies.rules import BLANK, TallySlice, classify

VILLAGER = RaterClass.VILLAGER
MEMBER = RaterClass.PARTY_MEMBER
OVERALL = ScoredItem("overall", "satisfaction4", Decimal(1))
PRESET = {"satisfied": Decimal(1), "basically_satisfied": Decimal("0.75"), "dissatisfied": Decimal("0.55")}


class Ballot(TypedDict):
    """One raw ballot, in the form that the oracle reads."""

    rater_class: RaterClass
    mode: Mode
    answers: dict[str, str]
    invalid: bool
    excluded: bool


def make_formula(**changes: Any) -> Formula:
    given: dict[str, Any] = {
        "coefficients": {"satisfaction4": PRESET},
        "positive": {"satisfaction4": frozenset({"satisfied", "basically_satisfied"})},
        "class_weights": {VILLAGER: Decimal(1)},
        "mode_weights": {Mode.OPEN: Decimal("0.5"), Mode.OPEN_DEVICE: Decimal(0)},
        "min_response_rate": {},
        "empty_class": EmptyClass.RENORMALIZE,
    }
    return Formula(**given | changes)


def make_slice(
    *, rater_class: RaterClass = VILLAGER, mode: Mode = Mode.HOUSEHOLD, invalid: int = 0, **counts: int
) -> TallySlice:
    """Return a slice of the item `overall`: every ballot answers it, but for the invalid ones."""
    answered = sum(counts.values())
    informed = answered - counts.get("not_informed", 0)
    return TallySlice(
        rater_class=rater_class,
        mode=mode,
        returned=answered + invalid,
        valid=informed,
        standing=informed,
        counts={"overall": counts},
        invalid=invalid,
    )


def score_slices(
    *slices: TallySlice,
    formula: Formula | None = None,
    eligible: Mapping[RaterClass, int | None] | None = None,
    issued: Mapping[Mode, int | None] | None = None,
) -> MassScore:
    return score_subject(
        formula=formula or make_formula(),
        items=[OVERALL],
        slices=slices,
        eligible=eligible or {},
        issued=issued or {},
    )


def make_gate(
    *,
    formula: Formula | None = None,
    items: Sequence[ScoredItem] = (OVERALL,),
    eligible: Mapping[RaterClass, int | None] | None = None,
    issued: Mapping[Mode, int | None] | None = None,
) -> Gate:
    return Gate(formula or make_formula(), items, eligible or {}, issued or {})


def make_ballot(
    rater_class: RaterClass,
    mode: Mode,
    answers: dict[str, str],
    *,
    invalid: bool = False,
    excluded: bool = False,
) -> Ballot:
    return Ballot(rater_class=rater_class, mode=mode, answers=answers, invalid=invalid, excluded=excluded)


def _key(ballot: Ballot) -> tuple[RaterClass, Mode, bool]:
    return ballot["rater_class"], ballot["mode"], ballot["excluded"]


def tally(ballots: Sequence[Ballot], items: Sequence[ScoredItem], formula: Formula) -> list[TallySlice]:
    """Count raw ballots into slices, one for each class and mode, the excluded ones apart."""
    groups = sorted({_key(ballot) for ballot in ballots})
    return [
        _slice([ballot for ballot in ballots if _key(ballot) == group], items, formula) for group in groups
    ]


def _slice(ballots: Sequence[Ballot], items: Sequence[ScoredItem], formula: Formula) -> TallySlice:
    read = [ballot["answers"] for ballot in ballots if not ballot["invalid"]]
    stands = [classify(answers, items, formula) for answers in read]
    return TallySlice(
        rater_class=ballots[0]["rater_class"],
        mode=ballots[0]["mode"],
        returned=len(ballots),
        valid=sum(stand.is_valid for stand in stands),
        standing=sum(stand.is_standing for stand in stands),
        counts={item.key: Counter(answers.get(item.key, BLANK) for answers in read) for item in items},
        invalid=len(ballots) - len(read),
        is_excluded=ballots[0]["excluded"],
    )
