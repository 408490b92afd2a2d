"""The schedule: what is deleted, how long after what, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

_YEAR = timedelta(days=365)
_TOKENS_KEPT = timedelta(days=1)
"""A token that has ended opens nothing; a day lets an operator see yesterday's."""
_RETRIES_KEPT = timedelta(days=30)
"""Nobody repeats a request for codes after a month."""
_DELIVERIES_KEPT = timedelta(days=90)
"""A receiver that was away for a season asks for a list, and for no messages."""


ORIGINAL_DAYS = 365
"""A complaint that comes back within a year is read in its own words."""


class Kind(StrEnum):
    """What the schedule speaks of."""

    STAFF_TOKENS = "staff_tokens"
    IDEMPOTENCY_KEYS = "idempotency_keys"
    CREDENTIALS = "credentials"
    CODE_BATCHES = "code_batches"
    HOUSEHOLD_GROUPS = "household_groups"
    PRINT_RUNS = "print_runs"
    RECORDINGS = "recordings"
    TEXTS = "texts"
    OPINION_ORIGINALS = "opinion_originals"
    OPINION_PHOTOS = "opinion_photos"
    WEBHOOK_DELIVERIES = "webhook_deliveries"


@dataclass(frozen=True)
class Rule:
    """What goes, how long it stays, since when that is counted, and why. None keeps it for ever."""

    kind: Kind
    kept: timedelta | None
    since: str
    reason: str

    def limit(self, now: datetime) -> datetime | None:
        """Return the moment before which things are due."""
        return None if self.kept is None else now - self.kept


@dataclass(frozen=True)
class Purged:
    """How many things one rule deleted, or would."""

    rule: Rule
    number: int

    def __str__(self) -> str:
        kept = "kept for ever" if self.rule.kept is None else f"{self.rule.kept.days} days"
        return f"{self.rule.kind:<17} {self.number:>8}  {kept} after {self.rule.since}: {self.rule.reason}"


def schedule(
    *, credential_days: int, text_years: int | None, original_days: int = ORIGINAL_DAYS
) -> Sequence[Rule]:
    """Return all rules in the order in which they are applied."""
    credentials = timedelta(days=credential_days)
    originals = timedelta(days=original_days)
    sealed = "the sealing of their campaign"
    ended = "the end of their case"
    return (
        Rule(Kind.STAFF_TOKENS, _TOKENS_KEPT, "their end", "they open nothing any more"),
        Rule(Kind.IDEMPOTENCY_KEYS, _RETRIES_KEPT, "the making of the codes", "nobody asks again"),
        Rule(Kind.CREDENTIALS, credentials, sealed, "slots of households open nothing any more"),
        Rule(Kind.CODE_BATCHES, credentials, sealed, "their slots are gone"),
        Rule(Kind.HOUSEHOLD_GROUPS, credentials, sealed, "their slots are gone"),
        Rule(Kind.PRINT_RUNS, credentials, sealed, "what they printed opens nothing any more"),
        Rule(Kind.RECORDINGS, credentials, sealed, "nobody is asked any more"),
        Rule(
            Kind.TEXTS,
            None if text_years is None else text_years * _YEAR,
            sealed,
            "what people wrote is theirs",
        ),
        Rule(Kind.OPINION_ORIGINALS, originals, ended, "the redacted words and the answer are enough"),
        Rule(Kind.OPINION_PHOTOS, originals, ended, "what they showed has been dealt with"),
        Rule(Kind.WEBHOOK_DELIVERIES, _DELIVERIES_KEPT, "their making", "what they said stands elsewhere"),
    )
