"""Hypothesis strategies: whole campaigns in small, with raw ballots and the formula that scores them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from survey_service.campaigns.rules import EmptyClass, Formula, Mode, RaterClass
from survey_service.mass_evaluation.rules import MassScore, score_subject
from survey_service.questionnaires.rules import ScoredItem
from tests.rules.mass_evaluation.builders import MEMBER, VILLAGER, Ballot, make_ballot, make_formula, tally

FEW = settings(max_examples=25)
"""For properties whose examples are costly; the total is compared with the oracle the usual hundred times."""

OPTIONS = {
    "satisfaction4": ("satisfied", "basically_satisfied", "dissatisfied", "not_informed"),
    "grade4": ("good", "fairly_good", "average", "poor"),
}
MODES = (Mode.HOUSEHOLD, Mode.OPEN, Mode.OPEN_DEVICE, Mode.PAPER)
weights = st.sampled_from(["0", "0.25", "0.5", "1", "3"]).map(Decimal)
scales = st.sampled_from(["1 0.75 0.55 0", "1 0.7 0.3 0.3", "1 0.8 0.6 0.4", "0.5 0 1 0.25", "1 1 1 1"]).map(
    lambda values: [Decimal(value) for value in values.split()]
)
informed = {
    key: [option for option in options if option != "not_informed"] for key, options in OPTIONS.items()
}


@dataclass(frozen=True)
class Situation:
    """One subject with everything that decides its score."""

    formula: Formula
    items: tuple[ScoredItem, ...]
    ballots: list[Ballot]
    eligible: Mapping[RaterClass, int | None]
    issued: Mapping[Mode, int | None]

    def score(self) -> MassScore:
        return score_subject(
            formula=self.formula,
            items=self.items,
            slices=tally(self.ballots, self.items, self.formula),
            eligible=self.eligible,
            issued=self.issued,
        )


@st.composite
def formulas(draw: st.DrawFn, **fixed: Any) -> Formula:
    given = {
        "coefficients": {
            key: dict(zip(options, draw(scales), strict=False)) for key, options in informed.items()
        },
        "positive": draw(
            st.sampled_from(
                [
                    {"satisfaction4": frozenset({"satisfied"}), "grade4": frozenset({"good", "fairly_good"})},
                    {"satisfaction4": frozenset({"satisfied", "basically_satisfied"})},
                ]
            )
        ),
        "class_weights": {VILLAGER: draw(weights), MEMBER: draw(weights)},
        "mode_weights": {mode: draw(weights) for mode in (Mode.HOUSEHOLD, Mode.OPEN, Mode.OPEN_DEVICE)},
        "count_not_informed": draw(st.booleans()),
        "count_abstained": draw(st.booleans()),
        "min_class": draw(st.integers(1, 5)),
        "empty_class": draw(st.sampled_from(EmptyClass)),
        "min_response_rate": draw(gates),
        "min_ballots": draw(st.sampled_from([0, 0, 8])),
        "min_cell": draw(st.integers(3, 5)),
    }
    return make_formula(**given | fixed)


shares = st.sampled_from([Fraction(0), Fraction(1, 3), Fraction(1, 2)])
gates = st.one_of(
    st.just({}),
    st.fixed_dictionaries({None: shares}),
    st.fixed_dictionaries({VILLAGER: shares, MEMBER: shares}),
)
item_lists = st.lists(st.tuples(st.sampled_from(sorted(OPTIONS)), weights), min_size=1, max_size=3).map(
    lambda drawn: tuple(
        ScoredItem(f"item{n}", option_set, weight) for n, (option_set, weight) in enumerate(drawn)
    )
)


def ballots_for(items: tuple[ScoredItem, ...]) -> st.SearchStrategy[list[Ballot]]:
    """Any ballots, in groups of equal ones so that cells fill up."""
    answers = {item.key: st.sampled_from([*OPTIONS[item.option_set], None]) for item in items}
    group = st.tuples(
        st.sampled_from([VILLAGER, MEMBER]),
        st.sampled_from(MODES),
        st.integers(1, 8),
        st.fixed_dictionaries(answers),
        st.sampled_from([False, False, True]),
    )
    spoiled = st.integers(0, 2).map(
        lambda number: [make_ballot(VILLAGER, Mode.PAPER, {}, invalid=True)] * number
    )
    return st.builds(
        lambda groups, spoiled: [*(ballot for group in groups for ballot in equal_ballots(*group)), *spoiled],
        st.lists(group, max_size=4),
        spoiled,
    )


def equal_ballots(
    rater_class: RaterClass,
    mode: Mode,
    number: int,
    answers: Mapping[str, str | None],
    excluded: bool = False,
) -> list[Ballot]:
    given = {item: option for item, option in answers.items() if option is not None}
    return [make_ballot(rater_class, mode, given, excluded=excluded)] * number


@st.composite
def situations(draw: st.DrawFn, **fixed: Any) -> Situation:
    """Any situation at all; most have no score."""
    items = draw(item_lists)
    numbers = st.one_of(st.none(), st.integers(0, 60))
    return Situation(
        formula=draw(formulas(**fixed)),
        items=items,
        ballots=draw(ballots_for(items)),
        eligible={VILLAGER: draw(numbers), MEMBER: draw(numbers)},
        issued={Mode.HOUSEHOLD: draw(st.sampled_from([None, None, 5, 50]))},
    )


LENIENT = {
    "min_response_rate": {},
    "min_ballots": 0,
    "min_class": 1,
    "min_cell": 3,
    "empty_class": EmptyClass.RENORMALIZE,
    "class_weights": {VILLAGER: Decimal("0.6"), MEMBER: Decimal("0.4")},
    "mode_weights": {Mode.OPEN: Decimal("0.5"), Mode.OPEN_DEVICE: Decimal("0.25")},
}


@st.composite
def scored(draw: st.DrawFn, **fixed: Any) -> Situation:
    """Situations that have a score: a lenient formula, a first item that weighs, and a few full ballots."""
    drawn = draw(situations(**LENIENT | fixed))
    first, *others = drawn.items
    items = (replace(first, weight=Decimal(2)), *others)
    core = equal_ballots(
        VILLAGER,
        Mode.HOUSEHOLD,
        3,
        {item.key: draw(st.sampled_from(informed[item.option_set])) for item in items},
    )
    return replace(drawn, items=items, ballots=[*core, *drawn.ballots], issued={})
