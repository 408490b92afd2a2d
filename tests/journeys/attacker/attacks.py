"""What an attacker tries with rows in hand, and how well he does compared with guessing.

He knows every voter, in which village and by which kind of code he voted, and has found rows that stand for
voters (participations, receipts with their holders, or only the order in which they came) and rows that hold
answers (ballots, texts). He says which belongs to which; the test counts how often he is right.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tests.support.chance import RARE, chance_of_links, is_order_of_arrival


@dataclass(frozen=True)
class Row:
    """A row where it was found. `known` is the truth, for counting only; `came` the transaction, or None."""

    pile: object
    known: int
    came: int | None = None


Rows = Sequence[Row]


def _by_pile(rows: Rows) -> Mapping[object, list[Row]]:
    piles: dict[object, list[Row]] = defaultdict(list)
    for row in rows:
        piles[row.pile].append(row)
    return piles


def _guess(voters: Rows, answers: Rows, is_suspect: Callable[[Row, Row], bool]) -> float:
    """Return how many right links to expect of one who guesses among suspects, or among all without any."""
    piles, score = _by_pile(answers), 0.0
    for voter in voters:
        pile = piles[voter.pile]
        suspects = [row for row in pile if is_suspect(voter, row)] or pile
        score += sum(row.known == voter.known for row in suspects) / len(suspects)
    return score


def by_transaction(voters: Rows, answers: Rows) -> float:
    """Rows that one transaction wrote belong together."""
    return _guess(voters, answers, lambda voter, row: voter.came is not None and voter.came == row.came)


def by_group(voters: Rows, answers: Rows) -> float:
    """Ballots were written anew by the first rebuild after their voter came."""
    numbers = sorted({row.came for row in answers if row.came is not None})

    def next_after(came: int | None) -> int | None:
        return next((number for number in numbers if came is not None and number > came), None)

    following = {voter.came: next_after(voter.came) for voter in voters}
    return _guess(
        voters, answers, lambda voter, row: row.came is not None and row.came == following[voter.came]
    )


def guessing(answers: Rows) -> float:
    """Return how many right links to expect of one who has nothing in hand: one in each pile."""
    return float(len(_by_pile(answers)))


@dataclass(frozen=True)
class Ordered:
    """What comes of pairing two orders of rows, pile by pile."""

    links: int
    chance: float
    """How probable so many links are by chance."""
    looks_ordered: bool
    """Whether one order follows the other more than chance explains, in any pile."""

    @property
    def is_chance(self) -> bool:
        return self.chance > RARE and not self.looks_ordered


def by_order(voters: Rows, answers: Rows) -> Ordered:
    """The first who came wrote what stands first, or what stands last."""
    forwards, backwards = (_pair(voters, order) for order in (answers, answers[::-1]))
    return min(forwards, backwards, key=lambda found: found.chance)


def _pair(voters: Rows, answers: Rows) -> Ordered:
    standing = _by_pile(answers)
    pairs = [(pile, standing[name]) for name, pile in _by_pile(voters).items()]
    links = sum(a.known == b.known for pile, rows in pairs for a, b in zip(pile, rows, strict=True))
    chance = chance_of_links([len(pile) for pile, _ in pairs], links)
    return Ordered(links, chance, any(is_order_of_arrival(_places(*pair)) for pair in pairs))


def _places(voters: Rows, answers: Rows) -> list[int]:
    """Return the place of each voter's answer."""
    places = {row.known: place for place, row in enumerate(answers)}
    return [places[voter.known] for voter in voters]


Found = Mapping[str, Rows]


def combinations(voters: Found, answers: Found) -> Iterator[tuple[str, Rows, Rows]]:
    """Yield everything that can be joined, under a name."""
    for whose, some in voters.items():
        for what, others in answers.items():
            yield f"{whose} → {what}", some, others
