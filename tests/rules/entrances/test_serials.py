"""Serial numbers as people write them."""

import pytest

from survey_service.entrances.serials import MOST_SERIALS, read_serials, write_serials


@pytest.mark.parametrize(
    ("written", "serials"),
    [
        ("7", [7]),
        ("1-3", [1, 2, 3]),
        ("1－3，５、 9", [1, 2, 3, 5, 9]),
        ("0012 至 0014", [12, 13, 14]),
        ("3~4\n1 到 2；8。", [1, 2, 3, 4, 8]),
        ("5,5,4-6", [4, 5, 6]),
        ("1 - 3", [1, 2, 3]),
        (f"1-{MOST_SERIALS}", list(range(1, MOST_SERIALS + 1))),
    ],
)
def test_what_people_write_is_understood(written: str, serials: list[int]) -> None:
    assert read_serials(written) == serials


@pytest.mark.parametrize(
    "written",
    ["", "、", "一", "1-", "-3", "3-1", "0", "1.5", "1-2-3", "1x", "9" * 400, "1" + "0" * 9, "1," * 1500],
)
def test_what_cannot_be_a_list_is_not(written: str) -> None:
    assert read_serials(written) is None


@pytest.mark.parametrize(
    ("serials", "written"),
    [([], ""), ([4], "4"), ([3, 1, 2, 2], "1-3"), ([1, 2, 5, 7, 8], "1-2、5、7-8")],
)
def test_runs_are_written_short(serials: list[int], written: str) -> None:
    assert write_serials(serials) == written
    assert not serials or read_serials(written) == sorted(set(serials))
