"""What a letter may hold, what it must say before it is sent in, and what changed between versions."""

from datetime import date

import pytest

from survey_service.clear_letters.comparing import Mark, compare
from survey_service.clear_letters.documents import content_of, document_of
from survey_service.clear_letters.presentation import letter_view, period_text
from survey_service.clear_letters.rules import (
    LARGE_CELLS,
    MOST_CHARACTERS,
    Contact,
    Content,
    Decision,
    Fault,
    LetterState,
    Section,
    SectionKind,
    Table,
    excesses,
    faults_before_submission,
    state_of,
)
from survey_service.organizations.rules import OrganizationKind
from survey_service.reports.presentation.letter_forms import (
    content_body,
    form_values,
    last_quarter,
    previewed,
)
from tests.factories.letters import letter_content

TODAY = date(2026, 11, 21)
FULL = content_of(letter_content())


def faults(content: Content) -> set[tuple[str, Fault]]:
    return {(one.place, one.fault) for one in faults_before_submission(content, today=TODAY)}


def with_section(section: Section) -> Content:
    return Content(sections={SectionKind.FINANCES: section})


def test_a_full_letter_has_no_fault() -> None:
    assert faults(FULL) == set()


def test_an_empty_draft_is_not_too_much_and_lacks_everything() -> None:
    assert excesses(Content()) == []
    assert {place for place, _ in faults(Content())} == {
        *("title", "period_from", "period_to", "work_done", "contacts", "answer_by"),
        *(f"sections.{kind}.text" for kind in SectionKind),
    }


@pytest.mark.parametrize(
    ("section", "fault"),
    [
        (Section("字" * 1_001), Fault.TOO_LONG),
        (Section("字" * 1_000), None),
        (Section("", (Table("", (("a",),) * 41),)), Fault.TOO_MANY_ROWS),
        (Section("", (Table("", (("a",) * 9,)),)), Fault.TOO_MANY_COLUMNS),
        (Section("", (Table("", (("字" * 81,),)),)), Fault.CELL_TOO_LONG),
        (Section("", (Table("表", ()),)), Fault.TABLE_WITHOUT_ROWS),
        (Section("", (Table("表", (("a",),)),) * 4), Fault.TOO_MANY),
        (Section("", (Table("表" * 61, (("a",),)),)), Fault.TOO_LONG),
        (Section("", (Table("", (("a",) * 8,) * 40),) * 2), Fault.TABLE_TOO_MUCH),
    ],
)
def test_what_is_too_much_is_told(section: Section, fault: Fault | None) -> None:
    found = {one.fault for one in excesses(with_section(section))}
    assert found == (set() if fault is None else {fault})


def test_the_whole_letter_has_a_limit() -> None:
    cells = Table("", (("字" * 80,) * 8,) * 10)
    content = with_section(Section("", (cells,)))
    assert [one.fault for one in excesses(content)] == [Fault.LETTER_TOO_MUCH]
    assert LARGE_CELLS > 8 * 10
    assert MOST_CHARACTERS < 80 * 8 * 10


def test_a_letter_without_a_telephone_cannot_be_sent_in() -> None:
    content = content_of(letter_content(contacts=[vars(Contact("陈志明"))]))
    assert faults(content) == {("contacts", Fault.NO_PHONE)}


def test_days_have_to_make_sense() -> None:
    content = content_of(letter_content(period_to="2026-06-30", answer_by="2026-11-20"))
    assert faults(content) == {("period_to", Fault.PERIOD_TURNED), ("answer_by", Fault.DEADLINE_PAST)}


def test_a_letter_survives_its_document_and_its_form() -> None:
    assert content_of(document_of(FULL)) == FULL
    assert content_of(content_body(form_values(FULL))) == FULL
    assert previewed(form_values(FULL)) == FULL


@pytest.mark.parametrize(
    ("is_submitted", "decision", "state"),
    [
        (False, None, LetterState.DRAFT),
        (True, None, LetterState.SUBMITTED),
        (True, Decision.SENT_BACK, LetterState.SENT_BACK),
        (True, Decision.APPROVED, LetterState.PUBLISHED),
    ],
)
def test_the_state_follows_from_the_newest_version(
    is_submitted: bool, decision: Decision | None, state: LetterState
) -> None:
    assert state_of(is_submitted=is_submitted, decision=decision) is state


def test_equal_versions_have_no_changes() -> None:
    assert compare(FULL, FULL) == []


def test_changes_say_what_was_removed_and_what_was_added() -> None:
    rows = [["项目", "收入（元）"], ["土地流转", "48,600"]]
    after = content_of(
        letter_content(
            title="第1村第四季度明白信",
            answer_by="2026-12-20",
            sections={"finances": {"tables": [{"title": "收支表", "rows": rows}]}},
        )
    )
    changes = {one.place: one for one in compare(FULL, after)}
    assert list(changes) == [
        "title",
        *("sections.party_affairs.text", "sections.village_affairs.text", "sections.finances.text"),
        "sections.finances.tables.0",
        "answer_by",
    ]
    assert [(one.mark, one.words) for one in changes["title"].pieces] == [
        (Mark.SAME, "第1村第"),
        (Mark.REMOVED, "三"),
        (Mark.ADDED, "四"),
        (Mark.SAME, "季度明白信"),
    ]
    assert {row.mark for row in changes["sections.finances.tables.0"].rows} == {Mark.REMOVED, Mark.ADDED}


@pytest.mark.parametrize("name", ["title", "work_done", "sections", "promises", "contacts", "reply_place"])
def test_both_versions_can_be_read_out_of_the_changes(name: str) -> None:
    """What was kept and removed is the older version, what was kept and added the newer one."""
    nothing = type(letter_content()[name])()
    empty = content_of(letter_content(**{name: nothing}))
    for change in compare(FULL, empty):
        assert all(piece.mark is Mark.REMOVED for piece in change.pieces)
        assert all(row.mark is Mark.REMOVED for row in change.rows)
    for change in compare(empty, FULL):
        assert all(piece.mark is Mark.ADDED for piece in change.pieces)


def test_a_community_speaks_of_itself() -> None:
    view = letter_view(
        FULL, organization_name="东街社区居委会", kind=OrganizationKind.COMMUNITY, signed_at=None
    )
    assert [one.heading for one in view.sections] == ["党务公开", "居务公开", "财务公开"]
    assert (view.place, view.author) == ("东街社区", "东街社区党支部")


@pytest.mark.parametrize(
    ("today", "first", "last"),
    [
        (date(2026, 11, 21), date(2026, 7, 1), date(2026, 9, 30)),
        (date(2026, 2, 1), date(2025, 10, 1), date(2025, 12, 31)),
        (date(2026, 4, 1), date(2026, 1, 1), date(2026, 3, 31)),
        (date(2028, 7, 31), date(2028, 4, 1), date(2028, 6, 30)),
    ],
)
def test_a_letter_begins_with_the_last_quarter(today: date, first: date, last: date) -> None:
    assert last_quarter(today) == (first, last)


def test_periods_are_written_shortly() -> None:
    assert period_text(date(2026, 7, 1), date(2026, 9, 30)) == "2026年7月1日—9月30日"
    assert period_text(date(2025, 12, 1), date(2026, 1, 31)) == "2025年12月1日—2026年1月31日"
    assert period_text(None, date(2026, 1, 31)) == ""
