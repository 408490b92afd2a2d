"""Which flag a ballot gets: limits, and the order of precedence."""

from dataclasses import replace

import pytest

from survey_service.ballots.rules import BallotFlag, FlagLimits, Intake, choose_flag

ORDINARY = Intake(seconds=60, items=10, hour=9)
LIMITS = FlagLimits(seconds_per_item=1, burst_ballots=40, codes_per_browser=12, serial_run=5)

SIGNS = {
    BallotFlag.SERIAL_ORDER: {"run": 5},
    BallotFlag.MANY_CREDENTIALS: {"codes": 12},
    BallotFlag.BURST: {"is_crowded": True},
    BallotFlag.TOO_FAST: {"seconds": 10.9},
    BallotFlag.ODD_HOURS: {"hour": 4},
}


def test_an_ordinary_ballot_has_no_flag() -> None:
    assert choose_flag(ORDINARY, LIMITS) is None


@pytest.mark.parametrize(("flag", "sign"), SIGNS.items())
def test_each_sign_has_its_flag(flag: BallotFlag, sign: dict[str, float]) -> None:
    assert choose_flag(replace(ORDINARY, **sign), LIMITS) is flag  # type: ignore[arg-type]


@pytest.mark.parametrize("below", [{"run": 4}, {"codes": 11}, {"seconds": 11}, {"hour": 5}, {"hour": 23}])
def test_just_below_its_limit_nothing_is_flagged(below: dict[str, float]) -> None:
    assert choose_flag(replace(ORDINARY, **below), LIMITS) is None  # type: ignore[arg-type]


def test_of_several_signs_the_first_in_the_list_of_flags_decides() -> None:
    flags = list(BallotFlag)
    for position, flag in enumerate(flags):
        signs: dict[str, float] = {}
        for later in flags[position:]:
            signs |= SIGNS[later]
        assert choose_flag(replace(ORDINARY, **signs), LIMITS) is flag  # type: ignore[arg-type]


def test_the_time_that_is_too_short_depends_on_the_number_of_questions() -> None:
    assert choose_flag(replace(ORDINARY, seconds=4, items=3), LIMITS) is None
    assert choose_flag(replace(ORDINARY, seconds=4, items=4), LIMITS) is BallotFlag.TOO_FAST
