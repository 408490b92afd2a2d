"""What operators and browsers ask for besides the product: health, readiness, metrics, built files."""

import hmac
from mimetypes import guess_type
from typing import Any

from flask import Blueprint, Response, current_app, render_template, request, send_from_directory
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text as sql
from sqlalchemy.exc import SQLAlchemyError

from survey_service.core.db import reading
from survey_service.core.errors import Forbidden, Unavailable
from survey_service.core.migrations import is_current
from survey_service.core.openapi import write_document
from survey_service.core.permissions import public
from survey_service.core.resources import resource

blp = Blueprint("service", __name__)

_YEAR = 365 * 24 * 3600


@blp.route("/healthz")
@public("load balancers ask whether the process is up")
def health() -> dict[str, str]:
    return {"status": "up"}


@blp.route("/readyz")
@public("load balancers ask whether requests can be served")
def readiness() -> dict[str, str]:
    """Answer 200 when the database is reachable and has every migration, else 503."""
    try:
        with reading() as session:
            session.execute(sql("SELECT 1"))
        is_ready = is_current(current_app.extensions["database"].engine)
    except SQLAlchemyError as error:
        raise Unavailable from error
    if not is_ready:
        raise Unavailable
    return {"status": "ready"}


@blp.route("/metrics")
@public("guarded by a token of its own; without one it answers only to this machine")
def metrics() -> Response:
    """Return the metrics for Prometheus."""
    token = current_app.extensions["settings"].metrics_token
    presented = request.headers.get("Authorization", "").removeprefix("Bearer ")
    is_local = request.remote_addr in {"127.0.0.1", "::1"} and "X-Forwarded-For" not in request.headers
    if not (hmac.compare_digest(presented, token) if token else is_local):
        raise Forbidden
    return Response(generate_latest(), content_type=CONTENT_TYPE_LATEST)


@blp.route("/api/v1/openapi.json")
@public("the contract is no secret")
def openapi() -> dict[str, Any]:
    """Return the OpenAPI document of all JSON routes."""
    return write_document(current_app)


@blp.route("/api/docs")
@public("the contract is no secret")
def api_viewer() -> str:
    """Show the OpenAPI document in a viewer that is served from here."""
    return render_template("api_docs.html")


@blp.route("/static/<path:name>", endpoint="static")
@public("styles and scripts of the pages")
def static_file(name: str) -> Response:
    """Serve a built file; its name changes with its content, so it may be kept for a year."""
    folder = resource("h5/static")
    is_packed = request.accept_encodings["gzip"] > 0 and (folder / f"{name}.gz").is_file()
    response = send_from_directory(folder, f"{name}.gz" if is_packed else name, max_age=_YEAR)
    if is_packed:
        response.content_encoding = "gzip"
        response.mimetype = guess_type(name)[0] or "application/octet-stream"
    response.vary.add("Accept-Encoding")
    response.cache_control.immutable = True
    return response
