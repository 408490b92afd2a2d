#!/usr/bin/env python3
"""Try a running installation from the outside: health, sign-in, one ballot, its receipt, the progress.

    python3 deploy/smoke.py --url https://survey.example --username town --code 7K2M9QXW3T5NA

The password is asked for, or read from standard input. The ballot is real: use the demonstration, or the code
of a preview entrance, whose ballots are checked and thrown away. Only Python's standard library is needed.
The first step that fails is named, and the exit status is 1.
"""

import argparse
import getpass
import json
import secrets
import sys
import time
from collections.abc import Iterator
from http.cookiejar import CookieJar
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import HTTPCookieProcessor, Request, build_opener

COUNTED_WITHIN_SECONDS = 20
TIMEOUT_SECONDS = 10
PREVIEW_RECEIPT = "0" * 13


class FailedError(Exception):
    """A step did not give what it must."""


class Site:
    """One browser on the installation: it keeps cookies, as a phone does."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._opener = build_opener(HTTPCookieProcessor(CookieJar()))
        self.token = ""

    def get(self, path: str) -> Any:
        """Return a JSON answer; raises FailedError for any other status than success."""
        return self._call(Request(self._url + path))  # noqa: S310  The operator names the address.

    def post(self, path: str, body: object) -> Any:
        """Send JSON and return the JSON answer."""
        request = Request(self._url + path, json.dumps(body).encode())  # noqa: S310  As above.
        request.add_header("Content-Type", "application/json")
        return self._call(request)

    def _call(self, request: Request) -> Any:
        if self.token:
            request.add_header("Authorization", f"Bearer {self.token}")
        try:
            with self._opener.open(request, timeout=TIMEOUT_SECONDS) as response:
                return json.load(response)
        except HTTPError as error:
            told = error.read().decode(errors="replace")[:300]
            raise FailedError(f"{request.selector} answered {error.code}: {told}") from error
        except (URLError, TimeoutError) as error:
            raise FailedError(f"{request.full_url} cannot be reached: {error}") from error


def answers_to(items: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the first answer that each required item takes; the others stay empty."""
    return {item["key"]: _answer(item) for item in items if item["required"] and not item["show_if"]}


def _answer(item: dict[str, Any]) -> Any:
    if item["kind"] == "text":
        return "smoke test"
    if item["kind"] == "number":
        return item["minimum"] or "1"
    first = item["options"][0]["key"]
    if item["kind"] == "matrix":
        return {row["key"]: first for row in item["rows"]}
    return [first] if item["kind"] == "multiple" else first


def cast_twice(phone: Site, code: str) -> str:
    """Cast a ballot, send it again as a phone with a bad network does, and return its one receipt."""
    opened = phone.get(f"/api/v1/entrances/{code}")
    answers = answers_to(opened["questionnaire"]["items"])
    ballot = {"ticket": opened["ticket"], "secret": secrets.token_urlsafe(24), "answers": answers}
    receipts = [phone.post(f"/api/v1/entrances/{code}/ballots", ballot)["receipt"] for _ in range(2)]
    if receipts[0] != receipts[1]:
        raise FailedError("the same ballot gave two receipts")
    return str(receipts[0])


def wait_until_counted(phone: Site, receipt: str) -> None:
    """Return once the tally holds the ballot."""
    deadline = time.monotonic() + COUNTED_WITHIN_SECONDS
    while (state := phone.get(f"/api/v1/receipts/{receipt}")["state"]) != "counted":
        if time.monotonic() > deadline:
            raise FailedError(f"the receipt is {state} after {COUNTED_WITHIN_SECONDS} s: does a worker run?")
        time.sleep(0.5)


def campaigns(staff: Site) -> Iterator[dict[str, Any]]:
    """Yield every campaign that the account sees."""
    cursor: str | None = ""
    while cursor is not None:
        page = staff.get(f"/api/v1/campaigns?cursor={cursor}")
        yield from page["items"]
        cursor = page["next_cursor"]


def count_returned(staff: Site) -> int:
    """Return the number of ballots in all that the account sees."""
    rows = [
        staff.get(f"/api/v1/campaigns/{campaign['id']}/progress")["items"] for campaign in campaigns(staff)
    ]
    return sum(row["returned"] for items in rows for row in items)


def try_out(*, url: str, username: str, password: str, code: str) -> Iterator[str]:
    """Take one step after another, yielding a line for each; raises FailedError."""
    staff, phone = Site(url), Site(url)
    phone.get("/healthz")
    phone.get("/readyz")
    yield "up, and the database is current"
    staff.token = staff.post("/api/v1/auth/token", {"username": username, "password": password})["token"]
    before = count_returned(staff)
    yield f"signed in as {username}, who sees {before} ballots"
    receipt = cast_twice(phone, code)
    if receipt == PREVIEW_RECEIPT:
        yield "a preview ballot was checked and thrown away"
        return
    yield "cast a ballot; sent again, it gave the same receipt"
    wait_until_counted(phone, receipt)
    yield "the receipt says counted"
    if count_returned(staff) <= before:
        raise FailedError("the ballot is missing in the progress: does the account see this village?")
    yield "the progress shows it"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--url", required=True, help="as phones reach it")
    parser.add_argument("--username", required=True, help="an account that sees the village of the code")
    parser.add_argument("--code", required=True, help="of an entrance that nobody has used")
    given = vars(parser.parse_args())
    password = getpass.getpass() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    try:
        for line in try_out(password=password, **given):
            sys.stdout.write(f"ok: {line}\n")
    except FailedError as error:
        sys.exit(f"failed: {error}")


if __name__ == "__main__":
    main()
