"""How long people who key paper wait: the save of fifty lines, and the closing of a batch of fifty."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import select

from bench.city import CITY_CODE, USERNAME, application
from bench.report import Section, Spread, at_most
from bench.scale import Scale
from bench.servers import Databases
from survey_service.campaigns.models import Campaign
from survey_service.campaigns.queries import list_subjects
from survey_service.campaigns.rules import Mode, RaterClass
from survey_service.core import clock
from survey_service.core.db import reading, unit_of_work
from survey_service.core.permissions import Identity
from survey_service.core.privacy import current_keyring
from survey_service.entrances.service import create_entrances
from survey_service.organizations.queries import get_organization
from survey_service.paper_entry.closing import close_batch
from survey_service.paper_entry.keying import finish_keying, key_lines
from survey_service.paper_entry.rules import BUNDLE, Keying, ListKind
from survey_service.paper_entry.service import forms_of, open_batch
from survey_service.staff.models import StaffAccount
from survey_service.staff.rules import Role
from survey_service.staff.service import create_account

_NAME = "paper"
_MOST_MILLISECONDS = 100
_BATCHES_PER_REPEAT = 5


def measure(databases: Databases, scale: Scale) -> Section:
    """Key batches of fifty ballots by two people, each save and each closing a unit of work of its own."""
    app = application(databases.create(_NAME, like="city"))
    with app.app_context():
        desk = _Desk()
        batches = [desk.key_batch() for _ in range(scale.repeats * _BATCHES_PER_REPEAT)]
    app.extensions["database"].engine.dispose()
    saves = Spread.of(one for saved, _ in batches for one in saved)
    closings = Spread.of(closed for _, closed in batches)
    kept = "fifty stubs or ballots, keyed by one of two people, are saved"
    counted = "a batch of fifty ballots, keyed twice, is compared, counted and closed"
    return Section(
        [
            at_most(what, _MOST_MILLISECONDS, spread, unit="ms", places=1)
            for what, spread in ((kept, saves), (counted, closings))
        ]
    )


class _Desk:
    """Two people of the city above a village."""

    def __init__(self) -> None:
        self.now = clock.now()
        with unit_of_work() as session:
            create_account(
                session,
                username="second.keyer",
                role=Role.COUNTY_ADMIN,
                organization_code=CITY_CODE,
                now=self.now,
            )
        with reading() as session:
            city = get_organization(session, code=CITY_CODE)
            names = (USERNAME, "second.keyer")
            accounts = session.scalars(select(StaffAccount).where(StaffAccount.username.in_(names)))
            self.people = [Identity(one.id, one.username, one.role, city.id, city.path) for one in accounts]
            campaign = session.scalars(select(Campaign)).one()
            self.campaign_id = campaign.id
            self.village = list_subjects(session, campaign.id, limit=1)[0].organization_code
            self.width = len(forms_of(session, campaign)[0].columns)

    def key_batch(self) -> tuple[list[float], float]:
        """Return how many milliseconds each save took, and the closing."""
        village: dict[str, Any] = {"organization_code": self.village, "rater_class": RaterClass.VILLAGER}
        with unit_of_work() as session:
            codes = create_entrances(
                session,
                staff=self.people[0],
                keyring=current_keyring(),
                campaign_id=self.campaign_id,
                organization_codes=[self.village],
                mode=Mode.HOUSEHOLD,
                rater_class=RaterClass.VILLAGER,
                count=BUNDLE,
                now=self.now,
            )
        opened = village | {"mode": Mode.PAPER, "issued": BUNDLE, "now": self.now}
        _, batch = self._timed(open_batch, self.people[0], **opened)
        stubs = [one.code for one in codes]
        ballots = [str(n % 4 + 1) * self.width for n in range(BUNDLE)]
        place = {"batch_id": batch.id}
        saved = [
            self._key(place | {"kind": kind, "keying": Keying(look)}, person, lines)
            for look, person in enumerate(self.people, start=1)
            for kind, lines in ((ListKind.STUBS, stubs), (ListKind.BALLOTS, ballots))
        ]
        closed, _ = self._timed(close_batch, self.people[0], keyring=current_keyring(), now=self.now, **place)
        return saved, closed

    def _key(self, place: dict[str, Any], person: Identity, lines: Sequence[str]) -> float:
        taken, _ = self._timed(key_lines, person, keyring=current_keyring(), lines=lines, **place)
        self._timed(finish_keying, person, **place)
        return taken

    def _timed(self, act: Callable[..., Any], person: Identity, **arguments: Any) -> tuple[float, Any]:
        started = time.perf_counter()
        with unit_of_work() as session:
            found = act(session, staff=person, campaign_id=self.campaign_id, **arguments)
        return 1e3 * (time.perf_counter() - started), found
