"""The snapshot as one document of canonical JSON, put together from its rows."""

import json
from collections.abc import Iterable, Iterator

from survey_service.core.canonical import canonical_json
from survey_service.sealing.models import SealedScore
from survey_service.sealing.rules import digest_text, write_document


def write_snapshot(head: str, scores: Iterable[SealedScore]) -> Iterator[str]:
    """Yield the document of a snapshot; `scores` come in the order of the campaign."""
    return write_document(head, map(_write_subject, scores))


def _write_subject(score: SealedScore) -> str:
    """Return one subject as everybody may read it who may read scores; the tallies stay inside."""
    return canonical_json(
        json.loads(score.place)
        | json.loads(score.derivation)
        | {
            "ballots": json.loads(score.ballots),
            "eligible": json.loads(score.eligible),
            "issued": json.loads(score.issued),
            "figures": json.loads(score.figures),
            "tally_digest": digest_text([score.tallies]),
        }
    )
