"""Where receipts are listed, and how a snapshot is written."""

import json
from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from survey_service.core.canonical import canonical_json
from survey_service.sealing.rules import (
    BallotCounts,
    digest_text,
    join_lists,
    listed_under,
    upper_code,
    write_document,
)

AREAS = {1: "city", 2: "county", 3: "town"}


def test_few_receipts_are_listed_above() -> None:
    assert listed_under(own_code="village", upper_code="town", count=4, min_cell=5) == "town"
    assert listed_under(own_code="village", upper_code="town", count=5, min_cell=5) == "village"


def test_above_is_the_nearest_area() -> None:
    assert upper_code((1, 2, 3, 4), AREAS) == "town"
    assert upper_code((1, 2, 3, 4, 5), AREAS) == "town", "a branch of a village"
    assert upper_code((1, 2, 3), AREAS) == "county", "never the organization itself"
    assert upper_code((1, 2, 4), AREAS) == "county"
    assert upper_code((1,), AREAS) is None


def test_lists_under_one_code_are_joined() -> None:
    parts = [
        ("town", BallotCounts(1, weightless=1), ["C"]),
        ("a", BallotCounts(2, invalid=1), ["z", "Z"]),
        ("town", BallotCounts(2, excluded=1), ["B", "A"]),
    ]
    one, town = join_lists(parts)
    assert (one.organization_code, one.receipts) == ("a", ["Z", "z"])
    assert (town.receipts, town.counts) == (["A", "B", "C"], BallotCounts(3, excluded=1, weightless=1))
    assert town.digest == sha256(b"A\nB\nC").hexdigest()


@given(st.lists(st.dictionaries(st.text(), st.integers() | st.text()), max_size=4))
def test_a_document_of_canonical_parts_is_canonical(subjects: list[dict[str, object]]) -> None:
    head = {"b": [1, None], "a": "村"}
    written = "".join(write_document(canonical_json(head), map(canonical_json, subjects)))
    assert written == canonical_json({"head": head, "subjects": subjects})
    assert json.loads(written)["subjects"] == subjects


def test_the_digest_does_not_depend_on_the_pieces() -> None:
    assert digest_text(["村", "ab", ""]) == digest_text(["村a", "b"]) == sha256("村ab".encode()).hexdigest()
