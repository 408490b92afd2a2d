"""A sealed campaign as it is published, written down by hand; it shares no code with the package."""

import hashlib
import json
from copy import deepcopy
from typing import Any

RECEIPTS = {
    "T": ["0000000000001", "ZZZZZZZZZZZZZ"],
    "V1": [f"{letter}XXXXXXXXXXXX" for letter in "0123456789ABCDEFGHJK"],
}
SLICES = [
    {
        "class": "villager",
        "modes": ["household"],
        "withheld": None,
        "returned": 12,
        "valid": 11,
        "standing": 11,
        "invalid": 0,
        "counts": {
            "overall": {"satisfied": 9, "basically_satisfied": 2, "not_informed": 1},
            "team": {"good": 6, "poor": 4, "": 2},
        },
    },
    {
        "class": "party_member",
        "modes": ["panel"],
        "withheld": None,
        "returned": 5,
        "valid": 5,
        "standing": 5,
        "invalid": 0,
        "counts": {"overall": {"satisfied": 5}, "team": {"good": 4, "fairly_good": 1}},
    },
    {
        "class": "villager",
        "modes": ["open_device"],
        "withheld": None,
        "returned": 3,
        "valid": 3,
        "standing": 3,
        "invalid": 0,
        "counts": {"overall": {"dissatisfied": 3}, "team": {"poor": 3}},
    },
]
FORMULA = {
    "coefficients": {
        "satisfaction4": {"satisfied": "1", "basically_satisfied": "0.75", "dissatisfied": "0.55"},
        "grade4": {"good": "1", "fairly_good": "0.8", "average": "0.6", "poor": "0.4"},
    },
    "positive": {"satisfaction4": ["basically_satisfied", "satisfied"], "grade4": []},
    "class_weights": {"villager": "0.6", "party_member": "0.4"},
    "mode_weights": {"household": "1", "panel": "1"},
    "count_not_informed": False,
    "count_abstained": False,
    "min_class": 5,
}
NOTHING: dict[str, Any] = {"classes": {}, "counts": [], "modes": None, "items": {}}
ITEMS = [
    {"key": "overall", "option_set": "satisfaction4", "weight": "2"},
    {"key": "team", "option_set": "grade4", "weight": "1"},
]
# villager: (2 · 100·(9 + 2·0.75)/11 + 100·(6 + 4·0.4)/10) / 3 = 88.97; members: (2 · 100 + 96) / 3 = 98.67
SCORE, SATISFACTION_RATE = "92.85", "100.00"


def canonical(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def entry(code: str) -> dict[str, Any]:
    weightless = 3 if code == "V1" else 0
    return {
        "organization_code": code,
        "count": len(RECEIPTS[code]),
        "excluded": 0,
        "invalid": 0,
        "weightless": weightless,
        "digest": sha("\n".join(RECEIPTS[code])),
    }


def subject(code: str, listed_under: str, figures: dict[str, Any], trace: Any) -> dict[str, Any]:
    counts = {name: entry(listed_under)[name] for name in ("count", "excluded", "invalid", "weightless")}
    return {
        "organization_code": code,
        "name": "某村",
        "listed_under": listed_under,
        "ballots": counts,
        "figures": figures,
        "trace": trace,
        "tally_digest": sha(code),
    }


def publish() -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a bulletin and its snapshot."""
    questionnaire = {"title": "测评表", "items": []}
    frozen = {"formula": FORMULA, "questionnaire": sha(canonical(questionnaire)), "eligible": {}}
    ok = {"status": "ok", "returned": 20, "score": SCORE, "satisfaction_rate": SATISFACTION_RATE}
    small = {"status": "suppressed", "returned": 2, "score": None, "satisfaction_rate": None}
    snapshot = {
        "head": {
            "frozen": frozen,
            "formula_hash": sha(canonical(frozen)),
            "questionnaire": questionnaire,
            "participations": 22,
            "bulletin": [entry("T"), entry("V1")],
        },
        "subjects": [
            subject("V1", "V1", ok, {"slices": SLICES, "withheld": NOTHING, "formula": {"items": ITEMS}}),
            subject("V2", "T", small, None),
        ],
    }
    bulletin = {
        "formula_hash": snapshot["head"]["formula_hash"],
        "snapshot_digest": sha(canonical(snapshot)),
        "items": [entry(code) | {"receipts": RECEIPTS[code]} for code in ("T", "V1")],
    }
    return deepcopy(bulletin), deepcopy(snapshot)


def rehash(bulletin: dict[str, Any], snapshot: dict[str, Any]) -> None:
    """Give a forged snapshot its digest, as a careful forger does."""
    bulletin["snapshot_digest"] = sha(canonical(snapshot))
