"""The sheet of villagers' groups."""

import pytest

from survey_service.core.import_files import InvalidRows
from survey_service.entrances.group_files import read_group_file, write_group_template
from survey_service.entrances.issuing import Households

CODES = {"445122109212", "445122109213"}


def sheet(*rows: str) -> bytes:
    return "\n".join(["村编码,村民小组,户数", *rows]).encode()


def test_groups_come_in_the_order_of_the_file() -> None:
    found = read_group_file(
        sheet("445122109213,东组,12", "445122109212,第一村民小组,43", "445122109212,,5"),
        "a.csv",
        codes=CODES,
    )
    assert found == [
        Households("445122109213", 12, "东组"),
        Households("445122109212", 43, "第一村民小组"),
        Households("445122109212", 5),
    ]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (",一组,3", "缺少编码"),
        ("445122109999,一组,3", "不在本次测评中"),
        ("445122109212,一组,", "缺少户数"),
        ("445122109212,一组,0", "缺少户数"),
        ("445122109212,一组,三十", "户数要填数字"),
        (f"445122109212,{'组' * 41},3", "最多 40 个字"),
    ],
)
def test_each_bad_row_is_named(row: str, words: str) -> None:
    with pytest.raises(InvalidRows) as caught:
        read_group_file(sheet("445122109212,二组,1", row), "a.csv", codes=CODES)
    assert caught.value.errors.keys() == {"3"}
    assert words in "".join(caught.value.errors["3"])


def test_a_group_stands_once() -> None:
    with pytest.raises(InvalidRows, match="invalid_rows") as caught:
        read_group_file(sheet("445122109212,一组,1", "445122109212,一组,2"), "a.csv", codes=CODES)
    assert "第 2 行" in caught.value.errors["3"][0]


def test_the_template_is_understood() -> None:
    with pytest.raises(InvalidRows) as caught:
        read_group_file(write_group_template(), "a.xlsx", codes=CODES)
    assert caught.value.errors == {"1": ["表头下面没有内容。"]}
