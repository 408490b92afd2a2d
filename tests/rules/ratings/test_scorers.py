"""Indicators that only some levels score: what each level is asked for, and what its own total is of."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

from survey_service.ratings.documents import read_document
from survey_service.ratings.rules import Scheme, Sheet, SubjectInputs
from survey_service.ratings.scheme_reading import scheme_of
from survey_service.ratings.totals import TotalRule
from survey_service.ratings.vocabulary import Level
from survey_service.ratings.warning_rules import missing_entries
from survey_service.ratings.what_if import compare
from tests.rules.ratings.schemes import documented_example, mass


def scheme_with(*changes: tuple[str, str]) -> Scheme:
    written = documented_example()
    for old, new in changes:
        assert old in written
        written = written.replace(old, new)
    return scheme_of(read_document(written))


SCHEME = scheme_with()
SELF = Sheet({"meetings": Fraction(18), "governance": Fraction(27)}, {"members": "fair"})
TOWN = replace(SELF, checks={"basics": frozenset({"duty"})})
ONE = SubjectInputs("one", sheets={Level.SELF: SELF, Level.TOWN: TOWN}, mass=mass(90))


def test_a_level_is_asked_for_its_own_indicators() -> None:
    assert [leaf.code for leaf in SCHEME.asked_of(Level.SELF)] == ["meetings", "members", "governance"]
    assert [leaf.code for leaf in SCHEME.asked_of(Level.TOWN)][-1] == "basics"
    assert (missing_entries(SCHEME, ONE, Level.SELF), missing_entries(SCHEME, ONE, Level.COUNTY)) == (0, 4)


def test_a_total_of_a_level_is_of_what_it_scores() -> None:
    """18 + 12 + 27 + 18 of the mass evaluation are 75; one check of two is 5 more."""
    rule = TotalRule(SCHEME)
    assert rule.level_totals(ONE) == {Level.SELF: 75, Level.TOWN: 80, Level.COUNTY: None}
    assert rule.total(ONE).value == 80


def test_what_others_score_does_not_swell_the_part_of_a_group() -> None:
    """The town has 20 of the group's 40, and the county the rest: 18 of 20 are 18, and not 36."""
    scheme = scheme_with(("title: 党员管理\n", "title: 党员管理\n        scored_by: [county]\n"))
    sheet = Sheet({"meetings": Fraction(18), "governance": Fraction(27)}, {}, TOWN.checks)
    one = replace(ONE, sheets={Level.TOWN: sheet})
    rule = TotalRule(scheme)
    whole = rule.total(one)
    assert whole.value is None
    assert rule.level_totals(one, whole=whole)[Level.TOWN] == 18 + 27 + 5 + 18


def test_a_changed_scheme_leaves_out_what_a_level_may_not_score_in_it() -> None:
    changed = scheme_with(("{code: governance,", "{code: governance, scored_by: [county],"))
    [outcome] = compare(SCHEME, changed, [ONE]).outcomes
    assert (outcome.before.total.value, outcome.after.total.missing()) == (80, ["乡村治理"])
    county: Any = {**ONE.sheets, Level.COUNTY: Sheet({"governance": Fraction(30)})}
    [outcome] = compare(SCHEME, changed, [replace(ONE, sheets=county)]).outcomes
    assert outcome.after.total.value == 83
