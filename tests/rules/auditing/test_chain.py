"""A chain tells the first place where it is not what it was."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey_service.auditing.rules import (
    FAULTS,
    GENESIS,
    PURGE,
    BadEntry,
    ChainCheck,
    Entry,
    Fault,
    Head,
    follow,
    read_heads,
    retry_delay,
)
from survey_service.core.canonical import canonical_digest
from tests.factories.auditing.chain import NOW, make_chain

LENGTH = 6


def check(chain: Iterable[Entry], *, head: Head | None = None, known: Iterable[Head] = ()) -> BadEntry | None:
    entries = list(chain)
    checking = ChainCheck(known)
    for entry in entries:
        if (bad := checking.take(entry)) is not None:
            return bad
    return checking.finish(head or (entries[-1].head if entries else GENESIS))


def signed(entry: Entry) -> Entry:
    """Return the entry as a forger leaves it: with the right digest of the wrong content."""
    return replace(entry, digest=entry.expected_digest())


def rewritten(chain: list[Entry], number: int, **changes: object) -> list[Entry]:
    """Return a chain with one other entry, and everything after it written anew."""
    new = chain[: number - 1]
    for entry in [replace(chain[number - 1], **changes), *chain[number:]]:  # type: ignore[arg-type]  # Fields by name.
        new.append(signed(replace(entry, previous=new[-1].digest if new else GENESIS.digest)))
    return new


def test_a_whole_chain_is_whole() -> None:
    chain = make_chain(LENGTH)
    assert check(chain) is None
    assert check(chain, known=[entry.head for entry in chain]) is None
    assert check([]) is None


def test_a_digest_covers_everything_but_itself() -> None:
    (entry,) = make_chain(1)
    shown = {
        "seq": 1,
        "at": "2026-11-21T01:00:00.000000+00:00",
        "actor": "town",
        "action": "a.b",
        "target": "c:1",
        "before": None,
        "after": {"number": 1},
        "previous": "0" * 64,
    }
    assert entry.digest == canonical_digest(shown)


@pytest.mark.parametrize(
    "change",
    [
        {"at": "2026-11-21T01:00:00.000001+00:00"},
        {"actor": "other"},
        {"action": "a.c"},
        {"target": "c:2"},
        {"before": {}},
        {"after": {"number": 30}},
        {"after": None},
        {"digest": "f" * 64},
        {"actor": b"\xff"},
        {"after": {"unreadable": b"\xff"}},
    ],
    ids=str,
)
def test_an_altered_entry_is_named(change: dict[str, object]) -> None:
    chain = make_chain(LENGTH)
    chain[2] = replace(chain[2], **change)  # type: ignore[arg-type]  # Fields by name.
    assert check(chain) == BadEntry(3, Fault.ALTERED)


def test_an_altered_entry_with_a_new_digest_breaks_the_link_after_it() -> None:
    chain = make_chain(LENGTH)
    chain[2] = signed(replace(chain[2], actor="other"))
    assert check(chain) == BadEntry(4, Fault.UNLINKED)


@pytest.mark.parametrize("number", range(1, LENGTH + 1))
def test_a_removed_entry_is_named(number: int) -> None:
    chain = make_chain(LENGTH)
    head = chain[-1].head
    del chain[number - 1]
    assert check(chain, head=head) == BadEntry(number, Fault.MISSING)


def test_a_removed_entry_is_noticed_when_the_others_move_up() -> None:
    chain = make_chain(LENGTH)
    moved = [*chain[:2], *(signed(replace(entry, seq=entry.seq - 1)) for entry in chain[3:])]
    assert check(moved) == BadEntry(3, Fault.UNLINKED)


def test_reordered_entries_are_named() -> None:
    chain = make_chain(LENGTH)
    third, fourth = chain[2], chain[3]
    chain[2:4] = [signed(replace(fourth, seq=3)), signed(replace(third, seq=4))]
    assert check(chain) == BadEntry(3, Fault.UNLINKED)


def test_a_tail_is_missed_by_the_head_beside_the_chain() -> None:
    chain = make_chain(LENGTH)
    assert check(chain[:4], head=chain[-1].head) == BadEntry(5, Fault.MISSING)


def test_a_tail_is_missed_by_whoever_knew_it() -> None:
    chain = make_chain(LENGTH)
    assert check(chain[:4]) is None, "without a known head nobody can tell"
    assert check(chain[:4], known=[chain[1].head, chain[-1].head]) == BadEntry(5, Fault.MISSING)
    assert check([], known=[chain[0].head]) == BadEntry(1, Fault.MISSING)


def test_a_chain_written_anew_is_found_by_a_known_head() -> None:
    chain = make_chain(LENGTH)
    forged = rewritten(chain, 2, actor="other")
    assert check(forged) is None, "without a known head nobody can tell"
    assert check(forged, known=[chain[0].head, chain[3].head]) == BadEntry(4, Fault.REWRITTEN)
    assert check(forged, known=[Head(0, chain[3].digest)]) == BadEntry(1, Fault.REWRITTEN)


def purged(chain: list[Entry], through: int, **changes: object) -> list[Entry]:
    """Return the chain after its beginning was removed behind a checkpoint."""
    gone = chain[through - 1]
    facts = {"seq": gone.seq, "digest": gone.digest} | changes
    checkpoint = follow(chain[-1].head, at=NOW, actor="operator", action=PURGE, target="audit", after=facts)
    return [*chain[through:], checkpoint]


def test_a_beginning_may_be_missing_where_a_checkpoint_says_so() -> None:
    chain = make_chain(LENGTH)
    assert check(purged(chain, 3)) is None
    assert check(purged(purged(chain, 2), 2)) is None
    assert check(purged(chain, 3), known=[chain[4].head]) is None


@pytest.mark.parametrize("changes", [{"seq": 2}, {"digest": "f" * 64}])
def test_a_checkpoint_of_something_else_helps_nobody(changes: dict[str, object]) -> None:
    assert check(purged(make_chain(LENGTH), 3, **changes)) == BadEntry(1, Fault.MISSING)


@given(st.data())
def test_whatever_is_changed_in_a_chain_is_found(data: st.DataObject) -> None:
    chain = make_chain(LENGTH)
    permuted = data.draw(st.permutations(chain))
    kept = permuted[: data.draw(st.integers(0, LENGTH))]
    bad = check(kept, head=chain[-1].head)
    assert (bad is None) == (kept == chain)


def test_every_fault_has_words() -> None:
    assert set(FAULTS) == set(Fault)


def test_moments_are_written_in_utc() -> None:
    shanghai = datetime(2026, 11, 21, 9, tzinfo=timezone(timedelta(hours=8)))
    assert (
        follow(GENESIS, at=shanghai, actor="a", action="b", target="c").at
        == "2026-11-21T01:00:00.000000+00:00"
    )


def test_a_refusal_is_told_by_its_code() -> None:
    refused = follow(GENESIS, at=NOW, actor="a", action="b", target="c", after={"refused": "forbidden"})
    assert (refused.refusal, make_chain(1)[0].refusal) == ("forbidden", None)


def test_heads_are_read_as_they_are_kept() -> None:
    digest = "a1" * 32
    received = f'{{"at": "…", "seq": 3, "digest": "{digest}"}}'
    assert read_heads(f"3 {digest}\n\n  {digest}\n{received}\n") == [
        Head(3, digest),
        Head(0, digest),
        Head(3, digest),
    ]


@pytest.mark.parametrize("line", ["nonsense", "3 abc", "{}", "{", '{"seq": 1}', f"x {'a' * 64}"])
def test_nonsense_is_no_head(line: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  The command shows whatever the message says.
        read_heads(line)


def test_failures_are_tried_again_later_each_time() -> None:
    minutes = [retry_delay(failures).total_seconds() / 60 for failures in (1, 2, 3, 6, 60)]
    assert minutes == [2, 4, 8, 60, 60]
