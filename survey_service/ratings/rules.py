"""What a rating scheme is: indicators, bands, restrictions, quotas, steps and what follows from a grade.

A scheme is data (`docs/ratings.md`). All numbers are exact fractions. The neighbours of this module hold one
step each: `totals.py` from entries to a total, `quotas.py` forced shares, `grading.py` the whole way.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from math import ceil, floor

from survey_service.core.events import Event
from survey_service.organizations.rules import OrganizationKind, SubjectKind
from survey_service.ratings.vocabulary import (
    Boundary,
    Level,
    MassRole,
    Measure,
    RestrictionKind,
    Source,
    StepKind,
    WhenMissing,
)

HUNDRED = 100


def cycle_target(cycle_id: int) -> str:
    """Return how the audit trail names a cycle."""
    return f"rating_cycle:{cycle_id}"


@dataclass(frozen=True)
class RatingChanged(Event):
    """What a cycle's grades follow from has changed."""

    cycle_id: int


@dataclass(frozen=True)
class Indicator:
    """A node of the tree; `points` is its maximum, and for a node with children what they are scaled to."""

    code: str
    title: str
    points: Fraction | None = None
    source: Source = Source.POINTS
    options: Mapping[str, Fraction] = field(default_factory=dict)
    """Share of the maximum by option, for `CHOICE`."""
    checks: tuple[str, ...] = ()
    fields: frozenset[str] = frozenset()
    """Only subjects of these fields have it; none means all."""
    children: tuple["Indicator", ...] = ()
    wants_evidence: bool = False
    """Points for it want a note, a file or a link; without one there is a warning."""
    scored_by: frozenset[Level] = frozenset()
    """Only these levels fill it in; none means every level does."""

    @property
    def is_mass(self) -> bool:
        return self.source is Source.MASS

    def is_for(self, subject_field: str | None) -> bool:
        """Tell whether subjects of a field have this indicator."""
        return not self.fields or subject_field in self.fields

    def is_scored_by(self, level: Level) -> bool:
        """Tell whether a level fills it in."""
        return not self.scored_by or level in self.scored_by

    def leaves(self, subject_field: str | None = None, *, every_field: bool = False) -> Iterator["Indicator"]:
        """Yield the indicators that are filled in."""
        if not every_field and not self.is_for(subject_field):
            return
        if not self.children:
            yield self
        for child in self.children:
            yield from child.leaves(subject_field, every_field=every_field)


@dataclass(frozen=True)
class MassRule:
    """How the mass evaluation enters."""

    role: MassRole = MassRole.NONE
    measure: Measure = Measure.SCORE
    when_missing: WhenMissing = WhenMissing.BLOCK


@dataclass(frozen=True)
class Adjustment:
    """One item of the bonus X or the penalty Y, with the most that it may be."""

    code: str
    title: str
    points: Fraction


@dataclass(frozen=True)
class Adjustments:
    """The bonus X or the penalty Y: its items, and the most that they may be together."""

    items: tuple[Adjustment, ...] = ()
    cap: Fraction | None = None

    def sum(self, given: Mapping[str, Fraction]) -> Fraction:
        """Return what counts of the points given."""
        total = sum(given.values(), Fraction(0))
        return total if self.cap is None else min(total, self.cap)


@dataclass(frozen=True)
class Band:
    """A grade and the total from which on it is given."""

    grade: str
    title: str
    floor: Fraction


@dataclass(frozen=True)
class Restriction:
    """A finding that keeps a subject from the grades named, and from no other."""

    code: str
    title: str
    kind: RestrictionKind
    grades: frozenset[str]


@dataclass(frozen=True)
class Cap:
    """A figure of the mass evaluation below which no grade above `at_most` is given."""

    measure: Measure
    below: Fraction
    at_most: str


