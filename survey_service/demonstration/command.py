"""`survey-service demo`: the whole service on a real town, ready to be scanned by a phone nearby."""

import os
import socket
from urllib.parse import urlsplit

import click
from qrcode.main import QRCode

from survey_service.app import create_app
from survey_service.campaigns.rules import OpenRequires
from survey_service.core import clock
from survey_service.core.config import default_data_dir
from survey_service.core.migrations import upgrade
from survey_service.demonstration.fake_wechat import APP_ID, APP_SECRET, CORP_ID, CORP_SECRET, play_wechat
from survey_service.demonstration.loading import Demonstration, load_demonstration
from survey_service.demonstration.systems import load_systems
from survey_service.serving import serve_application

_NOWHERE = ("192.0.2.1", 9)
"""An address of the documentation range: asking for the way to it sends nothing."""


def address_in_network() -> str:
    """Return this machine's address in its own network, or the loopback address without one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_NOWHERE)
        except OSError:
            return "127.0.0.1"
        address: str = probe.getsockname()[0]
        return address


@click.command()
@click.option("--port", default=8000, show_default=True)
@click.option("--host", default="0.0.0.0", show_default=True)  # noqa: S104  A phone must be able to reach it.
@click.option("--load-only", is_flag=True, help="Load and print, but do not serve.")
@click.option(
    "--fake-wechat",
    "has_fake_wechat",
    is_flag=True,
    help="Count WeChat accounts; the next port plays WeChat.",
)
@click.option(
    "--ratings",
    "has_systems",
    is_flag=True,
    help="Also run the five published rating systems on their real places; takes some minutes.",
)
def demo(*, port: int, host: str, load_only: bool, has_fake_wechat: bool, has_systems: bool) -> None:
    """Load a demonstration on a real town and serve it until stopped."""
    _prepare_environment(host, port, "demonstration-wechat" if has_fake_wechat else "demonstration")
    if has_fake_wechat:
        _take_fake_for_wechat(port + 1)
    app = create_app()
    upgrade(app.extensions["database"].engine)
    with app.app_context():
        open_requires = OpenRequires.WECHAT if has_fake_wechat else OpenRequires.DEVICE
        loaded = load_demonstration(now=clock.now(), open_requires=open_requires)
        if has_systems:
            _load_systems()
            # Once more, for the passwords of the accounts that have come with the places.
            loaded = load_demonstration(now=clock.now(), open_requires=open_requires)
    app.extensions["database"].engine.dispose()
    _print(loaded, os.environ["PUBLIC_URL"])
    if load_only:
        return
    if has_fake_wechat:
        play_wechat(host, port + 1)
    serve_application(host=host, port=port)


def _load_systems() -> None:
    for line in load_systems(now=clock.now()):
        click.echo(f"  {line}")


def _take_fake_for_wechat(port: int) -> None:
    """Let the service go to the fake WeChat, whatever account the environment names."""
    host = urlsplit(os.environ["PUBLIC_URL"]).hostname
    os.environ |= {
        "WECHAT_APP_ID": APP_ID,
        "WECHAT_APP_SECRET": APP_SECRET,
        "WECHAT_OPEN_BASE": f"http://{host}:{port}",
        "WECHAT_API_BASE": f"http://127.0.0.1:{port}",
        "WECOM_CORP_ID": CORP_ID,
        "WECOM_SECRET": CORP_SECRET,
        "WECOM_API_BASE": f"http://127.0.0.1:{port}",
    }


def _prepare_environment(host: str, port: int, name: str) -> None:
    """Choose what the operator left open: a database file of its own, and an address that a phone reaches."""
    data_dir = default_data_dir() if "DATA_DIR" not in os.environ else None
    folder = data_dir or os.environ["DATA_DIR"]
    os.makedirs(folder, mode=0o700, exist_ok=True)
    os.environ.setdefault("DATABASE_URL", f"sqlite:///{folder}/{name}.sqlite3")
    reachable = address_in_network() if host in {"0.0.0.0", "::"} else host  # noqa: S104  Compared, not bound.
    os.environ.setdefault("PUBLIC_URL", f"http://{reachable}:{port}")


def _print(loaded: Demonstration, public_url: str) -> None:
    click.echo("")
    click.echo(click.style(f"  {loaded.campaign_title}", bold=True))
    for warning in loaded.warnings:
        click.echo(click.style(f"  ! {warning}", fg="yellow"))
    click.echo(f"\n  staff pages   {public_url}/staff")
    click.echo(f"  API document  {public_url}/api/docs\n")
    click.echo("  user name    password          role              name")
    for account in loaded.accounts:
        click.echo(f"  {account.username:<12} {account.password:<17} {account.role:<17} {account.name}")
    village, code = loaded.posted[-1]
    click.echo(f"\n  Scan to vote in {village} (roster sizes and ballots are generated):")
    click.echo(f"  {public_url}/s/{code}\n")
    _print_qr(f"{public_url}/s/{code}")


def _print_qr(url: str) -> None:
    code = QRCode(border=2)
    code.add_data(url)
    code.print_ascii(invert=True)
