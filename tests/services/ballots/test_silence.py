"""No error, no log line and no job names an answer, a digest or a person."""

import logging

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from survey_service.core.logs import log_failure
from tests.factories.campaigns import World

# Put together here, since a traceback quotes the line that names it.
ANSWER = "".join(["a secret", " answer"])


def test_an_error_of_the_database_hides_what_was_sent(world: World, caplog: pytest.LogCaptureFixture) -> None:
    statement = text("INSERT INTO ballot (campaign_id, answers) VALUES (1, :answers)")
    with (
        pytest.raises(SQLAlchemyError) as caught,
        world.app.extensions["database"].unit_of_work() as session,
    ):
        session.execute(statement, {"answers": ANSWER})
    log_failure(logging.getLogger("survey_service"), "something failed", caught.value)
    assert "IntegrityError" in caplog.text or "NotNullViolation" in caplog.text
    assert ANSWER not in caplog.text


def test_a_ballot_leaves_only_counts_in_the_log(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    (issued,) = world.issue()
    cast = world.cast(world.open(issued.code), {"overall": "satisfied", "remark": "路灯坏了"})
    world.drain()
    written = caplog.text
    for secret in (issued.code, cast.receipt, "路灯坏了", "satisfied"):
        assert secret not in written
    assert "rebuilt tallies" in written