@dataclass(frozen=True)
class Quota:
    """A share of the subjects: at most so many may have a grade (rounded down), or at least (rounded up)."""

    grade: str
    percent: Fraction
    is_maximum: bool

    def limit(self, base: int) -> int:
        """Return the number of subjects that the share means."""
        exact = self.percent * base / HUNDRED
        return floor(exact) if self.is_maximum else ceil(exact)


@dataclass(frozen=True)
class Step:
    """A step of the process; `by` is the level that completes it."""

    code: str
    title: str
    kind: StepKind
    by: Level
    actor: str = ""
    decides: bool = False
    """With its end the grades are final."""
    days: int | None = None
    on_site: frozenset[str] = frozenset()
    """Grades that nobody gets without a visit; only the deciding step has them."""

    @property
    def is_filled_in(self) -> bool:
        """Tell whether sheets are filled in during the step."""
        return self.kind in {StepKind.SELF_ASSESSMENT, StepKind.ASSESSMENT, StepKind.REVIEW}


@dataclass(frozen=True)
class LookBack:
    """Grades that are looked at again in the n-th year after they were given."""

    grades: frozenset[str]
    in_year: int

    def is_due(self, *, grade: str, given_in: int, year: int) -> bool:
        """Tell whether a grade is looked at again in a year; the year it was given in is the first."""
        return grade in self.grades and year - given_in + 1 == self.in_year


@dataclass(frozen=True)
class Reward:
    """Money by grade, for subjects of one field or of all, `times` a year."""

    code: str
    title: str
    unit: str
    amounts: Mapping[str, Fraction]
    field_code: str | None = None
    times: int = 1

    def amount(self, grade: str | None, subject_field: str | None) -> Fraction:
        """Return what one subject receives each time."""
        is_for = self.field_code is None or self.field_code == subject_field
        return self.amounts.get(grade or "", Fraction(0)) if is_for else Fraction(0)


@dataclass(frozen=True)
class Scheme:
    """One rating system, as its document says."""

    code: str
    version: int
    title: str
    subject_kind: SubjectKind
    fields: Mapping[str, str]
    indicators: tuple[Indicator, ...]
    bands: tuple[Band, ...]
    """From the best to the lowest."""
    steps: tuple[Step, ...]
    counts: tuple[Level, ...] = (Level.COUNTY, Level.TOWN)
    """Whose entries count, the last word first."""
    maximum: Fraction = Fraction(100)
    boundary: Boundary = Boundary.HALF_OPEN
    mass: MassRule = MassRule()
    bonus: Adjustments = Adjustments()
    penalty: Adjustments = Adjustments()
    restrictions: tuple[Restriction, ...] = ()
    caps: tuple[Cap, ...] = ()
    quotas: tuple[Quota, ...] = ()
    downgrade_triggers: Mapping[str, str] = field(default_factory=dict)
    look_back: LookBack | None = None
    rewards: tuple[Reward, ...] = ()
    phases: Mapping[int, str] = field(default_factory=dict)
    field_of_kind: Mapping[OrganizationKind, str] = field(default_factory=dict)
    """The field that organizations of a kind belong to unless told otherwise."""

    @property
    def grades(self) -> tuple[str, ...]:
        """The grades from the best to the lowest."""
        return tuple(band.grade for band in self.bands)

    def title_of(self, grade: str) -> str:
        """Return the words of a grade."""
        return self.bands[self.rank(grade)].title

    @property
    def lowest(self) -> str:
        return self.grades[-1]

    def rank(self, grade: str) -> int:
        """Return the place of a grade; 0 is the best."""
        return self.grades.index(grade)

    def is_below(self, grade: str, other: str) -> bool:
        """Tell whether a grade is worse than another."""
        return self.rank(grade) > self.rank(other)

    def has_field(self, field_code: str | None) -> bool:
        """Tell whether subjects of a field are measured at all; without fields all are measured alike."""
        return not self.fields or field_code in self.fields

    @property
    def deciding_position(self) -> int:
        """The step with whose end the grades are final."""
        return next(position for position, step in enumerate(self.steps) if step.decides)

    def is_announced_at(self, position: int) -> bool:
        """Tell whether the step that is due is the public notice."""
        return position < len(self.steps) and self.steps[position].kind is StepKind.PUBLIC_NOTICE

    def last_position(self, level: Level) -> int:
        """Return the last step in which a level fills in its sheet; without one of its own, the decision."""
        own = [position for position, step in enumerate(self.steps) if step.by is level and step.is_filled_in]
        return own[-1] if own else self.deciding_position

    def leaves(self, subject_field: str | None = None, *, every_field: bool = False) -> list[Indicator]:
        """Return the indicators that are filled in for subjects of a field."""
        return [
            leaf for one in self.indicators for leaf in one.leaves(subject_field, every_field=every_field)
        ]

    def asked_of(self, level: Level, subject_field: str | None = None) -> list[Indicator]:
        """Return what a level fills in for subjects of a field; the mass evaluation is nobody's to write."""
        return [leaf for leaf in self.leaves(subject_field) if leaf.is_scored_by(level) and not leaf.is_mass]

    @cached_property
    def mass_leaves(self) -> tuple[Indicator, ...]:
        """The indicators whose value the mass evaluation gives, in any field."""
        return tuple(leaf for leaf in self.leaves(every_field=True) if leaf.is_mass and leaf.points)

    @cached_property
    def is_divided(self) -> bool:
        """Tell whether some indicators are scored by some levels only."""
        return any(leaf.scored_by for leaf in self.leaves(every_field=True))

    def band_of(self, total: Fraction) -> Band:
        """Return the band that a total falls into."""
        compared = Fraction(floor(total + Fraction(1, 2))) if self._rounds else total
        return next((band for band in self.bands if compared >= band.floor), self.bands[-1])

    @property
    def _rounds(self) -> bool:
        return self.boundary is Boundary.ROUND_FIRST


