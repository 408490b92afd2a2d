"""One error tree, one JSON shape (RFC 9457), one sentence for the person who meets it."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from survey_service.core.texts import text

ABOUT_BLANK = "about:blank"


class ServiceError(Exception):
    """A refusal with a contract code, an HTTP status and a Chinese sentence `errors.<code>`.

    `errors` names fields (or rows of a file) and what is wrong with each; `values` fill the sentence.
    """

    code = "internal_error"
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    retry_after: int | None = None

    def __init__(
        self,
        code: str | None = None,
        *,
        errors: Mapping[str, Sequence[str]] | None = None,
        extra: Mapping[str, object] | None = None,
        **values: object,
    ) -> None:
        self.code = code or self.code
        self.errors = {name: list(sentences) for name, sentences in (errors or {}).items()}
        self.extra = dict(extra or {})
        self.values = values
        super().__init__(self.code)

    @property
    def detail(self) -> str:
        return text(f"errors.{self.code}", **self.values)

    def problem(self) -> dict[str, object]:
        """Return the problem details of RFC 9457 with our `code`, and `errors` where there are any."""
        body: dict[str, object] = {
            "type": ABOUT_BLANK,
            "title": HTTPStatus(self.status).phrase,
            "status": int(self.status),
            "code": self.code,
            "detail": self.detail,
        }
        return body | ({"errors": self.errors} if self.errors else {}) | self.extra


class BadRequest(ServiceError):
    code, status = "malformed", HTTPStatus.BAD_REQUEST


class Unauthorized(ServiceError):
    code, status = "unauthorized", HTTPStatus.UNAUTHORIZED


class Forbidden(ServiceError):
    code, status = "forbidden", HTTPStatus.FORBIDDEN


class NotFound(ServiceError):
    code, status = "not_found", HTTPStatus.NOT_FOUND


class Conflict(ServiceError):
    code, status = "conflict", HTTPStatus.CONFLICT


class Gone(ServiceError):
    code, status = "closed", HTTPStatus.GONE


class TooLarge(ServiceError):
    code, status = "too_large", HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class Invalid(ServiceError):
    code, status = "invalid", HTTPStatus.UNPROCESSABLE_ENTITY


class Locked(ServiceError):
    code, status = "locked", HTTPStatus.LOCKED


class SlowDown(ServiceError):
    """Too many attempts; `retry_after` in seconds."""

    code, status = "slow_down", HTTPStatus.TOO_MANY_REQUESTS
    retry_after = 30


class Unavailable(ServiceError):
    """Something that we depend on is down; the caller keeps what he has and tries again."""

    code, status = "unavailable", HTTPStatus.SERVICE_UNAVAILABLE
    retry_after = 10
