"""The closed lists of words that schemes are written in, and that a cycle is told in."""

from enum import StrEnum


class Level(StrEnum):
    """Who fills in a sheet of scores."""

    SELF = "self"
    TOWN = "town"
    COUNTY = "county"


class Source(StrEnum):
    """Where the value of an indicator comes from."""

    POINTS = "points"
    """The assessor gives points from 0 to the indicator's maximum."""
    CHOICE = "choice"
    """The assessor chooses an option, which is worth a share of the maximum."""
    CHECKLIST = "checklist"
    """The share of the checks that are passed."""
    MASS = "mass"
    """The mass evaluation; until there is a campaign, the assessor gives points."""


class MassRole(StrEnum):
    """What the mass evaluation is in a scheme (`domain.md` section 5)."""

    COMPONENT = "component"
    INDICATOR = "indicator"
    EVIDENCE = "evidence"
    NONE = "none"


class Measure(StrEnum):
    """Which figure of the mass evaluation is meant."""

    SCORE = "score"
    SATISFACTION_RATE = "satisfaction_rate"


class WhenMissing(StrEnum):
    """What happens where the mass evaluation has no figure to show; it never becomes zero."""

    BLOCK = "block"
    """There is no total until there is a figure, or the subject is excluded with a reason."""
    RENORMALIZE = "renormalize"
    """The other indicators share the maximum among them."""
    MANUAL = "manual"
    """The assessors' own points for the indicator count."""


class Boundary(StrEnum):
    """How a total is held against the lower ends of the bands."""

    HALF_OPEN = "half_open"
    """The exact total: 89.5 is below 90."""
    ROUND_FIRST = "round_first"
    """The total rounded to a whole number, half up: 89.5 is 90."""


class RestrictionKind(StrEnum):
    """Why a finding keeps a subject from a grade."""

    ELIGIBILITY = "eligibility"
    NEGATIVE = "negative"
    VETO = "veto"


class StepKind(StrEnum):
    """What is done in a step."""

    PREPARATION = "preparation"
    SELF_ASSESSMENT = "self_assessment"
    MASS_EVALUATION = "mass_evaluation"
    ASSESSMENT = "assessment"
    REVIEW = "review"
    PUBLIC_NOTICE = "public_notice"
    FILING = "filing"


class DecisionKind(StrEnum):
    """Why a grade was decided."""

    COMMITTEE = "committee"
    OBJECTION = "objection"
    DOWNGRADE = "downgrade"


class MoveKind(StrEnum):
    """Which way a step was left."""

    COMPLETED = "completed"
    SENT_BACK = "sent_back"


class EvidenceKind(StrEnum):
    """What a piece of evidence is; words alone are notes of the sheet."""

    FILE = "file"
    LINK = "link"


class VisitOutcome(StrEnum):
    """What a check on the spot has found."""

    CONFIRMED = "confirmed"
    """What was filled in is so."""
    DIFFERS = "differs"
    """It is not, or not any more; the record says where."""


class WarningKind(StrEnum):
    """What a warning (预警) is about."""

    LATE_STEP = "late_step"
    """A step of the cycle is not done although its last day is over."""
    LATE_SHEET = "late_sheet"
    """Somebody's sheet is not complete although its step is late."""
    MISSING_EVIDENCE = "missing_evidence"
    """Points are entered that the scheme wants proof for, and there is none."""
    FALLING_SCORE = "falling_score"
    """A total or a grade is clearly below that of the last cycle."""
