"""What holds for every scheme of shares and every set of scores."""

from dataclasses import replace
from fractions import Fraction
from functools import partial
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from survey_service.ratings.grading import grade_subjects
from survey_service.ratings.rules import (
    Adjustments,
    Cap,
    Indicator,
    MassFigures,
    MassRule,
    Quota,
    Restriction,
    Scheme,
    Sheet,
    SubjectInputs,
)
from survey_service.ratings.vocabulary import (
    Boundary,
    Level,
    MassRole,
    Measure,
    RestrictionKind,
    Source,
    WhenMissing,
)
from tests.rules.ratings.schemes import branch, mass, preset

VETO = Restriction("veto", "一票否决", RestrictionKind.VETO, frozenset({"好"}))
BROAD = Restriction("broad", "负面清单", RestrictionKind.NEGATIVE, frozenset({"好", "较好"}))
percents = st.integers(0, 100).map(Fraction)


@st.composite
def schemes(draw: st.DrawFn) -> Scheme:
    maxima = [
        Quota(grade, draw(percents), is_maximum=True)
        for grade in ("好", "较好", "一般")
        if draw(st.booleans())
    ]
    minima = [Quota("较差", draw(percents), is_maximum=False)] if draw(st.booleans()) else []
    return preset(
        "township-classification",
        quotas=(*maxima, *minima),
        restrictions=(VETO, BROAD),
        mass=preset("raoping-centre-star").mass,
    )


few = st.sampled_from(["55", "79.5", "85", "85", "89.5", "90", "95", "95", "100"])
"""Few values, so that many are equal."""


@st.composite
def subjects(draw: st.DrawFn) -> list[SubjectInputs]:
    return [
        branch(
            f"b{number:02}",
            draw(few),
            mass=draw(st.sampled_from([None, mass(80), mass(90)])),
            findings=frozenset(draw(st.sets(st.sampled_from(["veto", "broad"]), max_size=1))),
            exclusion=draw(st.sampled_from([None, None, None, "不满一年"])),
        )
        for number in range(draw(st.integers(1, 14)))
    ]


def grades(scheme: Scheme, given_subjects: list[SubjectInputs]) -> dict[str, str | None]:
    return {code: one.proposed for code, one in grade_subjects(scheme, given_subjects).items()}


@given(schemes(), subjects(), st.randoms())
def test_the_order_of_subjects_does_not_matter(
    scheme: Scheme, some: list[SubjectInputs], random: Random
) -> None:
    shuffled = list(some)
    random.shuffle(shuffled)
    assert grades(scheme, some) == grades(scheme, shuffled)


@given(schemes(), subjects())
def test_shares_are_kept(scheme: Scheme, some: list[SubjectInputs]) -> None:
    found = [grade for grade in grades(scheme, some).values() if grade is not None]
    for quota in scheme.quotas:
        count, limit = found.count(quota.grade), quota.limit(len(found))
        assert count <= limit if quota.is_maximum else count >= limit


@given(schemes(), subjects(), st.data())
def test_a_veto_never_raises_a_grade(scheme: Scheme, some: list[SubjectInputs], data: st.DataObject) -> None:
    position = data.draw(st.integers(0, len(some) - 1))
    one = some[position]
    worse = replace(one, findings=one.findings | {"veto", "broad"})
    before, after = grades(scheme, some), grades(scheme, [*some[:position], worse, *some[position + 1 :]])
    if before[one.code] is not None:
        assert not scheme.is_below(str(before[one.code]), str(after[one.code]))
        assert after[one.code] not in {"好", "较好"}


@given(schemes(), subjects())
def test_excluded_subjects_change_nothing(scheme: Scheme, some: list[SubjectInputs]) -> None:
    """Neither a grade, nor a reason with the base that it names, nor who is tied."""
    found = grade_subjects(scheme, some)
    others = [one for one in some if one.exclusion is None]
    alone = grade_subjects(scheme, others)
    assert {one.code: found[one.code].trace() for one in others} == {
        code: one.trace() for code, one in alone.items()
    }
    assert all(found[one.code].proposed is None for one in some if one.exclusion is not None)


def indicator(code: str, points: int, **more: Any) -> Indicator:
    return Indicator(code, code, Fraction(points), **more)


SHARES = {"poor": Fraction(0), "fair": Fraction(1, 2), "good": Fraction(1)}
CHECKS = ("a", "b", "c")
TREE = (
    indicator("work", 40, children=(indicator("plan", 10), indicator("site", 20))),
    indicator("team", 20, source=Source.CHOICE, options=SHARES),
    indicator("rules", 20, source=Source.CHECKLIST, checks=CHECKS),
    indicator("mass", 20, source=Source.MASS),
)
"""Every source of a value, and a group whose children are scaled."""


