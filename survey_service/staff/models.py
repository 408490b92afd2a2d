"""Staff accounts and their tokens."""

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, PrimaryKeyConstraint, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from survey_service.core.db import Base, BigId, Id, one_of
from survey_service.organizations.models import Organization
from survey_service.staff.rules import Lockout, Role, TokenKind
from survey_service.wechat.rules import Provider


class StaffAccount(Base):
    """A person at a desk: a role, and as scope the sub-tree of an organization."""

    __tablename__ = "staff_account"

    id: Mapped[Id]
    username: Mapped[str] = mapped_column(String(64), unique=True)
    """As `normalize_username` writes it, so that the unique key sees no case."""
    display_name: Mapped[str] = mapped_column(String(64))
    password_hash: Mapped[str] = mapped_column(String(200))
    role: Mapped[Role] = mapped_column(one_of(Role, name="role", length=16))
    organization_id: Mapped[int] = mapped_column(BigId, ForeignKey("organization.id"), index=True)
    failed_logins: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]
    must_change_password: Mapped[bool]
    password_expires_at: Mapped[datetime | None]
    """Until when a one-time password opens anything; None behind a password of one's own."""
    approved_at: Mapped[datetime | None]
    """None while the administrator of security has not approved the account or its new password."""
    last_signed_in_at: Mapped[datetime | None]
    created_at: Mapped[datetime]

    organization: Mapped[Organization] = relationship(lazy="joined", innerjoin=True)

    @property
    def lockout(self) -> Lockout:
        return Lockout(self.failed_logins, self.locked_until)

    @lockout.setter
    def lockout(self, lockout: Lockout) -> None:
        self.failed_logins, self.locked_until = lockout.failures, lockout.locked_until

    @property
    def is_disabled(self) -> bool:
        return self.disabled_at is not None

    @property
    def is_approved(self) -> bool:
        return self.approved_at is not None

    @property
    def has_signed_in(self) -> bool:
        return self.last_signed_in_at is not None


class StaffToken(Base):
    """A token that opens the service; only its digest is kept, and to revoke it is to delete it."""

    __tablename__ = "staff_token"

    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    staff_id: Mapped[int] = mapped_column(BigId, ForeignKey("staff_account.id"), index=True)
    kind: Mapped[TokenKind] = mapped_column(one_of(TokenKind, name="kind", length=16))
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    locked_at: Mapped[datetime | None]
    """Since when somebody else has held the phone: the token opens nothing until the password is given."""
    client: Mapped[str] = mapped_column(String(32), default="")
    """As `describe_client` writes it: a coarse word, no address and no whole user agent."""


class SecondFactor(Base):
    """The shared secret of an account's one-time codes (RFC 6238), wrapped by the master key."""

    __tablename__ = "second_factor"

    staff_id: Mapped[int] = mapped_column(BigId, ForeignKey("staff_account.id"), primary_key=True)
    wrapped_secret: Mapped[bytes] = mapped_column(LargeBinary(64))
    last_step: Mapped[int] = mapped_column(BigId)
    """The newest step whose code was used: no code opens anything twice."""
    confirmed_at: Mapped[datetime | None]
    """None until the person has shown that his phone makes the right codes."""


class RecoveryCode(Base):
    """What opens an account once where the phone is lost; only a digest is kept."""

    __tablename__ = "recovery_code"

    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    staff_id: Mapped[int] = mapped_column(BigId, ForeignKey("staff_account.id"), index=True)


class StaffBinding(Base):
    """The WeChat or 企业微信 account that opens a staff account; of it only a digest is kept."""

    __tablename__ = "staff_binding"
    __table_args__ = (
        PrimaryKeyConstraint("staff_id", "provider"),
        UniqueConstraint("provider", "digest"),
    )

    staff_id: Mapped[int] = mapped_column(BigId, ForeignKey("staff_account.id"))
    provider: Mapped[Provider] = mapped_column(one_of(Provider, name="provider", length=16))
    digest: Mapped[bytes] = mapped_column(LargeBinary(16))
    bound_at: Mapped[datetime]


class DesktopRequest(Base):
    """A desktop that waits for a phone to let it in: a minute or two long."""

    __tablename__ = "desktop_request"

    code_digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    """Of the code that the phone scans."""
    secret_digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    """Of what only the browser of the desktop knows."""
    number: Mapped[int]
    """What the desktop shows, so that nobody lets in a desktop that he does not see."""
    client: Mapped[str] = mapped_column(String(32))
    expires_at: Mapped[datetime] = mapped_column(index=True)
    staff_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("staff_account.id"))
    """Who let it in."""
