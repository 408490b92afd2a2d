"""A letter as a village writes it: as JSON for the API, and as text for the form."""

from typing import Any

ACCOUNTS = "项目\t收入（元）\t支出（元）\n土地流转\t38,600\t\n路灯电费\t\t2,316\n合计\t38,600\t2,316"


def letter_content(**changes: Any) -> dict[str, Any]:
    """Return a letter that may be sent in on the day of the small world."""
    return {
        "title": "第1村第三季度明白信",
        "period_from": "2026-07-01",
        "period_to": "2026-09-30",
        "greeting": "各位父老乡亲：\n三季度的事向您说明白。",
        "work_done": ["修好村道1.2公里", "装路灯12盏"],
        "sections": {
            "party_affairs": {"text": "开党员大会3次。", "tables": []},
            "village_affairs": {"text": "低保新增2户。", "tables": []},
            "finances": {
                "text": "票据在村委会。",
                "tables": [{"title": "收支表", "rows": [line.split("\t") for line in ACCOUNTS.split("\n")]}],
            },
        },
        "promises": ["修好水渠"],
        "contacts": [{"name": "陈志明", "role": "书记", "phone": "13800000001"}],
        "answer_by": "2026-12-15",
        "reply_place": "村委会门口意见箱",
    } | changes
