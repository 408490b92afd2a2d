"""A county office whose voters come one after another while an attacker looks on, until it is sealed."""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from shutil import which

from redis import Redis

from survey_service.core.privacy import Keyring
from tests.journeys.attacker import loot
from tests.journeys.attacker.loot import Loot, Sorter
from tests.journeys.attacker.voters import Voter, compute_digests, gather, go_to_vote
from tests.journeys.county import County, eventually
from tests.support.installation import Installation, installation
from tests.support.postgresql import PostgresCluster
from tests.support.servers import free_port, is_listening, running, stop

GATEWAY = Path(__file__).parents[3] / "deploy" / "gateway"
KEY = "secret"
"""What `installation` gives as SECRET_KEY; without MASTER_KEY it is both."""
WITHOUT_WORKER = 60
"""So many vote before the first rebuild, where rebuilds are the work of another process …"""
NEVER_REBUILT = 100
"""… and so many come last, when no worker runs any more, and are sealed as they came."""
IN_ONE_LOG = 40
"""So many vote while SQLite's log does not begin anew: it does with every hundred and sixtieth or so."""


@dataclass
class Office:
    """Everything that could be carried away, by the moment at which it was."""

    campaign_id: int
    voters: list[Voter]
    sort: Sorter
    keyring: Keyring
    found: dict[str, Loot] = field(default_factory=dict)
    logs: dict[str, bytes] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)


def _move_in(made: Installation) -> County:
    county = County(made)
    county.move_in()
    made.start_web()
    county.sign_in()
    return county


@contextmanager
def _gateway(folder: Path, port: int) -> Iterator[int]:
    """Put the gateway that we ship before a web process, where nginx is installed; give its port."""
    if which("nginx") is None:
        yield port
        return
    folder.mkdir()
    own = free_port()
    for path in GATEWAY.iterdir():
        content = path.read_text("utf-8").replace("/var/log/nginx", str(folder))
        content = content.replace("listen 80 ", f"listen 127.0.0.1:{own} ").replace(":8000", f":{port}")
        (folder / path.name).write_text(content, "utf-8")
    (folder / "mime.types").write_text("types { text/html html; }")
    command = ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "start.log")]
    command += ["-g", f"daemon off; pid {folder}/pid;"]
    with running(command, folder=folder, is_ready=lambda: is_listening(own)):
        yield own


@contextmanager
def _watched(redis_url: str, file: Path) -> Iterator[None]:
    """Write down every word that Redis hears."""
    port = redis_url.rpartition(":")[2].partition("/")[0]
    with file.open("wb") as output:
        process = subprocess.Popen(["redis-cli", "-p", port, "MONITOR"], stdout=output)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def _invite(county: County) -> Office:
    voters = gather(county)
    return Office(county.campaign_id, voters, Sorter(voters), Keyring(secret_key=KEY, master_key=KEY))


def _know_everybody(office: Office, county: County) -> None:
    """Let the attacker learn the digest of every voter who has come; the keys open that until sealing."""
    compute_digests([voter for voter in office.voters if voter.receipt], county, office.keyring)
    office.sort = Sorter([voter for voter in office.voters if voter.receipt])


def _seal(county: County) -> None:
    for act in ("close", "seal"):
        county.staff("POST", f"/campaigns/{county.campaign_id}/{act}")


def _read_logs(office: Office, folder: Path) -> None:
    for path in sorted(folder.rglob("*.log")):
        office.logs[str(path.relative_to(folder))] = path.read_bytes()


def play_large(folder: Path, cluster: PostgresCluster, url: str, redis_url: str) -> Office:
    """Play it on PostgreSQL and Redis with a worker, behind the gateway."""
    with ExitStack() as stack:
        made = stack.enter_context(installation(folder, database_url=url, redis_url=redis_url))
        made.environment["TRUSTED_PROXY_HOPS"] = "1"
        county = _move_in(made)
        office = _invite(county)
        port = stack.enter_context(_gateway(folder / "gateway", made.ports[0]))
        stack.enter_context(_watched(redis_url, folder / "redis.log"))
        go_to_vote(office.voters[:WITHOUT_WORKER], port)
        _know_everybody(office, county)
        office.found["fresh"] = loot.system_columns(url, office.sort)
        worker = made.start_worker()
        go_to_vote(office.voters[WITHOUT_WORKER:-NEVER_REBUILT], port)
        eventually(county.returned, len(office.voters) - NEVER_REBUILT)
        # One that came while the others were counted is counted, and written anew the next time.
        eventually(lambda: loot.query(url, "SELECT count(*) FROM dirty_mark"), [(0,)])
        _know_everybody(office, county)
        _look_while_open(office, url)
        stop(worker)
        go_to_vote(office.voters[-NEVER_REBUILT:], port)
        _know_everybody(office, county)
        office.found["last look"] = loot.system_columns(url, office.sort)
        # This, too, autovacuum does within minutes.
        loot.command(url, "ANALYZE")
        with Redis.from_url(redis_url) as client:
            kept = [key + (client.dump(key) or b"") for key in client.scan_iter()]
        office.logs["redis keys"] = b"\n".join(kept)
        _seal(county)
        office.found["sealed"] = loot.system_columns(url, office.sort)
        office.found["sealed pages"] = loot.dead_and_living(url, office.sort)
        office.found["sealed dump"] = loot.dump(url, office.sort)
        office.files["sealed"] = loot.database_files(url, cluster)
        _read_logs(office, folder)
        office.logs["postgresql"] = (cluster.folder / "server.log").read_bytes()
    return office


def _look_while_open(office: Office, url: str) -> None:
    # What autovacuum does within minutes; here nobody waits for it.
    office.found["not cleared"] = loot.dead_and_living(url, office.sort)
    loot.command(url, "VACUUM ballot, ballot_text, dirty_mark")
    office.found["open"] = loot.system_columns(url, office.sort)
    office.found["open pages"] = loot.dead_and_living(url, office.sort)
    office.found["open dump"] = loot.dump(url, office.sort)


def play_small(folder: Path) -> Office:
    """Play it on SQLite in one process."""
    with ExitStack() as stack:
        made = stack.enter_context(installation(folder))
        made.environment["DATABASE_URL"] = f"sqlite:///{folder / 'survey.sqlite3'}"
        made.environment["TRUSTED_PROXY_HOPS"] = "1"
        county = _move_in(made)
        office = _invite(county)
        port = stack.enter_context(_gateway(folder / "gateway", made.ports[0]))
        go_to_vote(office.voters[:-IN_ONE_LOG], port)
        loot.begin_log(folder)
        go_to_vote(office.voters[-IN_ONE_LOG:], port)
        eventually(county.returned, len(office.voters))
        _know_everybody(office, county)
        office.found["last look"] = loot.sqlite_log(folder, office.sort)
        office.files["open"] = b"".join(loot.sqlite_files(folder).values())
        _seal(county)
        office.found["sealed"] = loot.sqlite_rows(folder, office.sort)
        office.found["sealed log"] = loot.sqlite_log(folder, office.sort)
        office.files["sealed"] = b"".join(loot.sqlite_files(folder).values())
        _read_logs(office, folder)
    return office
