"""What the audit trail adds to an act of staff: the same act with and without its entry, in turn."""

import time

from bench.city import CITY_CODE, application
from bench.report import Section, Spread, at_most
from bench.scale import Scale
from bench.servers import Databases
from survey_service.core.audit import record
from survey_service.core.db import unit_of_work
from survey_service.organizations.queries import get_organization

_NAME = "audited"
_MOST_MILLISECONDS = 2
_ACTS_PER_REPEAT = 100


def measure(databases: Databases, scale: Scale) -> Section:
    """Change one organization again and again, once with an entry and once without."""
    app = application(databases.create(_NAME, like="city"))
    with app.app_context():
        pairs = [
            (_act(2 * n, is_told=True), _act(2 * n + 1, is_told=False))
            for n in range(scale.repeats * _ACTS_PER_REPEAT)
        ]
    app.extensions["database"].engine.dispose()
    told, silent = (Spread.of(one[side] for one in pairs) for side in (0, 1))
    added = Spread.of([told.median - silent.median])
    what = f"what the audit trail adds to an act of staff (which takes {silent.median:.1f} ms)"
    return Section([at_most(what, _MOST_MILLISECONDS, added, unit="ms", places=1)], [])


def _act(number: int, *, is_told: bool) -> float:
    """Return how many milliseconds one change takes, its commit included."""
    started = time.perf_counter()
    with unit_of_work() as session:
        city = get_organization(session, code=CITY_CODE)
        before, city.households = city.households, number
        if is_told:
            facts = {"before": {"households": before}, "after": {"households": number}}
            record(session, "organizations.update", CITY_CODE, **facts)
    return 1e3 * (time.perf_counter() - started)
