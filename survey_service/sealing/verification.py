"""Hold what was sealed against its digests and against the tallies."""

import json
from collections.abc import Iterator

from sqlalchemy.orm import Session

from survey_service.sealing.models import PublishedReceipts, ScoreSnapshot
from survey_service.sealing.queries import list_published, list_scores, list_snapshots, read_document
from survey_service.sealing.recording import list_entry, read_slices
from survey_service.sealing.rules import BallotCounts, ReceiptList, digest_text
from survey_service.tallies.models import TallyRow
from survey_service.tallies.queries import list_slices
from survey_service.tallies.service import Difference


def find_sealed_difference(session: Session, *, campaign_id: int) -> Difference | None:
    """Return the first place where the seal of a campaign is broken.

    That the tallies are what the ballots say is looked at by `tallies.service.find_difference`.
    """
    return next(_find_differences(session, campaign_id), None)


def _find_differences(session: Session, campaign_id: int) -> Iterator[Difference]:
    snapshots = list_snapshots(session, campaign_id)
    for snapshot in snapshots:
        digest = digest_text(read_document(session, snapshot))
        if digest != snapshot.digest:
            yield Difference(f"digest of snapshot {snapshot.version}", snapshot.digest, digest)
    yield from _compare_tallies(session, snapshots[-1])
    yield from _compare_lists(session, snapshots[-1])


def _compare_tallies(session: Session, snapshot: ScoreSnapshot) -> Iterator[Difference]:
    rows: dict[int, list[TallyRow]] = {}
    for row in list_slices(session, snapshot.campaign_id):
        rows.setdefault(row.subject_id, []).append(row)
    for score in list_scores(session, snapshot):
        sealed, found = json.loads(score.tallies)["slices"], read_slices(rows.get(score.subject_id, ()))
        if sealed != found:
            yield Difference(f"sealed tally of subject {score.subject_id}", sealed, found)


def _compare_lists(session: Session, snapshot: ScoreSnapshot) -> Iterator[Difference]:
    recorded = {entry["organization_code"]: entry for entry in json.loads(snapshot.head)["bulletin"]}
    published = {
        one.organization_code: list_entry(_read_list(one))
        for one in list_published(session, snapshot.campaign_id)
    }
    for code in sorted(recorded.keys() | published.keys()):
        if recorded.get(code) != published.get(code):
            yield Difference(f"receipts of {code}", recorded.get(code), published.get(code))


def _read_list(one: PublishedReceipts) -> ReceiptList:
    counts = BallotCounts(one.count, one.excluded, one.invalid, one.weightless, one.totals)
    return ReceiptList(one.organization_code, counts, one.listed)
