"""The steps of sealing, where a receipt is listed, and how a snapshot is written down."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from hashlib import sha256

from survey_service.core.events import Event

FORMAT = "score-snapshot/1"
"""Stands in every snapshot, so that a later form can be told from this one."""


class Step(StrEnum):
    """What has been reached; a sealing that was interrupted goes on from here."""

    FROZEN = "frozen"
    """The gate is shut: no ballot comes in, whatever the clock says."""
    RECORDED = "recorded"
    """The ballots are recounted; snapshot and bulletin are written."""
    UNLINKED = "unlinked"
    """Ballots have random ids and order; participations and keys are gone."""
    SEALED = "sealed"
    """The files hold no trace of what was there before."""


@dataclass(frozen=True)
class CampaignSealed(Event):
    """The scores of a campaign are final, or a new version of them is."""

    campaign_id: int


@dataclass(frozen=True)
class BallotCounts:
    """The ballots behind a list of receipts, and how many of them do not weigh in the score.

    `totals` were counted by hand at meetings: they have no receipts, and stand beside the others.
    """

    count: int = 0
    excluded: int = 0
    invalid: int = 0
    weightless: int = 0
    totals: int = 0

    def as_json(self) -> dict[str, int]:
        """Return the numbers by name; no meeting leaves no trace, as before there were any."""
        return {name: number for name, number in asdict(self).items() if name != "totals" or number}

    def __add__(self, other: "BallotCounts") -> "BallotCounts":
        return BallotCounts(
            count=self.count + other.count,
            excluded=self.excluded + other.excluded,
            invalid=self.invalid + other.invalid,
            weightless=self.weightless + other.weightless,
            totals=self.totals + other.totals,
        )


@dataclass(frozen=True)
class ReceiptList:
    """The receipts that are published under one organization's code, sorted by code point."""

    organization_code: str
    counts: BallotCounts
    receipts: Sequence[str]

    @property
    def text(self) -> str:
        return "\n".join(self.receipts)

    @property
    def digest(self) -> str:
        return digest_text([self.text])


def listed_under(*, own_code: str, upper_code: str, count: int, min_cell: int) -> str:
    """Return the code under which a subject's receipts are listed: too few of them go to the level above."""
    return own_code if count >= min_cell else upper_code


def upper_code(ids_on_path: Sequence[int], areas: Mapping[int, str]) -> str | None:
    """Return the code of the nearest town, county or city above an organization.

    `ids_on_path` lead from the root to the organization; `areas` are the codes of such places by id.
    """
    above = (areas[one] for one in reversed(ids_on_path[:-1]) if one in areas)
    return next(above, None)


def join_lists(
    parts: Iterable[tuple[str, BallotCounts, Iterable[str]]],
) -> list[ReceiptList]:
    """Join what is listed under the same code, by code; each part is a code, its counts and its receipts."""
    counts: dict[str, BallotCounts] = {}
    receipts: dict[str, list[str]] = {}
    for code, counted, some in parts:
        counts[code] = counts.get(code, BallotCounts()) + counted
        receipts.setdefault(code, []).extend(some)
    return [ReceiptList(code, counts[code], sorted(receipts[code])) for code in sorted(counts)]


def write_document(head: str, subjects: Iterable[str]) -> Iterator[str]:
    """Yield a snapshot piece by piece; where the parts are canonical JSON, so is the whole."""
    yield f'{{"head":{head},"subjects":['
    for number, subject in enumerate(subjects):
        yield f",{subject}" if number else subject
    yield "]}"


def digest_text(pieces: Iterable[str]) -> str:
    """Return the SHA-256 of a text in pieces as 64 hexadecimal digits."""
    digest = sha256()
    for piece in pieces:
        digest.update(piece.encode())
    return digest.hexdigest()
