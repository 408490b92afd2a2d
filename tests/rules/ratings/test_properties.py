"""What holds for every scheme of shares and every set of scores."""

from dataclasses import replace
from fractions import Fraction
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from survey_service.ratings.grading import grade_subjects
from survey_service.ratings.rules import Quota, Restriction, Scheme, SubjectInputs
from survey_service.ratings.vocabulary import RestrictionKind
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
def test_more_points_never_lower_the_proposal(
    scheme: Scheme, some: list[SubjectInputs], data: st.DataObject
) -> None:
    position = data.draw(st.integers(0, len(some) - 1))
    one = some[position]
    better = replace(one, sheets=branch("x", 100).sheets)
    before, after = grades(scheme, some), grades(scheme, [*some[:position], better, *some[position + 1 :]])
    if before[one.code] is not None:
        assert not scheme.is_below(str(after[one.code]), str(before[one.code]))


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
    found = grades(scheme, some)
    others = [one for one in some if one.exclusion is None]
    assert {one.code: found[one.code] for one in others} == grades(scheme, others)
    assert all(found[one.code] is None for one in some if one.exclusion is not None)