@st.composite
def mixed_schemes(draw: st.DrawFn) -> Scheme:
    """Shares, vetoes, caps, a bonus, both boundaries, and all that a missing figure may mean.

    The lines are low, so that every grade has its holders.
    """
    rule = MassRule(MassRole.COMPONENT, draw(st.sampled_from(Measure)), draw(st.sampled_from(WhenMissing)))
    cap = Cap(draw(st.sampled_from(Measure)), Fraction(60), draw(st.sampled_from(["较好", "一般"])))
    scheme = draw(schemes())
    floors = zip(scheme.bands, (65, 50, 35, 0), strict=True)
    return replace(
        scheme,
        indicators=TREE,
        bands=tuple(replace(band, floor=Fraction(floor)) for band, floor in floors),
        mass=rule,
        caps=(cap,) if draw(st.booleans()) else (),
        boundary=draw(st.sampled_from(Boundary)),
        bonus=Adjustments((), draw(st.sampled_from([None, Fraction(5)]))),
    )


figures = st.sampled_from([0, 50, 60, 80, 100]).map(Fraction)
taken = {
    "plan": st.sampled_from([0, 5, 10]).map(Fraction),
    "site": st.sampled_from([0, 15, 20]).map(Fraction),
    "mass": st.sampled_from([0, 10, 20]).map(Fraction),
    "team": st.sampled_from(sorted(SHARES, key=lambda option: SHARES[option])),
    "rules": st.integers(0, len(CHECKS)),
    "bonus": st.sampled_from([0, 3, 6]).map(Fraction),
    "penalty": st.sampled_from([0, 3, 6]).map(Fraction),
    "score": figures,
    "satisfaction_rate": figures,
}
"""Few values of each kind, so that many totals are equal."""
Values = dict[str, Any]


@st.composite
def mixed_values(draw: st.DrawFn) -> list[Values]:
    """Return what some subjects have; now and then an entry or the figures of somebody are missing."""
    return [
        {name: draw(values) for name, values in taken.items()}
        | {"lacks": draw(st.sampled_from(["", "", "", "", "plan", "team", "figures", "campaign"]))}
        | {"findings": frozenset(draw(st.sets(st.sampled_from(["veto", "broad"]), max_size=1)))}
        | {"exclusion": draw(st.sampled_from([None, None, None, "不满一年"]))}
        for _ in range(draw(st.integers(1, 9)))
    ]


def subject_of(number: int, values: Values) -> SubjectInputs:
    lacks = values["lacks"]
    return SubjectInputs(
        code=f"b{number:02}",
        sheets={
            Level.TOWN: Sheet(
                points={code: values[code] for code in ("plan", "site", "mass") if code != lacks},
                choices={} if lacks == "team" else {"team": values["team"]},
                checks={"rules": frozenset(CHECKS[: values["rules"]])},
            )
        },
        findings=values["findings"],
        bonus={"x": values["bonus"]},
        penalty={"y": values["penalty"]},
        exclusion=values["exclusion"],
        mass=_figures(values),
    )


def _figures(values: Values) -> MassFigures | None:
    if values["lacks"] == "figures":
        return MassFigures("insufficient")
    if values["lacks"] == "campaign":
        return None
    return MassFigures("ok", values["score"], values["satisfaction_rate"], is_sealed=True)


def merit(name: str, value: Any) -> Any:
    """Return how good a value is among those of its kind."""
    if name == "penalty":
        return -value
    return SHARES[value] if name == "team" else value


@given(mixed_schemes(), mixed_values(), st.data())
def test_a_better_value_never_lowers_the_proposal(
    scheme: Scheme, some: list[Values], data: st.DataObject
) -> None:
    """Whichever values of whomever it is, and by however much they rise."""
    before = mixed_grades(scheme, some)
    risen = {name: data.draw(values) for name, values in taken.items() if data.draw(st.booleans())}
    for position, values in enumerate(some):
        better = {name: max(values[name], risen[name], key=partial(merit, name)) for name in risen}
        after = mixed_grades(scheme, [*some[:position], values | better, *some[position + 1 :]])
        code = f"b{position:02}"
        if before[code] is not None:
            assert not scheme.is_below(str(after[code]), str(before[code]))


def mixed_grades(scheme: Scheme, some: list[Values]) -> dict[str, str | None]:
    return grades(scheme, [subject_of(number, values) for number, values in enumerate(some)])


@given(mixed_schemes(), mixed_values())
def test_shares_of_drafts_are_kept_as_far_as_there_are_totals(scheme: Scheme, some: list[Values]) -> None:
    """Whoever is not excluded counts in the base; who has no total yet cannot be given a grade."""
    them = [subject_of(number, values) for number, values in enumerate(some)]
    found = grades(scheme, them)
    base = sum(one.exclusion is None for one in them)
    given_grades = [grade for grade in found.values() if grade is not None]
    for quota in scheme.quotas:
        count, limit = given_grades.count(quota.grade), quota.limit(base)
        assert count <= limit if quota.is_maximum else count >= min(limit, len(given_grades))
