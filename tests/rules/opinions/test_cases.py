"""The state machine of a case: total, and true to its promises along every path."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey_service.opinions.policy import load_calendar
from survey_service.opinions.rules import (
    AWAITING_VERDICT,
    OPEN,
    Act,
    Action,
    Category,
    Level,
    Placement,
    Policy,
    Refusal,
    Standing,
    State,
    Verdict,
    Viewer,
    concealed_level,
    derive_query_code,
    digest_content,
    digest_query_code,
    follow,
    is_meaningful,
    may_see,
    receive,
    sounds_like_report,
)

POLICY = Policy(load_calendar(None))
TODAY = date(2026, 11, 23)
ACTS = st.builds(
    Act,
    action=st.sampled_from(Action),
    on=st.integers(0, 40).map(lambda days: TODAY + timedelta(days)),
    category=st.sampled_from(Category),
    verdict=st.sampled_from(Verdict),
)


def standings(acts: list[Act]) -> list[tuple[Standing, Act | None]]:
    """Return where a case stood after each act that was let through."""
    found: list[tuple[Standing, Act | None]] = [(receive(None, TODAY, POLICY), None)]
    for act in acts:
        moved = follow(found[-1][0], act, POLICY)
        if isinstance(moved, Standing):
            found.append((moved, act))
    return found


@given(st.lists(ACTS, max_size=30))
def test_whatever_is_done_a_case_keeps_its_promises(acts: list[Act]) -> None:
    path = standings(acts)
    assert (
        sum(standing.state is State.REOPENED and act.action is Action.RATE for standing, act in path if act)
        <= 1
    )
    assert sum(act.action is Action.EXTEND for _, act in path if act) <= 1
    assert sum(act.action is Action.ANSWER for _, act in path if act) <= 2
    for (before, _), (after, act) in pairwise(path):
        assert act is not None
        assert before.state not in {State.CLOSED, State.JOINED} or after == before
        assert after.due >= after.since
        if act.action not in {Action.TRIAGE, Action.EXTEND} and after.state is not State.REOPENED:
            assert after.due == before.due
        if after.state is State.ANSWERED and before.state is not State.ANSWERED:
            assert before.state in OPEN - {State.RECEIVED}


@given(st.sampled_from(State), ACTS, st.booleans(), st.booleans())
def test_every_act_has_an_answer_in_every_state(
    state: State, act: Act, is_extended: bool, is_reopened: bool
) -> None:
    standing = Standing(state, None, TODAY, TODAY, is_extended=is_extended, is_reopened=is_reopened)
    assert isinstance(follow(standing, act, POLICY), Standing | Refusal)


def go(standing: Standing, action: Action, **more: object) -> Standing:
    moved = follow(standing, Act(action, TODAY, **more), POLICY)  # type: ignore[arg-type]
    assert isinstance(moved, Standing), moved
    return moved


def test_the_way_of_an_opinion_up_to_its_second_end() -> None:
    case = go(receive(None, TODAY, POLICY), Action.TRIAGE, category=Category.HELP)
    assert (case.state, case.due) == (State.TRIAGED, date(2026, 11, 26))
    case = go(go(case, Action.ACCEPT), Action.BEGIN)
    case = go(case, Action.EXTEND)
    assert (case.state, case.due) == (State.IN_PROGRESS, date(2026, 12, 1))
    case = go(go(case, Action.ANSWER), Action.CALL_BACK)
    case = go(case, Action.RATE, verdict=Verdict.DISSATISFIED)
    assert (case.state, case.round) == (State.REOPENED, 1)
    case = go(go(case, Action.ANSWER), Action.RATE, verdict=Verdict.DISSATISFIED)
    assert case.state is State.RATED, "a case is reopened once"
    assert go(case, Action.CLOSE).state is State.CLOSED


@pytest.mark.parametrize("category", Category)
def test_the_presets_of_the_domain(category: Category) -> None:
    days = 3 if category in {Category.ENQUIRY, Category.HELP} else 13
    case = go(receive(None, TODAY, POLICY), Action.TRIAGE, category=category)
    assert POLICY.calendar.between(TODAY, case.due) == days


REFUSED = [
    (State.RECEIVED, Action.ANSWER, Refusal.WRONG_STEP),
    (State.ANSWERED, Action.ANSWER, Refusal.ANSWERED),
    (State.RATED, Action.ANSWER, Refusal.ANSWERED),
    (State.CLOSED, Action.RATE, Refusal.CLOSED),
    (State.CLOSED, Action.ANSWER, Refusal.CLOSED),
    (State.JOINED, Action.ANSWER, Refusal.JOINED),
    (State.ANSWERED, Action.DECLINE, Refusal.WRONG_STEP),
]


@pytest.mark.parametrize(("state", "action", "refusal"), REFUSED)
def test_each_refusal_says_why(state: State, action: Action, refusal: Refusal) -> None:
    assert follow(Standing(state, None, TODAY, TODAY), Act(action, TODAY), POLICY) is refusal


def test_a_time_is_extended_once() -> None:
    case = go(go(receive(None, TODAY, POLICY), Action.TRIAGE, category=Category.HELP), Action.EXTEND)
    assert follow(case, Act(Action.EXTEND, TODAY), POLICY) is Refusal.EXTENDED


def test_a_verdict_is_asked_for_after_an_answer_only() -> None:
    rating = {
        state
        for state in State
        if isinstance(follow(Standing(state, None, TODAY, TODAY), Act(Action.RATE, TODAY), POLICY), Standing)
    }
    assert rating == AWAITING_VERDICT


COUNTY, TOWN, VILLAGE, BRANCH = "/1/", "/1/2/", "/1/2/3/", "/1/2/3/4/"


def case(state: State = State.TRIAGED, *, handler: str = VILLAGE, concealed: str | None = None) -> Placement:
    return Placement(VILLAGE, handler, state, concealed)


@pytest.mark.parametrize(
    ("viewer", "placement", "is_seen"),
    [
        (Viewer(VILLAGE, is_office=False), case(), True),
        (Viewer(VILLAGE, is_office=False), case(State.RECEIVED), False),
        (Viewer(VILLAGE, is_office=False), case(handler=TOWN), False),
        (Viewer(VILLAGE, is_office=False), case(concealed=VILLAGE), False),
        (Viewer(BRANCH, is_office=False), case(), False),
        (Viewer(TOWN, is_office=True), case(State.RECEIVED, concealed=VILLAGE), True),
        (Viewer(TOWN, is_office=True), case(State.RECEIVED, handler=COUNTY, concealed=TOWN), False),
        (Viewer(COUNTY, is_office=True), case(State.RECEIVED, handler=COUNTY, concealed=TOWN), True),
        (Viewer("/1/9/", is_office=True), case(), False),
        (Viewer(VILLAGE, is_office=True), case(concealed=VILLAGE), False),
    ],
)
def test_who_may_know_of_a_case(viewer: Viewer, placement: Placement, is_seen: bool) -> None:
    assert may_see(viewer, placement) is is_seen


@given(
    st.sampled_from([COUNTY, TOWN, VILLAGE, BRANCH]),
    st.sampled_from([TOWN, VILLAGE, BRANCH]),
    st.sampled_from(State),
    st.sampled_from([COUNTY, TOWN, VILLAGE]),
    st.booleans(),
)
def test_nobody_at_or_below_a_reported_place_knows_of_it(
    viewer: str, concealed: str, state: State, handler: str, is_office: bool
) -> None:
    seen = may_see(Viewer(viewer, is_office), Placement(BRANCH, handler, state, concealed))
    assert not seen or (concealed.startswith(viewer) and viewer != concealed)


@pytest.mark.parametrize(
    ("text", "category", "about", "level"),
    [
        ("路灯坏了", None, None, None),
        ("有人偷砍树", Category.REPORT, None, Level.VILLAGE),
        ("村支书冒领低保", None, None, Level.VILLAGE),
        ("镇里的书记收受贿赂", None, None, Level.TOWN),
        ("镇干部吃回扣", Category.COMPLAINT, None, Level.TOWN),
        ("县里的领导挪用扶贫款,干部包庇", None, None, Level.COUNTY),
        ("有人偷砍树", Category.REPORT, Level.TOWN, Level.TOWN),
        ("书记人很好", None, None, None),
    ],
)
def test_what_sounds_like_a_report_is_kept_from_those_concerned(
    text: str, category: Category | None, about: Level | None, level: Level | None
) -> None:
    assert concealed_level(text, category, about) is level
    assert sounds_like_report(text) or category is Category.REPORT or level is None


@pytest.mark.parametrize(
    ("text", "says"), [("", False), ("  。！", False), ("😀👍", False), ("灯", True), ("a", True)]
)
def test_marks_and_faces_alone_say_nothing(text: str, says: bool) -> None:
    assert is_meaningful(text) is says


def test_a_query_code_comes_from_its_secret_alone() -> None:
    code = derive_query_code("s" * 22)
    assert len(code) == 13
    assert code == derive_query_code("s" * 22) != derive_query_code("t" * 22)
    assert len(digest_query_code(code)) == 16
    assert digest_content("s" * 22, "灯") != digest_content("t" * 22, "灯")
