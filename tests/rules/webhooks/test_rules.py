"""How messages are signed, when they are tried again, and where they may go."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey_service.webhooks.rules import (
    MOST_ATTEMPTS,
    Attempt,
    Reach,
    UrlFault,
    check_url,
    is_genuine,
    is_public,
    next_attempt,
    show_secret,
    sign,
)

NOW = datetime(2026, 11, 22, 1, tzinfo=UTC)
STRICT, OPEN = Reach(), Reach(allows_http=True, allows_private=True)


def test_a_signature_is_that_of_the_specification() -> None:
    """The example of the Standard Webhooks libraries."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    headers = {
        "Webhook-Id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "Webhook-Timestamp": "1614265330",
        "Webhook-Signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    assert is_genuine(secret, headers, b'{"test": 2432232314}')
    assert not is_genuine(secret, headers, b'{"test": 2432232315}')


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=80), st.sampled_from(["id", "time", "body"]))
def test_whatever_is_changed_shows(secret: bytes, body: bytes, changed: str) -> None:
    headers = dict(sign(secret, message_id="msg_1", sent_at=NOW, body=body))
    assert is_genuine(show_secret(secret), headers, body)
    if changed == "id":
        headers["Webhook-Id"] = "msg_2"
    if changed == "time":
        headers["Webhook-Timestamp"] = "1"
    assert not is_genuine(show_secret(secret), headers, body + b"x" * (changed == "body"))


def test_each_wait_is_longer_and_the_last_attempt_has_none() -> None:
    moments = [next_attempt(attempts, NOW) for attempts in range(1, MOST_ATTEMPTS + 1)]
    waits = [moment - NOW for moment in moments if moment is not None]
    assert moments[-1] is None
    assert len(waits) == MOST_ATTEMPTS - 1
    assert waits == sorted(set(waits))
    assert timedelta(days=2) < sum(waits, timedelta()) < timedelta(days=3)


@pytest.mark.parametrize(
    ("status", "accepted", "final"),
    [
        (200, True, True),
        (204, True, True),
        (302, False, False),
        (410, False, True),
        (500, False, False),
        (None, False, False),
    ],
)
def test_what_an_answer_means(status: int | None, accepted: bool, final: bool) -> None:
    attempt = Attempt(status)
    assert (attempt.is_accepted, attempt.is_final) == (accepted, final)


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("https://county.example/hook?a=1", None),
        ("https://county.example:8443/", None),
        ("https://8.8.8.8/", None),
        ("http://county.example/", UrlFault.NOT_HTTPS),
        ("ftp://county.example/", UrlFault.MALFORMED),
        ("https://", UrlFault.MALFORMED),
        ("https://county.example:0/", UrlFault.MALFORMED),
        ("https://county.example:99999/", UrlFault.MALFORMED),
        ("https://county.example/a b", UrlFault.MALFORMED),
        ("https://county.example/#part", UrlFault.MALFORMED),
        ("https://county.example/\r\nHost: x", UrlFault.MALFORMED),
        ("https://[::1", UrlFault.MALFORMED),
        ("https://县.example/", UrlFault.MALFORMED),
        ("https://me:secret@county.example/", UrlFault.HAS_USER),
        ("https://localhost/", UrlFault.PRIVATE),
        ("https://db.internal/", UrlFault.PRIVATE),
        ("https://127.0.0.1/", UrlFault.PRIVATE),
        ("https://[::1]/", UrlFault.PRIVATE),
        ("https://169.254.169.254/latest", UrlFault.PRIVATE),
    ],
)
def test_an_address_is_looked_at(url: str, fault: UrlFault | None) -> None:
    assert check_url(url, STRICT) is fault


@pytest.mark.parametrize("url", ["http://127.0.0.1:5000/", "http://localhost/", "https://10.0.0.7/"])
def test_an_installation_may_allow_more(url: str) -> None:
    assert check_url(url, OPEN) is None


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"),
        *("224.0.0.1", "255.255.255.255", "::", "::1", "fe80::1%eth0", "fc00::1", "ff02::1"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2002:a00:1::1"),
    ],
)
def test_no_private_address_is_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2400:3200::1", "64:ff9b::808:808"])
def test_public_addresses_are(address: str) -> None:
    assert is_public(address)
