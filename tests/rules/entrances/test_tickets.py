"""Tickets: what was opened comes back as it was, and nothing else does."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from survey_service.campaigns.rules import Mode, RaterClass
from survey_service.core.digests import sign
from survey_service.entrances.rules import Ticket, credential_mac, issue_ticket, read_ticket

KEY = b"k" * 32
TICKET = Ticket(
    entrance_id=7,
    campaign_id=2,
    subject_id=3,
    version_id=4,
    rater_class=RaterClass.VETERAN_CADRE,
    mode=Mode.PANEL,
    place_id=0,
    opened_at=datetime(2026, 11, 21, 1, 2, 3, 456789, tzinfo=UTC),
    code_digest=bytes(range(16)),
    credential="aa",
)


@pytest.mark.parametrize(
    "ticket", [TICKET, replace(TICKET, is_preview=True, place_id=9, mode=Mode.OPEN_DEVICE)]
)
def test_a_ticket_comes_back_whole(ticket: Ticket) -> None:
    assert read_ticket(KEY, issue_ticket(KEY, ticket)) == ticket


def test_a_ticket_is_ours_or_none() -> None:
    signed = issue_ticket(KEY, TICKET)
    assert read_ticket(b"x" * 32, signed) is None
    for strange in ("", ".", "a.b", signed[:-1], signed.upper(), "é" + signed, signed.split(".")[0]):
        assert read_ticket(KEY, strange) is None


def test_a_ticket_of_an_earlier_release_is_none() -> None:
    assert read_ticket(KEY, sign(KEY, json.dumps([7, 2, 3]).encode())) is None


def test_a_ticket_names_no_credential() -> None:
    mac = credential_mac("device", "0123456789abcdef")
    assert len(mac) == 16
    assert mac != credential_mac("slot", "0123456789abcdef")
    assert "0123456789abcdef" not in issue_ticket(KEY, replace(TICKET, credential=mac))
