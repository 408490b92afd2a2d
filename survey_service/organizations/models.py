"""Organizations, and what of them is rated."""

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from survey_service.core.db import Base, BigId, Id, one_of
from survey_service.organizations.rules import (
    MAX_CODE_LENGTH,
    MAX_EDITION_LENGTH,
    MAX_NAME_LENGTH,
    OrganizationKind,
    RosterSize,
    SubjectKind,
)


class Organization(Base):
    """A place in the tree. Its region code changes between editions and is never a key of other tables."""

    __tablename__ = "organization"
    __table_args__ = tuple(CheckConstraint(f"{size} >= 0", name=size) for size in RosterSize)

    id: Mapped[Id]
    code: Mapped[str] = mapped_column(String(MAX_CODE_LENGTH), unique=True)
    name: Mapped[str] = mapped_column(String(MAX_NAME_LENGTH))
    kind: Mapped[OrganizationKind] = mapped_column(one_of(OrganizationKind, name="kind", length=16))
    parent_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("organization.id"), index=True)
    path: Mapped[str] = mapped_column(
        String(200).with_variant(String(200, collation="C"), "postgresql"), index=True
    )
    """The ids from the root down to this one, as in `/1/5/17/`. It is compared byte by byte on every
    engine, so that a sub-tree is one range of the index (see `queries.is_within`)."""
    households: Mapped[int | None]
    members: Mapped[int | None]
    """Party members who may rate."""
    villagers: Mapped[int | None]
    """Villagers who may rate."""
    is_roster_generated: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Sizes that were invented for a demonstration are marked wherever they are shown."""
    region_edition: Mapped[str | None] = mapped_column(String(MAX_EDITION_LENGTH))

    parent: Mapped["Organization | None"] = relationship(remote_side="Organization.id", lazy="raise_on_sql")

    @property
    def parent_code(self) -> str | None:
        return self.parent.code if self.parent else None

    @property
    def sizes(self) -> dict[RosterSize, int | None]:
        return {size: getattr(self, size) for size in RosterSize}


class Subject(Base):
    """What is rated: a branch, a Party organization, a service centre or a person in office."""

    __tablename__ = "subject"
    __table_args__ = (UniqueConstraint("organization_id", "kind"),)

    id: Mapped[Id]
    organization_id: Mapped[int] = mapped_column(BigId, ForeignKey("organization.id"))
    kind: Mapped[SubjectKind] = mapped_column(one_of(SubjectKind, name="kind", length=16))
    name: Mapped[str] = mapped_column(String(MAX_NAME_LENGTH + 20))
