"""What `deploy/` holds fits the program, and its scripts do what they say."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import click
import pytest
import yaml
from flask import Flask
from sqlalchemy import select
from werkzeug.serving import make_server

from scripts.system_packages import postgresql_binaries
from survey_service.cli import main
from survey_service.core.db import Database
from survey_service.core.jobs import RunHere
from survey_service.organizations.models import Organization
from tests.factories.applications import make_app
from tests.factories.campaigns import start_campaign
from tests.factories.organizations.tree import create_town
from tests.factories.staff.offices import PASSWORD
from tests.structure.test_docs import settings_of_the_program
from tests.support.postgresql import PostgresCluster
from tests.support.servers import free_port

REPOSITORY = Path(__file__).parents[2]
DEPLOY = REPOSITORY / "deploy"
OF_OTHERS = {"POSTGRES_PASSWORD", "PATH", "PYTHONUNBUFFERED"}
"""Variables in our files that others read."""
SOMETHING = "4815162342"
"""Stands in an address for whatever it names; no log may hold it."""

YAML_FILES = sorted(DEPLOY.rglob("*.yaml"))


def documents(path: Path) -> list[Any]:
    return list(yaml.safe_load_all(path.read_text("utf-8")))


def kubernetes(kind: str) -> Iterator[dict[str, Any]]:
    """Return all objects of a kind."""
    for path in (DEPLOY / "kubernetes").glob("*.yaml"):
        yield from (found for found in documents(path) if found["kind"] == kind)


def containers() -> Iterator[dict[str, Any]]:
    for kind in ("Deployment", "Job"):
        for found in kubernetes(kind):
            yield from found["spec"]["template"]["spec"]["containers"]


def composed() -> dict[str, Any]:
    services: dict[str, Any] = documents(DEPLOY / "compose.yaml")[0]["services"]
    return services


def container_lines(word: str) -> list[str]:
    """Return the arguments of one kind of instruction, each on one line."""
    text = (DEPLOY / "Containerfile").read_text("utf-8").replace("\\\n", " ")
    return [line.removeprefix(word).strip() for line in text.splitlines() if line.startswith(f"{word} ")]


def unit_lines(key: str) -> list[str]:
    texts = [path.read_text("utf-8") for path in (DEPLOY / "systemd").glob("*.service")]
    return [
        line.partition("=")[2] for text in texts for line in text.splitlines() if line.startswith(f"{key}=")
    ]


def test_every_setting_given_is_a_setting() -> None:
    example = (DEPLOY / "settings.env.example").read_text("utf-8")
    given = set(re.findall(r"^(\w+)=", example, re.MULTILINE))
    given |= {name for found in kubernetes("ConfigMap") for name in found["data"]}
    given |= {name for found in kubernetes("Secret") for name in found["stringData"]}
    given |= set(re.findall(r"(\w+)=", " ".join(container_lines("ENV") + unit_lines("Environment"))))
    assert given - OF_OTHERS - settings_of_the_program() == set()


def commands() -> Iterator[list[str]]:
    """Return every command of ours that a deployment runs."""
    yield from (found["args"] for found in containers())
    yield from (
        found["command"] for found in composed().values() if "env_file" in found and "command" in found
    )
    yield from (re.findall(r'"([^"]+)"', line) for line in container_lines("CMD"))
    yield from (line.split()[1:] for line in unit_lines("ExecStart") if "/bin/survey-service" in line)


def test_every_command_given_is_a_command() -> None:
    for words in commands():
        context = click.Context(main)
        name, command, rest = main.resolve_command(context, [str(word) for word in words])
        assert command is not None
        command.make_context(name, rest, parent=context)


def test_the_image_is_built_from_what_exists() -> None:
    sources = [word for line in container_lines("COPY") if "--from" not in line for word in line.split()[:-1]]
    assert [source for source in sources if not (REPOSITORY / source).exists()] == []


def test_the_image_gets_everything_that_the_wheel_holds() -> None:
    copied = {line.split()[-1].rstrip("/") for line in container_lines("COPY")}
    assert {"survey_service", "migrations", "h5/templates", "h5/scripts", "h5/styles"} <= copied


def test_images_name_no_host() -> None:
    images = [found["image"] for found in [*containers(), *composed().values()] if "image" in found]
    images += [line.split()[0] for line in container_lines("FROM")]
    assert [image for image in images if not re.fullmatch(r"[a-z-]+(:[\w.-]+)?", image)] == []


def test_the_web_deployment_is_watched_and_kept_up() -> None:
    web = next(found for found in kubernetes("Deployment") if found["metadata"]["name"] == "web")
    (container,) = web["spec"]["template"]["spec"]["containers"]
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
    (budget,) = kubernetes("PodDisruptionBudget")
    assert budget["spec"]["selector"]["matchLabels"] == web["spec"]["selector"]["matchLabels"]
    assert budget["spec"]["minAvailable"] < web["spec"]["replicas"]


def test_the_kustomization_lists_all_but_the_secret() -> None:
    folder = DEPLOY / "kubernetes"
    listed = documents(folder / "kustomization.yaml")[0]["resources"]
    there = {path.name for path in folder.glob("*.yaml")} - {"kustomization.yaml", "secret.example.yaml"}
    assert sorted(listed) == sorted(there)


def gateway_map(name: str) -> Callable[[str], str]:
    """Return a map of the gateway as a function; nginx tries exact words before patterns, in their order."""
    text = (DEPLOY / "gateway" / "nginx.conf").read_text("utf-8")
    block = re.search(rf"map \$\w+ \${name} \{{(.*?)\n    \}}", text, re.DOTALL)
    assert block is not None
    pairs = re.findall(r'^\s+(?:"([^"]+)"|(default))\s+"?([^";]+)"?;', block[1], re.MULTILINE)
    exact = {key or default: value for key, default, value in pairs if not key.startswith("~")}
    patterns = [(re.compile(key[1:]), value) for key, _, value in pairs if key.startswith("~")]

    def look_up(value: str) -> str:
        if value in exact:
            return str(exact[value])
        for pattern, result in patterns:
            if match := pattern.search(value):
                return str(match.expand(result.replace("$1", r"\1")))
        return str(exact["default"])

    return look_up


@pytest.fixture
def app(sqlite_database: Database, tmp_path: Path) -> Flask:
    return make_app(tmp_path, sqlite_database)


def addresses(app: Flask) -> list[str]:
    """Return an address of every route."""
    adapter = app.url_map.bind("localhost")
    rules = app.url_map.iter_rules()
    return [adapter.build(rule.endpoint, dict.fromkeys(rule.arguments, SOMETHING)) for rule in rules]


def test_the_gateway_logs_routes_and_never_what_an_address_names(app: Flask) -> None:
    route_of = gateway_map("route")
    logged = {address: route_of(address) for address in addresses(app) if address != "/metrics"}
    assert [route for route in logged.values() if SOMETHING in route] == []
    assert [address for address, route in logged.items() if route == "other"] == []


def test_the_gateway_logs_no_address_of_a_voter() -> None:
    address_of, route_of = gateway_map("staff_address"), gateway_map("route")
    code = "7K2M9QXW3T5NA"
    voters = [
        "/",
        f"/s/{code}",
        f"/s/{code}/others",
        "/r/X",
        f"/l/{code}",
        "/receipts",
        f"/api/v1/entrances/{code}",
        f"/{code}",
        "/b/1",
        "/wechat/callback",
        "/api/v1/campaigns/1/bulletin",
    ]
    voters += [f"/api/v1/entrances/{code}/ballots", f"/api/v1/receipts/{code}", f"/s/{code}/", f"/S/{code}"]
    assert {address_of(route_of(path)) for path in voters} == {"-"}
    assert [path for path in voters if code in route_of(path)] == []
    assert (
        address_of(route_of("/staff/campaigns/1"))
        == address_of(route_of("/api/v1/auth/token"))
        == "$remote_addr"
    )


def test_the_gateway_logs_nothing_else() -> None:
    """Whatever a line may hold is named here; a path, a header or a second would be one too many."""
    text = (DEPLOY / "gateway" / "nginx.conf").read_text("utf-8")
    formats = re.findall(r"^\s*log_format (\w+) '([^']*)';", text, re.MULTILINE)
    assert {name: set(re.findall(r"\$(\w+)", line)) for name, line in formats} == {
        "routes": {
            *("minute", "staff_address", "request_method", "route"),
            *("status", "body_bytes_sent", "request_time"),
        }
    }
    assert re.findall(r"^\s*access_log (.+);", text, re.MULTILINE) == ["/var/log/nginx/access.log routes"]
    assert re.findall(r"^\s*error_log (.+);", text, re.MULTILINE) == ["/var/log/nginx/error.log emerg"]


@pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed here")
def test_nginx_takes_the_gateway(tmp_path: Path) -> None:
    for path in (DEPLOY / "gateway").iterdir():
        text = path.read_text("utf-8").replace("/var/log/nginx", str(tmp_path))
        (tmp_path / path.name).write_text(text.replace("listen 80 ", f"listen 127.0.0.1:{free_port()} "))
    (tmp_path / "mime.types").write_text("types { text/html html; }")
    folder = str(tmp_path)
    command = ["nginx", "-t", "-p", folder, "-c", f"{folder}/nginx.conf", "-e", f"{folder}/start.log"]
    done = subprocess.run([*command, "-g", f"pid {folder}/pid;"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def run(script: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a script with nothing of our own environment but the way to programs."""
    folder = postgresql_binaries()
    assert folder is not None
    environment = {"PATH": f"{folder}:{os.environ['PATH']}"} | variables
    command = ["sh", str(DEPLOY / script), *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment)


