"""Recount ballots and meeting totals with nothing of the package: plain SQL and a dictionary."""

import json
from collections import Counter, defaultdict

from sqlalchemy import Connection, text


def recount(connection: Connection, campaign_id: int) -> dict[str, dict[str, int]]:
    """Return the options of `overall`, counted by "subject/mode"."""
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    rows = connection.execute(
        text("SELECT subject_id, mode, answers FROM ballot WHERE campaign_id = :campaign_id"),
        {"campaign_id": campaign_id},
    )
    for subject_id, mode, answers in rows:
        counted[f"{subject_id}/{mode}"][json.loads(answers).get("overall", "")] += 1
    totals = connection.execute(
        text(
            "SELECT paper_batch.subject_id, paper_total.option, paper_total.number FROM paper_total"
            " JOIN paper_batch ON paper_batch.id = paper_total.batch_id"
            " WHERE paper_batch.campaign_id = :campaign_id AND paper_total.item = 'overall'"
        ),
        {"campaign_id": campaign_id},
    )
    for subject_id, option, number in totals:
        counted[f"{subject_id}/paper_total"][option] += number
    return {key: dict(options) for key, options in counted.items()}
