"""The application for tests, on a database that the test hands in."""

from collections.abc import Callable
from pathlib import Path

from flask import Flask
from werkzeug.routing import Rule

from survey_service.app import create_app
from survey_service.core.config import Settings
from survey_service.core.db import Database
from survey_service.entrances.posted import PostedEntrances

_compile_address = Rule._compile_builder
_addresses: dict[tuple[object, ...], Callable[..., tuple[str, str]]] = {}


def _compile_address_once(rule: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
    """Let the thousand applications of a test run share what Werkzeug compiles out of the same address."""
    key = (rule.rule, tuple(rule._trace), repr(rule.defaults), append_unknown)
    if key not in _addresses:
        _addresses[key] = _compile_address(rule, append_unknown)
    return _addresses[key]


# Half of the time of an application.
setattr(Rule, "_compile_builder", _compile_address_once)  # noqa: B010  The types know no such change.


def make_settings(data_dir: Path, **changes: object) -> Settings:
    """Return the settings of a small installation."""
    values: dict[str, object] = {
        "database_url": "sqlite://",
        "redis_url": None,
        "secret_key": "secret",
        "master_key": "master",
        "public_url": "http://survey.example",
        "trusted_proxy_hops": 0,
        "data_dir": data_dir,
        "wechat_app_id": None,
        "metrics_token": None,
    }
    return Settings(**values | changes)  # type: ignore[arg-type]  # Each name has the type of its setting.


def make_app(data_dir: Path, database: Database, **changes: object) -> Flask:
    """Return an application whose jobs run when the test drains them."""
    app = create_app(make_settings(data_dir, **changes), database=database)
    # What a test changes must show at once; that it shows within a second otherwise has a test of its own.
    app.extensions["posted_entrances"] = PostedEntrances(seconds=0)
    return app
