"""The command line: `survey-service …`. Settings come from the environment (`docs/operations.md`)."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import click
from flask import Flask
from sqlalchemy.exc import OperationalError

from survey_service.app import create_app
from survey_service.auditing.queries import get_head
from survey_service.auditing.rules import FAULTS, BadEntry, Head, read_heads
from survey_service.auditing.service import check_chain, check_file
from survey_service.checking import check_everything
from survey_service.core import clock
from survey_service.core.db import reading, see_one_snapshot, unit_of_work
from survey_service.core.errors import ServiceError
from survey_service.core.import_files import InvalidRows, describe_bad_rows
from survey_service.core.logs import configure_logs
from survey_service.core.migrations import upgrade
from survey_service.core.privacy import Keyring
from survey_service.demonstration.command import demo
from survey_service.exporting import audit_lines, score_lines
from survey_service.organizations.service import import_organizations
from survey_service.ratings.documents import json_schema
from survey_service.ratings.grades import explain
from survey_service.ratings.jobs import refresh_draft
from survey_service.retention.jobs import current_schedule
from survey_service.retention.service import preview_schedule, run_schedule
from survey_service.rotation import rotate_keys
from survey_service.sealing.running import seal_campaign
from survey_service.serving import serve_application
from survey_service.staff.importing import import_accounts
from survey_service.staff.management import disable_account, reset_password
from survey_service.staff.queries import find_account
from survey_service.staff.rules import Role
from survey_service.staff.service import create_account
from survey_service.staff.slips import make_slips, render_slips
from survey_service.wechat.client import WeChatRefusal
from survey_service.wechat.sign_in import installed
from survey_service.worker import run_worker


class _Commands(click.Group):
    """All commands; where the database does not answer they say so in one line."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except OperationalError as error:
            reason = str(error.orig).partition("\n")[0]
            raise click.ClickException(f"The database does not answer: {reason}") from error


@click.group(cls=_Commands)
def main() -> None:
    """Mass evaluation for townships and counties: from a scan to a score."""
    configure_logs()


def _app() -> Flask:
    return create_app()


@contextmanager
def _explained() -> Iterator[None]:
    """Say in plain words why something was refused, and exit with 1."""
    try:
        yield
    except InvalidRows as error:
        click.echo(describe_bad_rows(error.errors), err=True)
        sys.exit(1)
    except ServiceError as error:
        click.echo(error.detail, err=True)
        for field, sentences in error.errors.items():
            click.echo(f"  {field}: {' '.join(sentences)}", err=True)
        sys.exit(1)


@main.command()
def migrate() -> None:
    """Bring the database up to date."""
    upgrade(_app().extensions["database"].engine)
    click.echo("The database is up to date.")


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True)
@click.option(
    "--workers", default=1, show_default=True, help="Web processes; more than one needs PostgreSQL."
)
def serve(host: str, port: int, workers: int) -> None:
    """Serve the configured database until stopped."""
    upgrade(_app().extensions["database"].engine)
    serve_application(host=host, port=port, workers=workers)


@main.command()
def worker() -> None:
    """Work through the queue until stopped."""
    run_worker(_app())


@main.command()
@click.option(
    "--check", is_flag=True, help="Also recount everything and exit with 1 at the first difference."
)
def rebuild(*, check: bool) -> None:
    """Count what is marked; with --check recount every tally and score from the ballots and compare."""
    with _app().app_context():
        differences = check_everything(is_thorough=check)
    for line in differences:
        click.echo(line, err=True)
    sys.exit(1 if differences else 0)


@main.command()
@click.argument("campaign_id", type=int)
def seal(*, campaign_id: int) -> None:
    """Seal a closed campaign for good; after an interruption, say it again."""
    with _app().app_context(), _explained():
        seal_campaign(campaign_id, staff=None)
    click.echo(f"Campaign {campaign_id} is sealed.")


@main.command()
@click.option("--dry-run", "is_dry_run", is_flag=True, help="Only count what is due.")
def retention(*, is_dry_run: bool) -> None:
    """Delete what the schedule says, as each day does by itself, and say how much of what and why."""
    with _app().app_context(), reading() if is_dry_run else unit_of_work() as session:
        act = preview_schedule if is_dry_run else run_schedule
        for line in act(session, schedule=current_schedule(), now=clock.now()):
            click.echo(line)