def store_town(database: Database) -> None:
    with database.unit_of_work() as session:
        create_town(session, villages=0, name="汤溪镇")


def names_in(url: str) -> list[str]:
    database = Database(url)
    with database.reading() as session:
        names = list(session.scalars(select(Organization.name)))
    database.engine.dispose()
    return names


def test_a_copy_of_sqlite_is_made_while_it_is_open_and_restored(
    sqlite_database: Database, tmp_path: Path
) -> None:
    store_town(sqlite_database)
    (tmp_path / "copies").mkdir()
    done = run("backup.sh", str(tmp_path / "copies"), DATABASE_URL=sqlite_database.url)
    assert done.returncode == 0, done.stderr
    restored = f"sqlite:///{tmp_path}/elsewhere/survey.sqlite3"
    again = [run("restore.sh", done.stdout.strip(), DATABASE_URL=restored).returncode for _ in range(2)]
    # The second call finds a file, and overwrites nothing.
    assert again == [0, 1]
    assert "汤溪镇" in names_in(restored)


def test_a_copy_of_postgresql_is_restored(
    postgres: PostgresCluster, postgresql_url: str, tmp_path: Path
) -> None:
    database = Database(postgresql_url)
    store_town(database)
    database.engine.dispose()
    done = run("backup.sh", str(tmp_path), DATABASE_URL=postgresql_url)
    assert done.returncode == 0, done.stderr
    postgres.execute("CREATE DATABASE restored")
    try:
        url = postgres.url("restored")
        again = [run("restore.sh", done.stdout.strip(), DATABASE_URL=url).returncode for _ in range(2)]
        assert again == [0, 1]
        assert names_in(url).count("汤溪镇") == 1
    finally:
        postgres.execute("DROP DATABASE restored WITH (FORCE)")


