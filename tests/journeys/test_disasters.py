"""What was acknowledged is counted once, whatever dies in between."""

import secrets
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import islice

import psycopg
from sqlalchemy import make_url

from tests.journeys.county import County, eventually
from tests.support.installation import Answer, kill_tree

SUBMITS = 2_000
THREADS = 12
BEFORE_THE_CUT = IN_THE_DARK = 200
"""So many are acknowledged by both processes, and so many by the one that is left."""
POSTS_ACROSS_CLOSING = 200


def send_until_acknowledged(county: County, code: str, number: int) -> bool:
    """Behave like a phone: keep the secret, and send again until there is a receipt."""
    secret, ticket = secrets.token_urlsafe(24), None
    for attempt in range(100):
        try:
            ticket = ticket or county.open(code, web=number + attempt)
            answer = county.post(code, ticket, secret=secret, web=number + attempt)
        except (OSError, AssertionError):
            time.sleep(0.2)
            continue
        if answer.status in {200, 201}:
            return True
        assert answer.status in {429, 503}, answer.body
        time.sleep(0.2)
    return False


def test_killed_processes_lose_no_acknowledged_ballot_and_count_none_twice(large_county: County) -> None:
    county = large_county
    county.open_campaign()
    codes = county.issue(SUBMITS)
    web, _, worker = county.installation.processes
    with ThreadPoolExecutor(THREADS) as pool:
        sent = [pool.submit(send_until_acknowledged, county, code, n) for n, code in enumerate(codes)]
        acknowledgements = as_completed(sent)
        list(islice(acknowledgements, BEFORE_THE_CUT))
        kill_tree(worker)
        kill_tree(web)
        were_waiting = sum(not one.done() for one in sent)
        assert were_waiting > IN_THE_DARK, "the cut came too late to prove anything"
        list(islice(acknowledgements, SUBMITS - were_waiting - BEFORE_THE_CUT + IN_THE_DARK))
        # From this thread, since a server ends with the thread that has started it.
        county.installation.start_web(county.installation.ports[0])
        county.installation.start_worker()
        acknowledged = sum(one.result() for one in sent)
    assert acknowledged == SUBMITS
    eventually(county.returned, SUBMITS)
    check = county.installation.run("rebuild", "--check")
    assert check.returncode == 0, check.stderr


def test_every_ballot_acknowledged_across_a_closing_on_two_processes_is_counted(
    large_county: County,
) -> None:
    county = large_county
    county.open_campaign(grace_hours=0)
    codes = county.issue(POSTS_ACROSS_CLOSING)
    tickets = [county.open(code) for code in codes]

    def post(number: int) -> int:
        if number == POSTS_ACROSS_CLOSING // 2:
            county.staff("POST", f"/campaigns/{county.campaign_id}/close", web=1)
        return county.post(codes[number], tickets[number], web=number).status

    with ThreadPoolExecutor(THREADS) as pool:
        statuses = list(pool.map(post, range(POSTS_ACROSS_CLOSING)))
    assert set(statuses) == {201, 410}
    eventually(county.returned, statuses.count(201))


def test_without_redis_voting_goes_on_and_the_worker_counts(large_county: County) -> None:
    county = large_county
    county.open_campaign()
    county.installation.environment["REDIS_URL"] = "redis://127.0.0.1:1/0"
    county.installation.start_web()
    county.installation.start_worker()
    code = county.issue(1)[0]
    answer = county.post(code, county.open(code, web=2), web=2)
    assert answer.status == 201
    eventually(county.returned, 1)


def test_without_the_database_the_phone_is_asked_to_come_back(large_county: County) -> None:
    county = large_county
    county.open_campaign()
    code = county.issue(1)[0]
    ticket, secret = county.open(code), secrets.token_urlsafe(24)
    with database_away(county):
        refused: Answer = county.post(code, ticket, secret=secret)
        assert (refused.status, refused.body["code"]) == (503, "unavailable")
        assert int(refused.headers["Retry-After"]) > 0
    eventually(lambda: county.post(code, ticket, secret=secret).status in {200, 201}, True)


class database_away:
    """Nobody can connect to the database while the block runs."""

    def __init__(self, county: County) -> None:
        url = make_url(county.installation.environment["DATABASE_URL"])
        self._name = url.database
        place = f"host={url.query['host']} port={url.query['port']} user={url.username} dbname=postgres"
        self._connection = psycopg.connect(place, autocommit=True)

    def _allow(self, answer: str) -> None:
        self._connection.execute(f"ALTER DATABASE {self._name} ALLOW_CONNECTIONS {answer}".encode())

    def __enter__(self) -> None:
        self._allow("false")
        self._connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [self._name]
        )

    def __exit__(self, *_: object) -> None:
        self._allow("true")
        self._connection.close()
