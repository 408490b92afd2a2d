"""A closed campaign with ballots of all sorts, and another one beside it that is still open."""

from dataclasses import dataclass, field

import pytest

from survey_service.campaigns.rules import Mode
from tests.factories.campaigns import World, start_campaign
from tests.services.sealing.steps import Known, cast_known, close


@dataclass
class ClosedWorld:
    """`known` are the ballots of the closed campaign; `other` goes on."""

    world: World
    other: World
    known: list[Known] = field(default_factory=list)


def close_a_world(world: World) -> ClosedWorld:
    """Cast eight ballots in the first village, two of them open, and three in the second."""
    other = start_campaign(world.app, villages=1)
    cast_known(other, 2)
    known = [*cast_known(world, 6), *cast_known(world, 2, mode=Mode.OPEN), *cast_known(world, 3, village=1)]
    close(world)
    return ClosedWorld(world, other, known)


@pytest.fixture
def closed(committed_world: World) -> ClosedWorld:
    """On both kinds of database, with real commits: sealing works on the files."""
    return close_a_world(committed_world)
