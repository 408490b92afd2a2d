"""When a group may be excluded, when a subject is disputed, and who may decide."""

from enum import StrEnum

from survey_service.campaigns.rules import DEFAULT_MODE_WEIGHTS, Formula, Mode, RaterClass


class Refusal(StrEnum):
    """Why a group may not be excluded."""

    TOO_FEW_BALLOTS = "group_too_small"
    TOO_FEW_STANDING = "group_says_too_little"


def refusal(
    *, returned: int, standing: int, rater_class: RaterClass, mode: Mode, formula: Formula
) -> Refusal | None:
    """Return why a group may not be excluded; None where it may.

    Between the scores with and without it stands the whole group, so it has to be as large as anything that
    is ever shown: in ballots, and where it weighs, in ballots that stand in a denominator. Ballots only ever
    join it, and groups share no ballot, so whatever is excluded later is at least as large.
    """
    if returned < formula.min_cell:
        return Refusal.TOO_FEW_BALLOTS
    if _weighs(rater_class, mode, formula) and standing < formula.min_cell:
        return Refusal.TOO_FEW_STANDING
    return None


def _weighs(rater_class: RaterClass, mode: Mode, formula: Formula) -> bool:
    weight = formula.mode_weights.get(mode, DEFAULT_MODE_WEIGHTS[mode])
    return weight > 0 and formula.class_weights.get(rater_class, 0) > 0


def is_of_same_level(decider_path: str, proposer_path: str) -> bool:
    """Tell whether the second person stands at the level of the first, in the same place, or above it."""
    return proposer_path.startswith(decider_path)


class DisputeDecision(StrEnum):
    """What the county decides about a subject whose voters say that others used their codes."""

    HOLD = "hold"
    """No score is shown until the decision to release it."""
    RELEASE = "release"


def is_disputed(*, disputes: int, one_time_ballots: int, permille: int) -> bool:
    """Tell whether more than the configured share of a subject's one-time ballots is disputed."""
    return disputes * 1000 > one_time_ballots * permille