@main.command("check-wechat")
def check_wechat() -> None:
    """Ask WeChat and 企业微信 whether they are set up rightly; exits with 1 and says what is not."""
    with _app().app_context():
        sign_ins = installed()
    if not sign_ins:
        raise click.ClickException("WECHAT_APP_ID and WECHAT_APP_SECRET are not both set; nor is 企业微信.")
    for sign_in in sign_ins:
        try:
            sign_in.check()
        except WeChatRefusal as refusal:
            # The client has logged what WeChat said.
            raise click.ClickException(
                f"{sign_in.provider} refuses {sign_in.app_id} ({refusal.reaction})."
            ) from refusal
        click.echo(f"{sign_in.provider} knows {sign_in.app_id}. People come back to {sign_in.callback_url}.")


main.add_command(demo)


@main.group()
def staff() -> None:
    """Accounts of staff."""


@staff.command("create")
@click.option("--username", required=True)
@click.option("--role", type=click.Choice([str(role) for role in Role]), required=True)
@click.option("--organization", "organization_code", required=True, help="Code of the root of the scope.")
@click.option("--display-name", default="")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def create_staff(
    *, username: str, role: str, organization_code: str, display_name: str, password_stdin: bool
) -> None:
    """Create an account; prints a random password when none is given."""
    password = sys.stdin.readline().rstrip("\n") if password_stdin else None
    with _app().app_context(), _explained(), unit_of_work() as session:
        created = create_account(
            session,
            username=username,
            display_name=display_name or username,
            role=Role(role),
            organization_code=organization_code,
            password=password,
            now=clock.now(),
        )
    if created.password is not None and password is None:
        click.echo(created.password)


@staff.command("reset")
@click.option("--username", required=True)
def reset_staff(*, username: str) -> None:
    """Give an account a one-time password and print it; its sessions and its lockout end."""
    with _app().app_context(), _explained(), unit_of_work() as session:
        account = find_account(session, username=username)
        renewed = reset_password(session, staff_id=account.id, by=None, now=clock.now())
    click.echo(renewed.password)


@staff.command("disable")
@click.option("--username", required=True)
def disable_staff(*, username: str) -> None:
    """Shut an account; its sessions end at once."""
    with _app().app_context(), _explained(), unit_of_work() as session:
        account = find_account(session, username=username)
        disable_account(session, staff_id=account.id, by=None, now=clock.now())
    click.echo(f"{account.username} is disabled.")


@staff.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--slips",
    "slips_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the slips as PDF to this new file, and print no password.",
)
def import_staff(*, file: Path, slips_file: Path | None) -> None:
    """Create the accounts of a CSV or XLSX file, all or nothing; prints user names and passwords."""
    app = _app()
    with app.app_context(), _explained(), unit_of_work() as session:
        made = import_accounts(
            session, content=file.read_bytes(), filename=file.name, by=None, now=clock.now()
        )
        slips = make_slips(session, made=made)
        if slips_file is not None:
            # Before the commit: without paper there are no accounts.
            _write_new(slips_file, render_slips(slips, public_url=app.extensions["settings"].public_url))
    if slips_file is None:
        for slip in slips:
            click.echo(f"{slip.username}\t{slip.password}\t{slip.name}\t{slip.organization}")
    click.echo(f"created {len(made)}", err=slips_file is None)


