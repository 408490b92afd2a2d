"""What every answer has in common: problem details, security headers, body limits, client addresses."""

import logging
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from ipaddress import IPv4Address, ip_address
from threading import Lock
from time import monotonic
from typing import Any, TypeVar

from apispec import APISpec
from flask import Flask, Request, Response, current_app, g, json, render_template, request
from flask_smorest import Api as SmorestApi
from flask_smorest import Blueprint as SmorestBlueprint
from psycopg.errors import ForeignKeyViolation, UniqueViolation
from sqlalchemy.exc import DataError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm.exc import StaleDataError
from webargs import missing
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import ClientDisconnected, HTTPException, MethodNotAllowed
from werkzeug.routing import IntegerConverter, Map
from werkzeug.wsgi import get_input_stream

from survey_service.core import audit
from survey_service.core.db import MAX_ID
from survey_service.core.digests import keyed_digest
from survey_service.core.errors import (
    BadRequest,
    Conflict,
    Invalid,
    NotFound,
    ServiceError,
    SlowDown,
    TooLarge,
    Unavailable,
)
from survey_service.core.logs import log_failure
from survey_service.core.marshalling import Schema, fields
from survey_service.core.permissions import attribute_of
from survey_service.core.privacy import new_key
from survey_service.core.strict_json import read_json
from survey_service.core.texts import has_text

MAX_BODY_BYTES = 256 * 1024
"""A ballot of fifty items with long texts stays far below this."""

MULTIPART_BYTES = 64 * 1024
"""What the form around an uploaded file may add to it."""

UNREAD_BYTES, UNREAD_SECONDS = 64 * 1024 * 1024, 10
"""How much of a refused body is taken in, and for how long at the most, so that its sender hears why."""

_UPLOAD_ATTRIBUTE = "max_upload_bytes"
_PROCESS_KEY = new_key()

View = TypeVar("View", bound=Callable[..., Any])

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "media-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

log = logging.getLogger(__name__)


class Api(SmorestApi):  # type: ignore[misc]  # flask-smorest ships no types.
    """flask-smorest without error answers of its own: all refusals leave in one shape."""

    def __init__(self, app: Flask) -> None:
        super().__init__(app)
        self._undocumented: list[SmorestBlueprint] = []
        self._lock = Lock()

    def register_blueprint(self, blueprint: SmorestBlueprint, *, url_prefix: str) -> None:
        """Add the routes. Documenting them takes longer than all the rest: it waits until somebody asks."""
        self._app.register_blueprint(blueprint, url_prefix=url_prefix)
        self._undocumented.append(blueprint)

    def document(self) -> APISpec:
        """Return the description of every route and schema."""
        with self._lock:
            for blueprint in self._undocumented:
                name = blueprint.name
                blueprint.register_views_in_doc(self, self._app, self.spec, name=name, parameters=None)
                self.spec.tag({"name": name, "description": blueprint.description})
            self._undocumented.clear()
        spec: APISpec = self.spec
        return spec

    def _register_error_handlers(self) -> None:
        """Leave the handlers to `install`."""


class Problem(Schema):
    """RFC 9457 problem details."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    code = fields.String(required=True)
    detail = fields.String(required=True)
    errors = fields.Dict(keys=fields.String(), values=fields.List(fields.String()))


class StrictParser(FlaskParser):
    """Reads the JSON bodies of all views but the ballot's, which reads its own."""

    def _raw_load_json(self, req: Request) -> Any:
        if req.mimetype != "application/json" or not (body := req.get_data(cache=True)):
            return missing
        return read_json(body)


class Blueprint(SmorestBlueprint):  # type: ignore[misc]  # flask-smorest ships no types.
    """A flask-smorest blueprint that reads JSON strictly and documents its problems in one line."""

    ARGUMENTS_PARSER = StrictParser()

    def problems(self, *statuses: int) -> Any:
        """Document the problem answers of a view."""
        return self.doc(responses={str(status): document_problem(HTTPStatus(status)) for status in statuses})


def document_problem(status: HTTPStatus) -> dict[str, Any]:
    """Return the OpenAPI description of a refusal."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": status.phrase, "content": {"application/problem+json": {"schema": schema}}}


def problem_response(error: ServiceError) -> Response:
    """Write a refusal as problem details."""
    response = Response(
        json.dumps(error.problem()), status=int(error.status), content_type="application/problem+json"
    )
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def wants_page() -> bool:
    """Tell whether a person's browser is asking: everything outside the API is a page."""
    return not request.path.startswith("/api/")


def error_response(error: ServiceError) -> Response:
    """Answer a refusal in the shape that the asker understands."""
    audit.record_refusal(code=error.code, status=int(error.status))
    if not wants_page():
        return problem_response(error)
    page = current_app.extensions["error_page"](error)
    response = current_app.make_response((page, int(error.status)))
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def _answer(error: Exception) -> Response:
    response = error_response(_translate(error))
    if isinstance(error, MethodNotAllowed):
        response.allow.update(error.valid_methods or ())
    return response


def _translate(error: Exception) -> ServiceError:
    """Turn what libraries raise into our own tree."""
    if isinstance(error, ServiceError):
        return error
    if isinstance(error, OperationalError | PoolTimeoutError) or (
        isinstance(error, DBAPIError) and error.connection_invalidated
    ):
        log.error("database unavailable: %s", type(error).__name__)
        return Unavailable()
    if _is_overtaken(error):
        log.warning("overtaken at %s", request.url_rule)
        # A phone sends again what may come again, and gives up what conflicts.
        return Conflict() if "staff" in g else Unavailable()
    if isinstance(error, HTTPException) and error.code is not None:
        return _from_http(error)
    if isinstance(error, DataError):
        # PostgreSQL stores no zero bytes: no code, no name and no address of ours holds one.
        return BadRequest()
    log_failure(log, f"unexpected error at {request.url_rule}", error)
    return ServiceError()


