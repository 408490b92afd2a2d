"""`survey-service export scores`: what other programs read of a campaign, as far as it is released."""

import csv

from survey_service.exporting import SCORE_COLUMNS, score_lines
from tests.factories.auditing.chain import read_chain
from tests.factories.campaigns import NOW, World
from tests.services.sealing.steps import cast_known, close, seal


def test_the_score_table_is_streamed_as_released(committed_world: World) -> None:
    cast_known(committed_world, 6)
    cast_known(committed_world, 1, village=1)
    close(committed_world)
    seal(committed_world)
    database = committed_world.app.extensions["database"]
    with committed_world.app.app_context(), database.unit_of_work() as session:
        lines = list(score_lines(session, campaign_id=committed_world.campaign_id, now=NOW))
    heading, *rows = csv.reader(line.removeprefix("\ufeff") for line in lines)
    assert heading == list(SCORE_COLUMNS)
    found = {row["organization_code"]: row for row in (dict(zip(heading, row, strict=True)) for row in rows)}
    shown, hidden = (found[code] for code in committed_world.village_codes[:2])
    assert (shown["status"], shown["returned"], bool(shown["score"])) == ("ok", "6", True)
    assert (hidden["status"], hidden["reason"], hidden["score"]) == ("suppressed", "small_cell", "")
    assert read_chain(database)[-1].action == "scores.export"
