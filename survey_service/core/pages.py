"""Templates and the built front-end files."""

import json
from collections.abc import Callable
from typing import Any

from flask import Flask, render_template, request
from jinja2 import FileSystemLoader, StrictUndefined

from survey_service.core.errors import ServiceError
from survey_service.core.resources import resource
from survey_service.core.texts import text


def _load_manifest() -> dict[str, str]:
    manifest = resource("h5/static") / "manifest.json"
    if not manifest.exists():
        return {}
    names: dict[str, str] = json.loads(manifest.read_text("utf-8"))
    return names


def install_templates(app: Flask, *, error_page: Callable[[ServiceError], str]) -> None:
    """Give templates the catalogue (`t`) and the addresses of built files (`static`)."""
    manifest = _load_manifest()
    app.jinja_loader = FileSystemLoader(resource("h5/templates"))
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals |= {"t": text, "static": lambda name: f"/static/{manifest.get(name, name)}"}
    app.extensions["error_page"] = error_page


def render_error(message: Any) -> str:
    """Render a refusal as a page; staff pages get their own frame."""
    frame = "staff" if request.path.startswith("/staff") else "voter"
    return render_template(f"{frame}/message.html", message=message)
