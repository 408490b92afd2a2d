"""A phone that calls the JSON API as the contract says, with cookies like a browser's."""

import json
import secrets
from dataclasses import dataclass
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

GOOD = {"overall": "satisfied"}


def new_secret() -> str:
    return secrets.token_urlsafe(24)


@dataclass
class Phone:
    client: FlaskClient

    def open(self, code: str) -> dict[str, Any]:
        response = self.client.get(f"/api/v1/entrances/{code}")
        assert response.status_code == 200, response.text
        body: dict[str, Any] = response.get_json()
        return body

    def post(
        self, code: str, *, ticket: Any = None, secret: Any = None, answers: Any = None, **extra: Any
    ) -> TestResponse:
        body = {
            "ticket": ticket if ticket is not None else self.open(code)["ticket"],
            "secret": secret if secret is not None else new_secret(),
            "answers": GOOD if answers is None else answers,
        }
        # ASCII, so that half a surrogate pair arrives as what a broken phone would send.
        return self.post_raw(code, json.dumps(body | extra).encode())

    def post_raw(self, code: str, body: bytes) -> TestResponse:
        return self.client.post(
            f"/api/v1/entrances/{code}/ballots", data=body, content_type="application/json"
        )


def code_of(response: TestResponse) -> tuple[int, str]:
    """Return status and contract code of a refusal."""
    return response.status_code, response.get_json()["code"]
