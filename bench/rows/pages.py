"""Row 6: the voter's page against a plain template of the same size."""

from contextlib import ExitStack
from pathlib import Path
from urllib.request import urlopen

from bench.city import City
from bench.contest import Contestant, Samples, get_page, hold, ratios, tabulate
from bench.report import Section, Target, at_least
from bench.scale import Scale
from bench.servers import Databases, Installation, granian_yardstick, place_of, product

POSTED = "`GET /s/{code}`, a posted code"
HOUSEHOLD = "`GET /s/{code}`, a household code"
PLAIN = "plain Flask, the same questions"
FLAT = "plain Flask, a template without loops"
_WANTED = 0.8


def measure(databases: Databases, city: City, redis_url: str, folder: Path, scale: Scale) -> Section:
    """Measure both kinds of codes beside both plain pages, all on granian."""
    with ExitStack() as stack:
        url = databases.create("pages", like="city")
        ours = stack.enter_context(product(url, folder=folder / "ours", redis_url=f"{redis_url}/2"))
        posted, household = f"/s/{city.posted_code}", f"/s/{city.household_code}"
        size = _size(ours, posted)
        environment = {
            "YARDSTICK_DATABASE": place_of(url),
            "YARDSTICK_QUESTIONS": city.questions,
            "YARDSTICK_PAGE_BYTES": str(size),
        }
        plain = stack.enter_context(granian_yardstick(environment, folder=folder / "plain"))
        sizes = [_size(plain, "/page"), _size(plain, "/flat")]
        samples = hold(
            [
                Contestant(PLAIN, get_page(databases, plain, "/page")),
                Contestant(FLAT, get_page(databases, plain, "/flat")),
                Contestant(POSTED, get_page(databases, ours, posted)),
                Contestant(HOUSEHOLD, get_page(databases, ours, household)),
            ],
            rounds=scale.rounds,
            seconds=scale.seconds,
        )
    note = (
        f"Our page has {size:,} bytes, the plain ones {sizes[0]:,} and {sizes[1]:,}. The plain page renders "
        "the twelve questions in loops and reads no database; ours looks up the code and signs a ticket."
    )
    return Section(_targets(samples), [tabulate("The voter's page", samples)], [note])


def _size(installation: Installation, path: str) -> int:
    with urlopen(installation.url(path)) as answer:  # noqa: S310  Our own server on this machine.
        return len(answer.read())


def _targets(samples: Samples) -> list[Target]:
    return [
        *(at_least(name, _WANTED, ratios(samples, name, PLAIN), than=PLAIN) for name in (POSTED, HOUSEHOLD)),
        Target(
            "… posted, against a template without loops", "–", f"{ratios(samples, POSTED, FLAT).shown(2)} ×"
        ),
    ]
