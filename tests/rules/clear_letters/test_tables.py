"""Tables as they come from a spreadsheet, from a phone, and by mistake."""

import random
from decimal import Decimal

import pytest

from survey_service.clear_letters.rules import Table
from survey_service.clear_letters.tables import (
    is_total,
    number_columns,
    number_of,
    read_contacts,
    read_lines,
    read_table,
    write_contacts,
    write_table,
    wrong_totals,
)


@pytest.mark.parametrize(
    ("pasted", "rows"),
    [
        ("项目\t金额\n路灯\t12", (("项目", "金额"), ("路灯", "12"))),
        ("项目\t金额\r\n路灯\t12\r\n", (("项目", "金额"), ("路灯", "12"))),
        ("a\tb\t\t\n\t\t\t\n1\t2\t\t\n", (("a", "b"), ("1", "2"))),
        ("a\tb\n1", (("a", "b"), ("1", ""))),
        ('项目\t说明\n路灯\t"第一行\n第二行"', (("项目", "说明"), ("路灯", "第一行 第二行"))),
        ('名\t值\n"好"字牌\t3', (("名", "值"), ('"好"字牌', "3"))),
        ("项目｜金额\n路灯｜12", (("项目", "金额"), ("路灯", "12"))),
        ("|项目|金额|\n|路灯|12|", (("项目", "金额"), ("路灯", "12"))),
        ("只有一列\n第二行", (("只有一列",), ("第二行",))),
        ("\t合计\t5", (("", "合计", "5"),)),
        ("", ()),
        (" \n\t\n", ()),
    ],
)
def test_what_is_pasted_becomes_rows(pasted: str, rows: tuple[tuple[str, ...], ...]) -> None:
    assert read_table(pasted) == rows


def test_what_was_read_is_read_again_alike() -> None:
    rng = random.Random(7)
    symbols = "项目金额 ,.|｜\"'\t\n12元"
    for _ in range(500):
        pasted = "".join(rng.choice(symbols) for _ in range(rng.randint(0, 40)))
        rows = read_table(pasted + "\t。")
        assert len({len(row) for row in rows}) <= 1
        if not any('"' in cell for row in rows for cell in row):
            assert read_table(write_table(rows) + "\t") == rows


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("38,600", "38600"),
        ("１２.５", "12.5"),
        ("-3.20元", "-3.20"),
        ("¥1,000", "1000"),
        ("85%", "85"),
        ("12盏", None),
        ("7—9月", None),
        ("2026-09-30", None),
        ("13800000001x", None),
        ("", None),
        ("1,00", None),
    ],
)
def test_numbers_are_found_in_cells(cell: str, number: str | None) -> None:
    assert number_of(cell) == (None if number is None else Decimal(number))


def table(words: str) -> Table:
    return Table("", read_table(words))


def test_columns_of_numbers_are_known_below_their_heading() -> None:
    assert number_columns(table("项目\t收入\t说明\n甲\t5\t3人\n乙\t-\t见附件\n丙\t\t")) == {1}


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        ("项目\t收\n甲\t5\n乙\t6\n合计\t11", []),
        ("项目\t收\n甲\t5\n乙\t6\n合计\t12", [("收", Decimal(12), Decimal(11))]),
        ("项目\t收\n甲\t5.10\n乙\t6.20\n合 计\t11.30", []),
        ("项目\t率\n甲\t50%\n乙\t60%\n合计\t55%", []),
        ("项目\t收\n甲\t5\n小计\t5\n乙\t6\n合计\t11", []),
        ("项目\t收\n甲\t5\n乙\t\n合计\t9", []),
        ("项目\t收\n甲\t见附件\n乙\t6\n合计\t9", []),
        ("合计\t9", []),
    ],
)
def test_sums_that_do_not_fit_are_pointed_out(words: str, wrong: list[tuple[str, Decimal, Decimal]]) -> None:
    assert wrong_totals(table(words)) == wrong


def test_rows_that_sum_up_are_known() -> None:
    found = [is_total(row) for row in [("合计", ""), ("", " 总 计"), ("合作社", "1"), ("甲", "合计")]]
    assert found == [True, True, False, True]


@pytest.mark.parametrize(
    ("line", "contact"),
    [
        ("陈志明 党支部书记 13800000001", ("陈志明", "党支部书记", "13800000001")),
        ("陈志明，书记，0768-8800003", ("陈志明", "书记", "0768-8800003")),
        ("陈志明：１３８０００００００１", ("陈志明", "", "13800000001")),
        ("书记 陈志明", ("书记", "陈志明", "")),
        ("13800000001", ("", "", "13800000001")),
        ("陈 村委 委员 13800000001 0768-8800003", ("陈", "村委 委员", "13800000001 0768-8800003")),
    ],
)
def test_people_are_read_line_by_line(line: str, contact: tuple[str, str, str]) -> None:
    (read,) = read_contacts(f"\n{line}\n\n")
    assert (read.name, read.role, read.phone) == contact
    if read.name:
        assert read_contacts(write_contacts([read])) == (read,)


def test_lines_lose_the_numbers_before_them() -> None:
    typed = "1、修路\n2. 装灯\n（三）栽树\n四、清渠\n\n• 扫街\n1.2公里水渠\n2026年的事"
    assert read_lines(typed) == ("修路", "装灯", "栽树", "清渠", "扫街", "1.2公里水渠", "2026年的事")
