"""The stand-alone verifier believes what is honest, and names the first entry of what is not."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from survey_service.sealing.verify_bulletin import Bad, main, verify
from tests.rules.sealing.published import RECEIPTS, canonical, publish, rehash, sha

Tampering = Callable[[dict[str, Any], dict[str, Any]], None]


def test_what_is_honest_is_believed() -> None:
    bulletin, snapshot = publish()
    verify(bulletin, snapshot)
    verify(bulletin, None)


def replace_receipt(bulletin: dict[str, Any], snapshot: dict[str, Any]) -> None:
    item = bulletin["items"][1]
    item["receipts"] = ["0AAAAAAAAAAAA", *item["receipts"][1:]]
    item["digest"] = sha("\n".join(item["receipts"]))


def drop_receipt(bulletin: dict[str, Any], snapshot: dict[str, Any]) -> None:
    item = bulletin["items"][1]
    item["receipts"] = item["receipts"][1:]
    item["count"] -= 1
    item["digest"] = sha("\n".join(item["receipts"]))


def swap_receipts(bulletin: dict[str, Any], snapshot: dict[str, Any]) -> None:
    bulletin["items"][0]["receipts"].reverse()


def repeat_receipt(bulletin: dict[str, Any], snapshot: dict[str, Any]) -> None:
    item = bulletin["items"][1]
    item["receipts"] = sorted([*item["receipts"][1:], RECEIPTS["T"][0]])


def lower_count(bulletin: dict[str, Any], snapshot: dict[str, Any]) -> None:
    bulletin["items"][1]["count"] -= 1


def change_digest(bulletin: dict[str, Any], snapshot: dict[str, Any]) -> None:
    bulletin["items"][0]["digest"] = "0" * 64


def hide_weightless(bulletin: dict[str, Any], snapshot: dict[str, Any]) -> None:
    bulletin["items"][1]["weightless"] = 0


def drop_list(bulletin: dict[str, Any], snapshot: dict[str, Any]) -> None:
    del bulletin["items"][0]


def add_list(bulletin: dict[str, Any], snapshot: dict[str, Any]) -> None:
    item = {
        "organization_code": "X",
        "count": 1,
        "receipts": ["YYYYYYYYYYYYY"],
        "digest": sha("YYYYYYYYYYYYY"),
    }
    bulletin["items"].append(bulletin["items"][0] | item)


def change_formula(bulletin: dict[str, Any], snapshot: dict[str, Any]) -> None:
    snapshot["head"]["frozen"]["formula"]["min_class"] = 1
    rehash(bulletin, snapshot)


def change_formula_hash(bulletin: dict[str, Any], snapshot: dict[str, Any]) -> None:
    bulletin["formula_hash"] = "0" * 64


def change_question(bulletin: dict[str, Any], snapshot: dict[str, Any]) -> None:
    snapshot["head"]["questionnaire"]["title"] = "别的表"
    rehash(bulletin, snapshot)


def change_score(bulletin: dict[str, Any], snapshot: dict[str, Any]) -> None:
    snapshot["subjects"][0]["figures"]["score"] = "95.00"


def change_score_carefully(bulletin: dict[str, Any], snapshot: dict[str, Any]) -> None:
    change_score(bulletin, snapshot)
    rehash(bulletin, snapshot)


def change_rate_carefully(bulletin: dict[str, Any], snapshot: dict[str, Any]) -> None:
    snapshot["subjects"][0]["figures"]["satisfaction_rate"] = "99.99"
    rehash(bulletin, snapshot)


def lose_ballots_carefully(bulletin: dict[str, Any], snapshot: dict[str, Any]) -> None:
    snapshot["subjects"][0]["trace"]["slices"].pop()
    rehash(bulletin, snapshot)


def lose_ballots_of_a_small_subject(bulletin: dict[str, Any], snapshot: dict[str, Any]) -> None:
    snapshot["subjects"][1]["figures"]["returned"] = 1
    rehash(bulletin, snapshot)


def lose_a_subject(bulletin: dict[str, Any], snapshot: dict[str, Any]) -> None:
    snapshot["subjects"].pop()
    rehash(bulletin, snapshot)


def list_elsewhere(bulletin: dict[str, Any], snapshot: dict[str, Any]) -> None:
    snapshot["subjects"][1]["listed_under"] = "nowhere"
    rehash(bulletin, snapshot)


def add_voters(bulletin: dict[str, Any], snapshot: dict[str, Any]) -> None:
    snapshot["head"]["participations"] = 23
    rehash(bulletin, snapshot)


def lose_a_name(bulletin: dict[str, Any], snapshot: dict[str, Any]) -> None:
    del snapshot["subjects"][0]["figures"]
    rehash(bulletin, snapshot)


@pytest.mark.parametrize(
    ("tamper", "named"),
    [
        (replace_receipt, "bulletin entry 2 (V1)"),
        (drop_receipt, "bulletin entry 2 (V1)"),
        (swap_receipts, "bulletin entry 1 (T): the receipts are not sorted"),
        (repeat_receipt, "bulletin entry 2 (V1): a receipt stands twice"),
        (lower_count, "bulletin entry 2 (V1): 20 receipts, not 19"),
        (change_digest, "bulletin entry 1 (T): the digest"),
        (hide_weightless, "bulletin entry 2 (V1): the snapshot says"),
        (drop_list, "bulletin: lists are missing: T"),
        (add_list, "bulletin entry 3 (X): the snapshot knows no such list"),
        (change_formula, "formula of the bulletin"),
        (change_formula_hash, "formula of the bulletin"),
        (change_question, "questionnaire"),
        (change_score, "snapshot: its digest"),
        (change_score_carefully, "snapshot subject 1 (V1): the score is 92.85, not 95.00"),
        (change_rate_carefully, "snapshot subject 1 (V1): the satisfaction_rate is 100.00"),
        (lose_ballots_carefully, "snapshot subject 1 (V1): 17 ballots in the trace"),
        (lose_ballots_of_a_small_subject, "snapshot subject 2 (V2): 1 returned, 2 ballots"),
        (lose_a_subject, "snapshot list 1 (T)"),
        (list_elsewhere, "snapshot subject 2 (V2): its receipts are listed nowhere"),
        (add_voters, "snapshot: 22 receipts, 23 voters"),
        (lose_a_name, "the form of the files: KeyError 'figures'"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_the_first_bad_entry_is_named(tamper: Tampering, named: str) -> None:
    bulletin, snapshot = publish()
    tamper(bulletin, snapshot)
    with pytest.raises(Bad) as found:
        verify(bulletin, snapshot)
    assert str(found.value).startswith(named)


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    contents = zip(("bulletin.json", "snapshot.json"), publish(), strict=True)
    paths = []
    for name, content in contents:
        paths.append(tmp_path / name)
        paths[-1].write_text(json.dumps(content, indent=2), "utf-8")
    return paths


def run(*paths: Path) -> int:
    with pytest.raises(SystemExit) as ended:
        main([str(path) for path in paths])
    status = ended.value.code
    assert isinstance(status, int)
    return status


def test_honest_files_end_with_zero(files: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*files) == 0
    assert capsys.readouterr().out.startswith("OK 22 receipts in 2 lists")
    assert run(files[0]) == 0
    assert "their own digests" in capsys.readouterr().out


def test_forged_files_end_with_one(files: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    files[1].write_text(files[1].read_text("utf-8").replace("92.85", "93.85"), "utf-8")
    assert run(*files) == 1
    assert capsys.readouterr().err.startswith("BAD snapshot: its digest")


@pytest.mark.parametrize("content", ["", "{", '{"items": [], "items": []}', "\ud800"])
def test_what_cannot_be_read_ends_with_two(files: list[Path], content: str) -> None:
    files[0].write_bytes(content.encode("utf-8", "surrogatepass"))
    assert run(*files) == 2


def test_without_files_it_says_how_it_is_called(capsys: pytest.CaptureFixture[str]) -> None:
    assert run() == 2
    assert "verify_bulletin.py bulletin.json" in capsys.readouterr().err


def test_another_form_is_no_bulletin(files: list[Path]) -> None:
    for content in ([], {"items": [{}]}, {"items": None}, None):
        files[0].write_text(canonical(content), "utf-8")
        assert run(*files) == 1
