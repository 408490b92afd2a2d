"""What a process remembers of the ballots that have just come in, so that it can flag the next one.

It lives in the memory of the process, is bounded, and is gone when the process ends: no database, no log and
no queue ever sees it. Several processes flag less than one would, which is why every limit is low enough for
a part of the ballots, and why a flag only ever asks people to look.
"""

from collections import OrderedDict
from contextlib import suppress
from datetime import datetime, timedelta
from threading import Lock

from survey_service.ballots.rules import BallotFlag, FlagLimits, Intake, choose_flag
from survey_service.core import clock
from survey_service.core.errors import SlowDown
from survey_service.core.rate_limits import RateLimit
from survey_service.entrances.rules import Ticket

BURST_SECONDS = 300
SERIAL_PAUSE = timedelta(minutes=2)
"""Longer than this between two codes, and a run begins anew."""
SERIAL_GAP = 3
"""Neighbours in a run may leave out two codes: other processes see them, or nobody was at home."""
_MOST_RUNS = 20_000
"""One for each subject and mode of a large city; about 5 MB."""


class SerialRuns:
    """How many codes of one subject and mode have come in the order in which they were printed.

    The slots of a batch are stored in the order of their serials, so their ids stand for these.
    """

    def __init__(self) -> None:
        self._runs: OrderedDict[tuple[int, str], tuple[int, int, datetime]] = OrderedDict()
        self._lock = Lock()

    def length_with(self, ticket: Ticket, now: datetime) -> int:
        """Return the length of the run that a ballot would continue or begin."""
        last, length, moment = self._runs.get((ticket.subject_id, ticket.mode), (0, 0, now))
        is_next = 0 < ticket.entrance_id - last <= SERIAL_GAP and now - moment <= SERIAL_PAUSE
        return length + 1 if is_next else 1

    def remember(self, ticket: Ticket, now: datetime) -> None:
        key = (ticket.subject_id, ticket.mode)
        with self._lock:
            self._runs[key] = (ticket.entrance_id, self.length_with(ticket, now), now)
            self._runs.move_to_end(key)
            if len(self._runs) > _MOST_RUNS:
                self._runs.popitem(last=False)


class IntakeWatch:
    """Flags ballots by what has come in just before; nothing that it holds ever refuses one."""

    def __init__(self, limits: FlagLimits) -> None:
        self.limits = limits
        self._posted = RateLimit(count=limits.burst_ballots, seconds=BURST_SECONDS)
        self._runs = SerialRuns()

    def flag(self, ticket: Ticket, *, items: int, codes: int, now: datetime) -> BallotFlag | None:
        """Return the flag of a ballot that is being sent."""
        is_posted = ticket.place_id != 0
        intake = Intake(
            seconds=(now - ticket.opened_at).total_seconds(),
            items=items,
            hour=now.astimezone(clock.SHANGHAI).hour,
            codes=codes,
            run=1 if is_posted else self._runs.length_with(ticket, now),
            is_crowded=is_posted and self._posted.is_exhausted(ticket.place_id),
        )
        return choose_flag(intake, self.limits)

    def remember(self, ticket: Ticket, now: datetime) -> None:
        """Count a ballot that was stored."""
        if ticket.place_id == 0:
            self._runs.remember(ticket, now)
            return
        # The bucket only counts here: being empty is what is looked at, and refuses nobody.
        with suppress(SlowDown):
            self._posted.hit(ticket.place_id)
