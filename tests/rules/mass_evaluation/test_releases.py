"""While ballots come in, figures move in steps; afterwards they are exact."""

from decimal import Decimal

from survey_service.campaigns.rules import Mode
from survey_service.mass_evaluation.releases import Release, Timing
from survey_service.mass_evaluation.rules import Reason, Status
from survey_service.tallies.rules import TallySlice
from tests.rules.mass_evaluation.builders import MEMBER, VILLAGER, make_formula, make_gate, make_slice

GATE = make_gate(
    formula=make_formula(class_weights={VILLAGER: Decimal("0.5"), MEMBER: Decimal("0.5")}, min_class=1)
)


def step(*standing: TallySlice, after: Release | None = None, timing: Timing = Timing.STEPWISE) -> Release:
    return GATE.release(standing, shown=after.slices if after else (), timing=timing)


def test_one_class_and_one_mode_move_in_steps_of_a_cell() -> None:
    shown: Release | None = None
    seen = []
    for number in range(3, 17):
        shown = step(make_slice(satisfied=number), after=shown)
        seen.append((shown.score.status is Status.OK, shown.as_of_returned))
    assert seen == [(False, 3), (False, 4), *[(True, 5)] * 5, *[(True, 10)] * 5, *[(True, 15)] * 2]


def test_each_class_waits_for_itself() -> None:
    first = step(make_slice(satisfied=6), make_slice(rater_class=MEMBER, satisfied=4))
    assert (first.as_of_returned, first.score.score) == (6, 100)
    more = step(make_slice(satisfied=12), make_slice(rater_class=MEMBER, dissatisfied=4), after=first)
    assert (more.as_of_returned, more.score.score) == (12, 100)
    last = step(make_slice(satisfied=12), make_slice(rater_class=MEMBER, dissatisfied=5), after=more)
    assert (last.as_of_returned, last.score.score) == (17, Decimal("77.5"))


def test_answers_that_were_replaced_wait_for_growth() -> None:
    first = step(make_slice(satisfied=6))
    assert step(make_slice(satisfied=5, dissatisfied=1), after=first) == first


def test_many_small_classes_show_nothing() -> None:
    release = step(make_slice(satisfied=4), make_slice(rater_class=MEMBER, satisfied=4))
    assert (release.score.reason, release.as_of_returned, release.slices) == (Reason.SMALL_CELL, 8, ())


def test_at_the_end_everything_is_exact() -> None:
    first = step(make_slice(satisfied=6))
    last = step(make_slice(satisfied=6, dissatisfied=1), after=first, timing=Timing.EXACT)
    assert last.as_of_returned == 7
    assert step(make_slice(satisfied=3), timing=Timing.EXACT).score.reason is Reason.SMALL_CELL


def test_a_campaign_that_waits_for_the_end_shows_its_turnout_only() -> None:
    release = step(make_slice(satisfied=60), timing=Timing.WITHHELD)
    assert (release.score.status, release.score.reason) == (Status.SUPPRESSED, Reason.UNTIL_CLOSING)
    assert (release.score.returned, release.score.score, release.slices) == (60, None, ())


def test_ballots_taken_out_are_a_step_too() -> None:
    first = step(make_slice(satisfied=20), make_slice(mode=Mode.PAPER, satisfied=7))
    assert step(make_slice(satisfied=16), make_slice(mode=Mode.PAPER, satisfied=7), after=first) == first
    assert step(make_slice(satisfied=15), after=first).as_of_returned == 15
    assert step(after=first).as_of_returned == 0


def test_what_was_shown_once_is_remembered_while_nothing_is_shown() -> None:
    gate = make_gate(issued={Mode.HOUSEHOLD: 10})
    first = gate.release([make_slice(satisfied=6)], shown=(), timing=Timing.STEPWISE)
    void = gate.release([make_slice(satisfied=11)], shown=first.slices, timing=Timing.STEPWISE)
    assert (void.score.status, void.slices) == (Status.VOID, first.slices)
