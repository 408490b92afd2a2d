"""Nothing that was ever shown lets anybody compute the answers of fewer people than a cell has."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from survey_service.campaigns.rules import Formula, Mode, RaterClass
from survey_service.mass_evaluation.releases import Timing
from survey_service.mass_evaluation.rules import Status
from survey_service.questionnaires.rules import ScoredItem
from tests.rules.disclosure.solver import Answers, Attacker, Box, Part
from tests.rules.mass_evaluation.builders import MEMBER, PRESET, VILLAGER, make_formula, make_gate

MIN_CELL = 3
CLASSES = (VILLAGER, MEMBER)
MODES = (Mode.HOUSEHOLD, Mode.ASSISTED, Mode.OPEN, Mode.OPEN_DEVICE)
SETS = {
    "satisfaction4": ("satisfied", "basically_satisfied", "dissatisfied", "not_informed"),
    "grade4": ("good", "fairly_good", "average", "poor"),
}
GRADES = {
    "good": Decimal(1),
    "fairly_good": Decimal("0.8"),
    "average": Decimal("0.6"),
    "poor": Decimal("0.4"),
}
"""No option of this set is positive: it enters the score and not the rate."""
SOME = settings(max_examples=60, deadline=None)
"""Beside the drawn campaigns stand some in which one guard alone holds."""
seeds = st.integers(0, 2**32)


def random_formula(random: Random) -> Formula:
    return make_formula(
        coefficients={"satisfaction4": PRESET, "grade4": GRADES},
        class_weights={VILLAGER: Decimal("0.6"), MEMBER: random.choice([Decimal("0.4"), Decimal(0)])},
        mode_weights={Mode.OPEN: random.choice([Decimal("0.5"), Decimal(1)]), Mode.OPEN_DEVICE: Decimal(0)},
        min_class=random.choice([1, MIN_CELL]),
        min_cell=MIN_CELL,
        count_abstained=random.random() < 0.2,
        count_not_informed=random.random() < 0.2,
    )


def random_items(random: Random) -> tuple[ScoredItem, ...]:
    return tuple(
        ScoredItem(f"item{number}", random.choice(list(SETS)), Decimal(random.choice([1, 1, 2])))
        for number in range(random.choice([1, 2, 3]))
    )


def random_answers(random: Random, items: Sequence[ScoredItem], blank: float) -> Answers:
    return {item.key: random.choice(SETS[item.option_set]) for item in items if random.random() >= blank}


def random_box(random: Random, name: str = "village") -> Box:
    return Box(name, make_gate(formula=random_formula(random), items=random_items(random)))


def fill(random: Random, box: Box, step: int, *, blank: float) -> None:
    """Let some ballots come in, and some be replaced."""
    for key in [(one, mode) for one in CLASSES for mode in MODES]:
        if random.random() < 0.5:
            number = random.choice([1, 1, 2, 2, 3, 4])
            box.add(key, [random_answers(random, box.gate.items, blank) for _ in range(number)], step)
        if random.random() < 0.1 and key in box.ballots:
            box.replace_one(key, random_answers(random, box.gate.items, blank), step)


@SOME
@given(seed=seeds)
@example(seed=2)
def test_while_ballots_come_in_no_step_tells_about_few(seed: int) -> None:
    random = Random(seed)
    box, attacker = random_box(random), Attacker()
    for step in range(random.choice([2, 3, 4])):
        fill(random, box, step, blank=0)
        attacker.look(box, box.release(Timing.STEPWISE, step))
    assert attacker.broken([box], MIN_CELL) is None


@SOME
@given(seed=seeds)
@example(seed=3)
@example(seed=14)
@example(seed=46)
@example(seed=62)
@example(seed=72)
def test_exact_figures_do_not_tell_about_few(seed: int) -> None:
    random = Random(seed)
    box, attacker = random_box(random), Attacker()
    fill(random, box, 0, blank=random.choice([0, 0, 0.3, 0.7]))
    attacker.look(box, box.release(Timing.EXACT, 0))
    assert attacker.broken([box], MIN_CELL) is None


@SOME
@given(seed=seeds)
@example(seed=3)
@example(seed=101)
def test_items_that_few_of_a_class_answered_stay_open(seed: int) -> None:
    random = Random(seed)
    formula = replace(random_formula(random), count_abstained=False)
    box, attacker = Box("village", make_gate(formula=formula, items=random_items(random))), Attacker()
    fill(random, box, 0, blank=random.choice([0.5, 0.7]))
    attacker.look(box, box.release(Timing.EXACT, 0))
    assert attacker.broken_items(box, MIN_CELL) == []


def exclude_some(random: Random, box: Box, step: int, *, blank: float) -> None:
    """Leave groups out of the score, of at least a cell each, as two people may."""
    for key in [(one, mode) for one in CLASSES for mode in MODES]:
        if random.random() < 0.4:
            number = random.choice([MIN_CELL, MIN_CELL + 1])
            box.exclude(key, [random_answers(random, box.gate.items, blank) for _ in range(number)], step)


@SOME
@given(seed=seeds)
def test_the_two_scores_of_an_exclusion_do_not_tell_about_few(seed: int) -> None:
    random = Random(seed)
    box, attacker = random_box(random), Attacker()
    blank = random.choice([0, 0, 0.3])
    fill(random, box, 0, blank=blank)
    exclude_some(random, box, 0, blank=blank)
    attacker.look(box, box.release(Timing.WITHHELD, 0))
    attacker.look(box, box.release(Timing.EXACT, 1))
    assert attacker.broken([box], MIN_CELL) is None


@SOME
@given(seed=seeds)
def test_a_campaign_that_waits_tells_nothing_about_few_at_any_time(seed: int) -> None:
    random = Random(seed)
    box, attacker = random_box(random), Attacker()
    for step in range(3):
        fill(random, box, step, blank=0)
        attacker.look(box, box.release(Timing.WITHHELD, step))
    assert attacker.rows == []
    attacker.look(box, box.release(Timing.EXACT, 3))
    attacker.look(box, box.release(Timing.EXACT, 4))
    assert attacker.broken([box], MIN_CELL) is None


PLACES = ("1/2/10", "1/2/11", "1/2/12", "1/3/13", "1/3/14", "1/15")
"""Villages of two towns, and one right under the county."""


def random_county(random: Random) -> list[Box]:
    gate = make_gate(formula=random_formula(random), items=random_items(random)[:2])
    return [Box(name, gate) for name in PLACES[: random.choice([3, 5, 6])]]


def fill_little(random: Random, box: Box, step: int) -> None:
    for key in ((VILLAGER, Mode.HOUSEHOLD), (MEMBER, Mode.HOUSEHOLD)):
        number = random.choice([0, 1, 2, 3, 4, 6])
        if number:
            blank = random.choice([0, 0, 0, 0.4])
            box.add(key, [random_answers(random, box.gate.items, blank) for _ in range(number)], step)


@SOME
@given(seed=seeds)
@example(seed=1)
@example(seed=382)
def test_totals_do_not_tell_about_few(seed: int) -> None:
    random = Random(seed)
    boxes, attacker = random_county(random), Attacker()
    for box in boxes:
        fill_little(random, box, 0)
    releases = [box.release(Timing.EXACT, 0) for box in boxes]
    for box, release in zip(boxes, releases, strict=True):
        attacker.look(box, release)
    attacker.look_at_totals(boxes, releases)
    assert attacker.broken(boxes, MIN_CELL) is None


@SOME
@given(seed=seeds)
def test_totals_of_a_running_campaign_tell_no_more_than_its_subjects(seed: int) -> None:
    random = Random(seed)
    boxes, attacker = random_county(random)[:3], Attacker()
    for step in (0, 1):
        for box in boxes:
            fill_little(random, box, step)
        releases = [box.release(Timing.STEPWISE, step) for box in boxes]
        for box, release in zip(boxes, releases, strict=True):
            attacker.look(box, release)
        attacker.look_at_totals(boxes, releases)
    assert attacker.broken(boxes, MIN_CELL) is None


def cast(box: Box, step: int, number: int, rater_class: RaterClass = VILLAGER) -> None:
    box.add((rater_class, Mode.HOUSEHOLD), [{"overall": "satisfied"}] * number, step)


@pytest.mark.parametrize(
    ("timing", "is_broken"), [(Timing.STEPWISE, True), (Timing.WITHHELD, False)], ids=str
)
def test_the_one_step_that_may_tell_about_few_is_the_closing(timing: Timing, is_broken: bool) -> None:
    """This documents what `stepwise` gives away, and `after_closing` does not."""
    box, attacker = Box("village", make_gate()), Attacker()
    cast(box, 0, 6)
    attacker.look(box, box.release(timing, 0))
    cast(box, 1, 2)
    attacker.look(box, box.release(timing, 1))
    assert attacker.broken([box], 5) is None
    attacker.look(box, box.release(Timing.EXACT, 1))
    found = attacker.broken([box], 5)
    assert found == ([Part(("village", VILLAGER, Mode.HOUSEHOLD), 1, 2)] if is_broken else None)


def test_the_solver_finds_what_is_there_to_be_found() -> None:
    """Figures without the gate tell everything: the solver is not blind."""
    box, attacker = Box("village", make_gate()), Attacker()
    cast(box, 0, 6)
    cast(box, 0, 2, MEMBER)
    box.shown = tuple(box.standing)
    box.seen_at = dict.fromkeys(box.ballots, 0)
    release = box.release(Timing.EXACT, 0)
    assert release.score.status is Status.OK
    attacker.look(box, release)
    assert attacker.broken([box], 5) is None
    attacker.rows.append({(part, "overall", "satisfied"): 1 for part in box.parts if part.people == 2})
    assert attacker.broken([box], 5) == [part for part in box.parts if part.people == 2]


@pytest.mark.parametrize(("size", "is_broken"), [(MIN_CELL - 1, True), (MIN_CELL, False)])
def test_an_excluded_group_of_few_would_be_told(size: int, is_broken: bool) -> None:
    """This is why nobody may exclude a smaller group."""
    box, attacker = Box("village", make_gate(formula=make_formula(min_cell=MIN_CELL))), Attacker()
    cast(box, 0, 6)
    box.exclude((VILLAGER, Mode.HOUSEHOLD), [{"overall": "dissatisfied"}] * size, 0)
    attacker.look(box, box.release(Timing.EXACT, 0))
    assert (attacker.broken([box], MIN_CELL) is not None) is is_broken
