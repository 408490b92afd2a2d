"""Bindings of phones, and desktops that wait for one: what stands in the tables, and what opens nothing."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from survey_service.core.audit import take_acts
from survey_service.core.errors import Conflict, Forbidden, Unauthorized
from survey_service.core.permissions import Identity
from survey_service.core.privacy import Keyring
from survey_service.staff import bindings, desktops, management
from survey_service.staff.models import DesktopRequest, StaffBinding
from survey_service.wechat.rules import Provider
from tests.factories.campaigns import identity
from tests.factories.staff.offices import NOW, Offices

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

ACCOUNT, OTHERS = "ab" * 16, "cd" * 16
KEYRING = Keyring(secret_key="secret", master_key="master")


@pytest.fixture(autouse=True)
def _no_audit_entries(session: Session) -> Iterator[None]:
    """What is recorded is read here, and need not be stored."""
    yield
    take_acts(session)


@pytest.fixture
def staff_id(offices: Offices) -> int:
    return offices.people["town.staff"].id


def bind(
    session: Session, staff_id: int, *, provider: Provider = Provider.WECHAT, account: str = ACCOUNT
) -> None:
    digest = bindings.binding_digest(KEYRING, provider, account)
    bindings.bind(session, staff_id=staff_id, provider=provider, digest=digest, now=NOW)


def bound(session: Session) -> set[tuple[int, str]]:
    session.flush()
    return {(one.staff_id, one.provider) for one in session.scalars(select(StaffBinding))}


def acts(session: Session) -> list[tuple[str, str, object]]:
    return [(act.action, act.actor, act.before or act.after) for act in take_acts(session)]


def test_what_stands_for_a_colleague_stands_for_no_voter() -> None:
    digests = {bindings.binding_digest(KEYRING, provider, ACCOUNT).hex() for provider in Provider}
    assert len(digests | {ACCOUNT}) == 1 + len(Provider)


def test_binding_and_unbinding_stand_in_the_audit_trail(session: Session, staff_id: int) -> None:
    bind(session, staff_id)
    bindings.unbind(session, staff_id=staff_id, provider=Provider.WECHAT)
    assert acts(session) == [
        ("session.bind", "town.staff", {"provider": "wechat"}),
        ("session.unbind", "operator", {"provider": "wechat"}),
    ]


def test_a_phone_opens_one_account_by_one_provider(session: Session, offices: Offices, staff_id: int) -> None:
    bind(session, staff_id)
    with pytest.raises(Conflict, match="bound_to_another"):
        bind(session, offices.people["other.staff"].id)
    digest = bindings.binding_digest(KEYRING, Provider.WECHAT, ACCOUNT)
    assert bindings.find_bound(session, provider=Provider.WECHAT, digest=digest)[0] == "town.staff"
    for provider, account in ((Provider.WECOM, ACCOUNT), (Provider.WECHAT, OTHERS)):
        with pytest.raises(Unauthorized, match="not_bound"):
            bindings.find_bound(
                session, provider=provider, digest=bindings.binding_digest(KEYRING, Provider.WECHAT, account)
            )


def test_one_unbinds_one_phone_of_ones_own(session: Session, offices: Offices, staff_id: int) -> None:
    other = offices.people["other.staff"].id
    bind(session, staff_id)
    bind(session, staff_id, provider=Provider.WECOM)
    bind(session, other, account=OTHERS)
    bindings.unbind(session, staff_id=staff_id, provider=Provider.WECHAT)
    assert bound(session) == {(staff_id, Provider.WECOM), (other, Provider.WECHAT)}


def hand_over(session: Session, staff_id: int, by: Identity) -> None:
    management.hand_over(session, staff_id=staff_id, display_name="新同志", by=by, now=NOW)


def reset(session: Session, staff_id: int, by: Identity) -> None:
    management.reset_password(session, staff_id=staff_id, by=by, now=NOW)


def disable(session: Session, staff_id: int, by: Identity) -> None:
    management.disable_account(session, staff_id=staff_id, by=by, now=NOW)


@pytest.mark.parametrize("act", [hand_over, reset, disable])
def test_who_gives_an_account_anew_or_shuts_it_takes_its_phones(
    session: Session, offices: Offices, staff_id: int, act: Callable[[Session, int, Identity], None]
) -> None:
    bind(session, staff_id)
    bind(session, offices.people["other.staff"].id, account=OTHERS)
    act(session, staff_id, identity(offices.people["county.admin"], offices.places["county"]))
    assert bound(session) == {(offices.people["other.staff"].id, Provider.WECHAT)}


def wait(session: Session) -> desktops.Desktop:
    return desktops.begin_waiting(session, client="windows.chrome", now=NOW)


def let_in(session: Session, desktop: desktops.Desktop, staff_id: int, *, number: int | None = None) -> bool:
    return desktops.let_in(
        session, code=desktop.code, number=number or desktop.number, staff_id=staff_id, now=NOW
    )


def enter(session: Session, desktop: desktops.Desktop, **changes: object) -> str | None:
    """Return who has come in."""
    given = {"code": desktop.code, "secret": desktop.secret, "client": "", "now": NOW} | changes
    grant = desktops.enter(session, **given)  # type: ignore[arg-type]  # The names have their own types.
    return grant.account.username if grant else None


def test_the_table_opens_no_desktop(session: Session) -> None:
    desktop = wait(session)
    row = session.scalars(select(DesktopRequest)).one()
    stored = row.code_digest + row.secret_digest
    assert [word for word in (desktop.code, desktop.secret[:16]) if word.encode() in stored] == []


def test_looking_twice_shows_the_same_numbers(session: Session) -> None:
    """Otherwise the right one would be the one that stays."""
    desktop = wait(session)
    looks = [desktops.ask(session, code=desktop.code, now=NOW).numbers for _ in range(3)]
    assert len(set(looks)) == 1
    assert len(set(looks[0])) == 3
    assert desktop.number in looks[0]


def test_a_desktop_comes_in_once_it_was_let_in_and_no_second_time(session: Session, staff_id: int) -> None:
    desktop = wait(session)
    assert enter(session, desktop) is None
    assert let_in(session, desktop, staff_id)
    with pytest.raises(Forbidden):
        desktops.ask(session, code=desktop.code, now=NOW)
    with pytest.raises(Forbidden):
        enter(session, desktop, secret="another")
    assert enter(session, desktop) == "town.staff"
    with pytest.raises(Forbidden):
        enter(session, desktop)


def test_nobody_takes_a_desktop_over(session: Session, offices: Offices, staff_id: int) -> None:
    desktop = wait(session)
    assert let_in(session, desktop, staff_id)
    assert not let_in(session, desktop, offices.people["other.staff"].id)
    with pytest.raises(Forbidden):
        enter(session, desktop)


def test_a_wrong_number_ends_the_waiting_and_stands_in_the_audit_trail(
    session: Session, staff_id: int
) -> None:
    desktop = wait(session)
    take_acts(session)
    assert not let_in(session, desktop, staff_id, number=desktop.number + 1)
    facts = {"client": "windows.chrome", "is_right": False}
    assert acts(session) == [("session.let_in", "operator", facts)]
    with pytest.raises(Forbidden):
        let_in(session, desktop, staff_id)


def test_after_two_minutes_nothing_opens_a_desktop(session: Session, staff_id: int) -> None:
    desktop = wait(session)
    assert let_in(session, desktop, staff_id)
    late = NOW + desktops.LIFETIME
    with pytest.raises(Forbidden):
        enter(session, desktop, now=late)
    for call in (
        desktops.ask,
        lambda *given, **named: desktops.let_in(*given, number=1, staff_id=1, **named),
    ):
        with pytest.raises(Forbidden):
            call(session, code=wait(session).code, now=late + timedelta(seconds=1))


def test_a_desktop_of_somebody_who_was_shut_out_meanwhile_stays_out(
    session: Session, offices: Offices, staff_id: int
) -> None:
    desktop = wait(session)
    assert let_in(session, desktop, staff_id)
    session.merge(offices.people["town.staff"]).disabled_at = NOW
    session.flush()
    with pytest.raises(Unauthorized):
        enter(session, desktop)