def _is_overtaken(error: Exception) -> bool:
    """Tell whether somebody made, or took away, the same thing after it was looked for here.

    The writers of SQLite take turns: there it would be a fault of ours.
    """
    is_key = isinstance(error, DBAPIError) and isinstance(error.orig, UniqueViolation | ForeignKeyViolation)
    return is_key or isinstance(error, StaleDataError)


def _from_http(error: HTTPException) -> ServiceError:
    kinds: dict[int, type[ServiceError]] = {
        400: BadRequest,
        404: NotFound,
        413: TooLarge,
        422: Invalid,
        429: SlowDown,
    }
    status = HTTPStatus(error.code or 500)
    data = getattr(error, "data", None) or {}
    name = f"http_{status.value}"
    translated = kinds.get(status, ServiceError)(
        # A status without a sentence of its own gets the general one: an error page must never fail itself.
        name if status not in kinds and has_text(f"errors.{name}") else None,
        errors=flat_messages(data.get("messages", {})),
    )
    translated.status = status
    return translated


def flat_messages(messages: Any, prefix: str = "") -> dict[str, list[str]]:
    """Flatten marshmallow's nested messages to `{"formula.min_class": [...]}`."""
    if isinstance(messages, list):
        return {prefix.rstrip(".") or "_": [str(message) for message in messages]}
    if not isinstance(messages, dict):
        return {prefix.rstrip(".") or "_": [str(messages)]}
    flat: dict[str, list[str]] = {}
    for name, inner in messages.items():
        # webargs puts the place of the argument (json, query, files) around the fields.
        head = prefix if not prefix and name in {"json", "query", "files", "headers"} else f"{prefix}{name}."
        flat |= flat_messages(inner, head)
    return flat


def client_address() -> str:
    """Return the caller's address behind the configured number of trusted proxies.

    It serves an address backstop only and is never stored (`domain.md` section 7).
    """
    hops: int = current_app.extensions["settings"].trusted_proxy_hops
    forwarded = request.headers.get("X-Forwarded-For", "").split(",") if hops else []
    return forwarded[-hops].strip() if len(forwarded) >= hops > 0 else (request.remote_addr or "")


def client_network() -> bytes | str:
    """Return the caller's network for limits: an IPv4 address, or the first 64 bits of an IPv6 address."""
    address = client_address()
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv4Address):
        return parsed.packed
    return parsed.ipv4_mapped.packed if parsed.ipv4_mapped else parsed.packed[:8]


def network_key() -> bytes:
    """Return a key for the caller's network that is good for this process only."""
    return keyed_digest(_PROCESS_KEY, client_network())


def public_url() -> str:
    """Return the address under which people reach the service."""
    url: str = current_app.extensions["settings"].public_url
    return url


def set_cookie(response: Response, name: str, value: str, *, max_age: int, path: str = "/") -> None:
    """Set a cookie that scripts cannot read; Secure only where the service is reached by https."""
    response.set_cookie(
        name,
        value,
        max_age=max_age,
        path=path,
        httponly=True,
        samesite="Lax",
        secure=current_app.extensions["settings"].is_https,
    )


def _add_headers(response: Response) -> Response:
    headers = response.headers
    headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "no-referrer")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    if request.endpoint != "service.static":
        headers.setdefault("Cache-Control", "no-store")
    if current_app.extensions["settings"].is_https:
        headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    return response


def _take_in_refused(response: Response) -> Response:
    """Read what a refused request still sends: who writes into a closed connection never sees the answer."""
    is_refused = response.status_code >= HTTPStatus.BAD_REQUEST
    if is_refused and 0 < (request.content_length or 0) <= UNREAD_BYTES:
        end = monotonic() + UNREAD_SECONDS
        # A body that was begun is gone on with; asking an untouched one for its stream would refuse it anew.
        body = vars(request).get("stream") or get_input_stream(request.environ)
        with suppress(ClientDisconnected):
            while body.read(MULTIPART_BYTES) and monotonic() < end:
                pass
    return response


def accepts_upload(max_bytes: int) -> Callable[[View], View]:
    """Let one view take a file of up to `max_bytes`; every other body keeps to the general limit."""

    def mark(view: View) -> View:
        setattr(view, _UPLOAD_ATTRIBUTE, max_bytes + MULTIPART_BYTES)
        return view

    return mark


def _raise_body_limit() -> None:
    """Raise the limit before anybody reads the body, the check of a form's token included."""
    view = current_app.view_functions.get(request.endpoint or "")
    limit = None if view is None else attribute_of(view, _UPLOAD_ATTRIBUTE)
    if limit is not None:
        request.max_content_length = limit
        request.max_form_memory_size = limit


class IdConverter(IntegerConverter):
    """Numbers in addresses are ids; what no id can be leads to no page."""

    def __init__(self, url_map: Map, **options: Any) -> None:
        super().__init__(url_map, **{"min": 1, "max": MAX_ID} | options)


def install(app: Flask) -> None:
    """Register error answers, headers and limits."""
    app.url_map.converters["int"] = IdConverter
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.config["MAX_FORM_MEMORY_SIZE"] = MAX_BODY_BYTES
    app.register_error_handler(Exception, _answer)
    app.before_request(_raise_body_limit)
    app.after_request(_add_headers)
    app.after_request(_take_in_refused)
    app.extensions["error_page"] = lambda error: render_template("error.html", error=error)
