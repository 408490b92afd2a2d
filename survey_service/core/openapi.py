"""The OpenAPI document: what flask-smorest gathers, completed by what holds for every route."""

import re
from http import HTTPStatus
from typing import Any

from flask import Flask

from survey_service.core.http import document_problem
from survey_service.core.permissions import decision_of

_METHODS = ("get", "post", "put", "patch", "delete")
_ARGUMENT = re.compile(r"<(?:[^:<>]+:)?([^<>]+)>")
_SECURITY: list[dict[str, list[str]]] = [{"bearerAuth": []}, {"cookieAuth": []}]
_STAFF_ONLY = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_WITH_BODY = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
)


def write_document(app: Flask) -> dict[str, Any]:
    """Return the OpenAPI document of all JSON routes, every answer included."""
    document: dict[str, Any] = app.extensions["api"].document().to_dict()
    for rule in app.url_map.iter_rules():
        path = _ARGUMENT.sub(r"{\1}", rule.rule)
        operations = document["paths"].get(path, {})
        decision = decision_of(app.view_functions[rule.endpoint])
        for method in _METHODS:
            if method in operations and method.upper() in (rule.methods or ()):
                _complete(operations[method], path, is_public=decision is None or decision.permission is None)
    return document


def _complete(operation: dict[str, Any], path: str, *, is_public: bool) -> None:
    """Add what follows from the kind of route, and drop the catch-all that would document anything."""
    responses = operation["responses"]
    responses.pop("default", None)
    statuses = [HTTPStatus.SERVICE_UNAVAILABLE]
    if not is_public:
        operation["security"] = _SECURITY
        statuses += _STAFF_ONLY
    if "requestBody" in operation:
        statuses += _WITH_BODY
    if "{" in path:
        statuses.append(HTTPStatus.NOT_FOUND)
    for status in statuses:
        responses.setdefault(str(int(status)), document_problem(status))