def _write_new(path: Path, content: bytes) -> None:
    """Write a file that nobody else may read; what stands there already is left alone."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise click.ClickException(f"Cannot write {path} ({error.strerror}).") from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


@main.group()
def keys() -> None:
    """The keys of the installation."""


@keys.command()
@click.option(
    "--force", is_flag=True, help="Also while campaigns are not sealed: their printed codes stop working."
)
def rotate(*, force: bool) -> None:
    """Wrap every stored key by MASTER_KEY that MASTER_KEY_PREVIOUS opens; interrupted, say it again."""
    app = _app()
    settings = app.extensions["settings"]
    if not settings.master_key_previous:
        raise click.ClickException("MASTER_KEY_PREVIOUS has to be the master key before the present one.")
    earlier = Keyring(secret_key=settings.secret_key, master_key=settings.master_key_previous)
    with app.app_context(), _explained():
        done = rotate_keys(earlier=earlier, present=app.extensions["keyring"], is_forced=force)
    for one in done:
        click.echo(f"{one.table}: {one.changed} wrapped anew, {one.kept} were already")


@main.group()
def organizations() -> None:
    """The tree of organizations."""


@organizations.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def import_file(file: Path) -> None:
    """Import organizations from a CSV or XLSX file, all or nothing."""
    with _app().app_context(), _explained(), unit_of_work() as session:
        result = import_organizations(
            session, content=file.read_bytes(), filename=file.name, within_path=None
        )
    click.echo(f"created {result.created}, updated {result.updated}")


@main.group()
def audit() -> None:
    """The audit trail: who did what."""


@audit.command("head")
def show_head() -> None:
    """Print number and digest of the last entry: kept elsewhere, they show later what was rewritten."""
    with _app().app_context(), reading() as session:
        click.echo(get_head(session))


@audit.command()
@click.option(
    "--head",
    "heads_file",
    type=click.File(),
    help="A file of heads, one a line, as `audit head` printed them: the chain must still have them all.",
)
@click.option("--file", "trail", type=click.File(), help="Check what `export audit` wrote, not the database.")
def verify(*, heads_file: TextIO | None, trail: TextIO | None) -> None:
    """Check the whole chain; exits with 1 naming the first entry that is not what it was."""
    known_heads = _read_heads(heads_file) if heads_file else []
    found = check_file(trail, known_heads=known_heads) if trail else _check_stored(known_heads)
    if not isinstance(found, Head):
        click.echo(f"entry {found.seq}: {FAULTS[found.fault]}", err=True)
        sys.exit(1)
    click.echo(f"The audit trail is whole. Its head: {found}")


def _check_stored(known_heads: list[Head]) -> BadEntry | Head:
    with _app().app_context(), reading() as session:
        see_one_snapshot(session)
        return check_chain(session, known_heads=known_heads)


def _read_heads(file: TextIO) -> list[Head]:
    try:
        return read_heads(file.read())
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--head") from error


@main.group()
def export() -> None:
    """Stream what other programs read to standard output."""


@export.command("scores")
@click.argument("campaign_id", type=int)
def export_scores(*, campaign_id: int) -> None:
    """Print the score table of a campaign as CSV, one row a subject, as far as it is released."""
    with _app().app_context(), _explained(), unit_of_work() as session:
        for line in score_lines(session, campaign_id=campaign_id, now=clock.now()):
            click.echo(line, nl=False)


@export.command("audit")
def export_audit() -> None:
    """Print the audit trail as JSON, an entry a line; `audit verify --file` checks it anywhere."""
    with _app().app_context(), reading() as session:
        see_one_snapshot(session)
        for line in audit_lines(session):
            click.echo(line, nl=False)


@main.group()
def ratings() -> None:
    """Ratings: why a grade is what it is."""


@ratings.command("explain")
@click.argument("cycle_id", type=int)
@click.argument("organization_code")
def explain_grade(*, cycle_id: int, organization_code: str) -> None:
    """Work out a grade anew and print its trace; exits with 1 where it is not what is stored."""
    with _app().app_context(), _explained(), reading() as session:
        see_one_snapshot(session)
        found = explain(session, cycle_id=cycle_id, organization_code=organization_code)
    click.echo(found.trace)
    differences = found.differences()
    for line in differences:
        click.echo(line, err=True)
    sys.exit(1 if differences else 0)


@ratings.command("refresh")
@click.argument("cycle_id", type=int)
def refresh_grades(*, cycle_id: int) -> None:
    """Work out and store the grades of a cycle whose inputs have changed."""
    with _app().app_context():
        refresh_draft(cycle_id)


@ratings.command("schema")
def print_schema() -> None:
    """Print the JSON Schema of a scheme's file."""
    click.echo(json.dumps(json_schema(), ensure_ascii=False, indent=2, sort_keys=True))