@dataclass(frozen=True)
class Sheet:
    """What one level has filled in for one subject, by indicator."""

    points: Mapping[str, Fraction] = field(default_factory=dict)
    choices: Mapping[str, str] = field(default_factory=dict)
    checks: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class MassFigures:
    """What the mass evaluation says about one subject; without figures where the status is not ok."""

    status: str
    score: Fraction | None = None
    satisfaction_rate: Fraction | None = None
    is_sealed: bool = False

    def figure(self, measure: Measure) -> Fraction | None:
        """Return the figure that a scheme asks for."""
        return self.score if measure is Measure.SCORE else self.satisfaction_rate


@dataclass(frozen=True)
class SubjectInputs:
    """Everything that the grade of one subject follows from; `mass` is None without a campaign."""

    code: str
    field_code: str | None = None
    sheets: Mapping[Level, Sheet] = field(default_factory=dict)
    findings: frozenset[str] = frozenset()
    """Codes of the restrictions that apply."""
    bonus: Mapping[str, Fraction] = field(default_factory=dict)
    penalty: Mapping[str, Fraction] = field(default_factory=dict)
    exclusion: str | None = None
    mass: MassFigures | None = None


GradeAndField = tuple[str | None, str | None]


def reward_sums(
    scheme: Scheme, graded: Sequence[GradeAndField] | Mapping[GradeAndField, int]
) -> dict[str, tuple[int, Fraction]]:
    """Return for each reward how many receive it and the sum of a year.

    `graded` holds grade and field of everybody, or how many there are of each pair.
    """
    counts: Counter[GradeAndField] = Counter(graded)
    sums = {}
    for reward in scheme.rewards:
        amounts = [(count, amount) for pair, count in counts.items() if (amount := reward.amount(*pair))]
        year = sum((count * amount for count, amount in amounts), Fraction(0)) * reward.times
        sums[reward.code] = (sum(count for count, _ in amounts), year)
    return sums


def phase_of(scheme: Scheme, year: int) -> str | None:
    """Return what a year of a campaign of several years is about."""
    return scheme.phases.get(year)