def test_libpq_may_name_the_database(postgres: PostgresCluster, postgresql_url: str, tmp_path: Path) -> None:
    name = Database(postgresql_url).engine.url.database
    place = {"PGHOST": str(postgres.folder), "PGPORT": str(postgres.port), "PGUSER": "survey"}
    done = run("backup.sh", str(tmp_path), PGDATABASE=str(name), **place)
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).stat().st_mode & 0o077 == 0


def test_copies_older_than_fourteen_days_go(sqlite_database: Database, tmp_path: Path) -> None:
    days = {"survey-13.sqlite3": 13, "survey-15.dump": 15, "minutes-15.txt": 15}
    for name, age in days.items():
        path = tmp_path / name
        path.touch()
        moment = path.stat().st_mtime - age * 24 * 3600
        os.utime(path, (moment, moment))
    assert run("backup.sh", str(tmp_path), DATABASE_URL=sqlite_database.url).returncode == 0
    assert {path.name for path in tmp_path.iterdir()} & set(days) == {"survey-13.sqlite3", "minutes-15.txt"}


@pytest.mark.parametrize("script", ["backup.sh", "restore.sh"])
def test_no_password_gets_into_the_list_of_processes(script: str, tmp_path: Path) -> None:
    argument = tmp_path / "survey.dump"
    argument.touch()
    done = run(script, str(argument), DATABASE_URL="postgresql://survey:secret@127.0.0.1/survey")
    assert done.returncode == 1
    assert "PGPASSWORD" in done.stderr


@pytest.fixture
def site(app: Flask) -> Iterator[str]:
    """The address of the service, which counts what it gets."""
    dispatcher = app.extensions["dispatcher"]
    thread = dispatcher.start(sweep=RunHere(app))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    serving = Thread(target=server.serve_forever)
    serving.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    dispatcher.stop()
    serving.join()
    thread.join()


@pytest.mark.usefixtures("frozen_clock")
def test_the_smoke_test_passes_once_for_each_code(app: Flask, site: str) -> None:
    world = start_campaign(app)
    (issued,) = world.issue()
    username = world.staff.name.split()[0]
    command = [sys.executable, str(DEPLOY / "smoke.py"), "--url", site, "--username", username]
    command += ["--code", issued.code]
    first, second = (
        subprocess.run(command, input=PASSWORD, capture_output=True, text=True) for _ in range(2)
    )
    assert first.returncode == 0, first.stderr
    assert second.returncode == 1
    assert "already_submitted" in second.stderr
