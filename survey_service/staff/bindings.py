"""The WeChat or 企业微信 account that opens a staff account: bound once, where the password was proven.

An openid that votes and the same openid that signs in have digests under different keys: the tables do not
tell which voter is a colleague.
"""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from survey_service.core.digests import keyed_digest
from survey_service.core.errors import Conflict, Unauthorized
from survey_service.core.privacy import Keyring
from survey_service.staff.models import StaffAccount, StaffBinding
from survey_service.staff.queries import get_account
from survey_service.staff.service import Proof, record_act
from survey_service.wechat.rules import Provider


def binding_digest(keyring: Keyring, provider: Provider, account: str) -> bytes:
    """Return what stands for an account of the provider's in the table of bindings."""
    return keyed_digest(keyring.lasting("staff binding"), provider, account)


def bind(session: Session, *, staff_id: int, provider: Provider, digest: bytes, now: datetime) -> None:
    """Let an account of the provider's open a staff account, in the place of an earlier one.

    Raises Conflict `bound_to_another`: one phone opens one account, so that the trail names one person.
    """
    refuse_another(session, staff_id=staff_id, provider=provider, digest=digest)
    account = get_account(session, staff_id=staff_id)
    session.merge(StaffBinding(staff_id=staff_id, provider=provider, digest=digest, bound_at=now))
    try:
        session.flush()
    except IntegrityError:
        # Somebody else bound it at the same moment.
        raise Conflict("bound_to_another") from None
    record_act(session, "session.bind", account, actor=account.username, after={"provider": provider.value})


def refuse_another(session: Session, *, staff_id: int, provider: Provider, digest: bytes) -> None:
    """Raise Conflict `bound_to_another` for what opens the account of somebody else."""
    holders = select(StaffBinding.staff_id).where(
        StaffBinding.provider == provider, StaffBinding.digest == digest, StaffBinding.staff_id != staff_id
    )
    if session.scalar(holders) is not None:
        raise Conflict("bound_to_another")


def unbind(session: Session, *, staff_id: int, provider: Provider) -> None:
    """Take a binding back; nothing happens where there is none."""
    gone = delete(StaffBinding).where(StaffBinding.staff_id == staff_id, StaffBinding.provider == provider)
    session.execute(gone)
    account = get_account(session, staff_id=staff_id)
    record_act(session, "session.unbind", account, before={"provider": provider.value})


def forget_bindings(session: Session, account: StaffAccount) -> None:
    """Take back what opened an account that is shut, or given to its person anew."""
    session.execute(delete(StaffBinding).where(StaffBinding.staff_id == account.id))


def find_bound(session: Session, *, provider: Provider, digest: bytes) -> tuple[str, Proof]:
    """Return the user name that is opened, and the proof for it; raises Unauthorized `not_bound`."""
    statement = (
        select(StaffAccount.username, StaffAccount.id, StaffAccount.password_hash)
        .join(StaffBinding, StaffBinding.staff_id == StaffAccount.id)
        .where(StaffBinding.provider == provider, StaffBinding.digest == digest)
    )
    found = session.execute(statement).one_or_none()
    if found is None:
        raise Unauthorized("not_bound")
    return found.username, Proof(found.id, found.password_hash)


def list_bindings(session: Session, *, staff_id: int) -> list[StaffBinding]:
    """Return what opens an account besides its password."""
    return list(session.scalars(select(StaffBinding).where(StaffBinding.staff_id == staff_id)))
