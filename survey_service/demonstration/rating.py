"""A rating in the demonstration: invented scores, up to the assessment by the town.

The mass evaluation flows in from the campaign; villages whose score is withheld have no total.
"""

import random
from datetime import datetime
from decimal import Decimal

from sqlalchemy.orm import Session

from survey_service.campaigns.queries import list_subjects
from survey_service.core.permissions import Identity
from survey_service.ratings.grades import scheme_of_cycle
from survey_service.ratings.process import complete_step
from survey_service.ratings.rules import Indicator
from survey_service.ratings.service import open_cycle
from survey_service.ratings.sheets import fill_in_sheet
from survey_service.ratings.vocabulary import Level

SEED = 2026
SCHEME = "township-classification"
DONE = ("self", "mass_evaluation", "summary")
_KINDNESS = Decimal("0.05")
"""By so much the branches judge themselves better than the town does."""


def load_rating(session: Session, *, staff: Identity, title: str, campaign_id: int, now: datetime) -> None:
    """Open a cycle, fill in the sheets of branches and town, and complete the first steps."""
    rng = random.Random(SEED)  # noqa: S311  Invented scores, not secrets.
    village_codes = [one.organization_code for one in list_subjects(session, campaign_id)]
    cycle = open_cycle(
        session,
        staff=staff,
        scheme=SCHEME,
        title=title,
        organization_codes=village_codes,
        campaign_id=campaign_id,
        now=now,
    ).cycle
    leaves = [leaf for leaf in scheme_of_cycle(cycle).leaves() if leaf.code != "mass"]
    for code in village_codes:
        share = Decimal(rng.randint(58, 94)) / 100
        for level, judged in ((Level.SELF, share + _KINDNESS), (Level.TOWN, share)):
            fill_in_sheet(
                session,
                staff=staff,
                cycle_id=cycle.id,
                organization_code=code,
                level=level,
                entries={"points": {leaf.code: _points(leaf, judged, rng) for leaf in leaves}},
                now=now,
            )
    for step in DONE:
        complete_step(session, staff=staff, cycle_id=cycle.id, step=step, now=now)


def _points(leaf: Indicator, share: Decimal, rng: random.Random) -> Decimal:
    """Return points around a share of the maximum, in halves."""
    most = Decimal(int(leaf.points or 0))
    wanted = most * (share + Decimal(rng.randint(-4, 4)) / 100)
    return min(most, (wanted * 2).to_integral_value() / 2)
