"""The attacker: he knows who came, when, and each voter's digest, and holds every file. Who said what?

While a campaign is open he learns what `docs/privacy.md` admits, and no more. After sealing he does no better
than one who guesses without any file, even with what he wrote down of the voters at his last look before.
"""

from collections.abc import Iterator

import pytest
from redis import Redis

from tests.journeys.attacker.attacks import by_group, by_order, by_transaction, combinations, guessing
from tests.journeys.attacker.loot import Loot
from tests.journeys.attacker.office import WITHOUT_WORKER, Office, play_large, play_small
from tests.support.postgresql import PostgresCluster

MIN_CELL = 5
ENGINES = ("small", "large")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Office:
    return play_small(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def large(
    tmp_path_factory: pytest.TempPathFactory, postgres: PostgresCluster, redis_server: str
) -> Iterator[Office]:
    with Redis.from_url(redis_server) as client:
        client.flushall()
    with postgres.new_database() as url:
        yield play_large(tmp_path_factory.mktemp("large"), postgres, url, redis_server)


@pytest.fixture(params=ENGINES)
def office(request: pytest.FixtureRequest) -> Office:
    made: Office = request.getfixturevalue(request.param)
    return made


def linked(loot: Loot) -> float:
    """Return the right links from participations to ballots by their transactions."""
    return by_transaction(loot.voters["participation"], loot.answers["ballot"])


def test_before_its_first_rebuild_a_ballot_is_linked_by_its_transaction(large: Office) -> None:
    """So the attacker sees what there is to see, and the next test means something."""
    assert linked(large.found["fresh"]) == WITHOUT_WORKER


def test_old_versions_of_rows_link_until_they_are_cleared(large: Office) -> None:
    assert linked(large.found["not cleared"]) > WITHOUT_WORKER


@pytest.mark.parametrize("place", ["open", "open pages"])
def test_after_a_rebuild_no_transaction_links(large: Office, place: str) -> None:
    found = large.found[place]
    for name, voters, answers in combinations(found.voters, found.answers):
        assert by_transaction(voters, answers) == pytest.approx(guessing(answers)), name


@pytest.mark.parametrize("place", ["open", "open dump"])
def test_after_a_rebuild_a_voter_is_one_among_several(large: Office, place: str) -> None:
    """What is admitted: who knows all digests guesses right at most once in `min_cell` tries."""
    found = large.found[place]
    for name, voters, answers in combinations(found.voters, found.answers):
        admitted = len(voters) / MIN_CELL + MIN_CELL * guessing(answers)
        assert by_group(voters, answers) <= admitted, name
        assert by_order(voters, answers).links <= admitted, name


def test_while_it_is_open_the_write_ahead_log_of_sqlite_links(small: Office) -> None:
    """What is admitted for SQLite: whatever still stands in its log."""
    found = small.found["last look"]
    assert linked(found) > guessing(found.answers["ballot"])


def sealed(office: Office) -> Iterator[tuple[str, Loot]]:
    return ((name, loot) for name, loot in office.found.items() if name.startswith("sealed"))


def test_after_sealing_no_transaction_and_no_group_links(office: Office) -> None:
    for name, loot in sealed(office):
        before = office.found["last look"].voters
        for names, voters, answers in combinations(before | dict(loot.voters), loot.answers):
            assert by_transaction(voters, answers) == pytest.approx(guessing(answers)), (name, names)
            assert by_group(voters, answers) == pytest.approx(guessing(answers)), (name, names)


def test_after_sealing_no_order_links(office: Office) -> None:
    arrivals = {"the door": office.sort.arrivals}
    for name, loot in sealed(office):
        before = office.found["last look"].voters
        for names, voters, answers in combinations(arrivals | before | dict(loot.voters), loot.answers):
            assert by_order(voters, answers).is_chance, (name, names)


def test_after_sealing_no_table_holds_participations(office: Office) -> None:
    assert [name for name, loot in sealed(office) if "participation" in loot.voters] == []


def test_after_sealing_no_file_holds_a_digest_of_a_voter(office: Office) -> None:
    content = office.files["sealed"]
    assert [voter.known for voter in office.voters if voter.digest in content] == []


def ids_in(office: Office, content: bytes) -> int:
    """Count the rows that can be found by what is known of their voters, in either way of writing ids."""
    ids = [one for voter in office.voters for one in voter.ids(office.campaign_id)]
    return sum(one in content or one.hex().encode() in content for one in ids)


def test_after_sealing_no_id_follows_from_what_a_voter_had(office: Office) -> None:
    """Before, his secret leads to his ballot; afterwards not even that does."""
    before = office.files.get("open") or office.found["open dump"].content
    assert ids_in(office, before) > len(office.voters)
    after = [*(found.content for _, found in sealed(office)), office.files["sealed"]]
    assert [ids_in(office, content) for content in after] == [0] * len(after)


def test_no_log_knows_a_voter(office: Office) -> None:
    found = {
        (file, what)
        for file, content in office.logs.items()
        for voter in office.voters
        for what, trace in (*voter.traces(office.keyring), *voter.digests())
        if trace in content
    }
    assert found == set()


def test_no_dump_and_no_file_knows_a_voter(office: Office) -> None:
    contents = {name: loot.content for name, loot in office.found.items()} | office.files
    found = {
        (name, what)
        for name, content in contents.items()
        for voter in office.voters
        for what, trace in (*voter.traces(office.keyring), *(voter.digests() if "sealed" in name else ()))
        if trace in content
    }
    assert found == set()
