"""Who may do what, and the rules of names, passwords, lockout and sessions."""

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil
from types import MappingProxyType


class Role(StrEnum):
    """What a staff member is (`domain.md` section 1); the scope is a sub-tree of organizations.

    The last three are the separate administrators: of the system, of security, and of the audit.
    """

    COUNTY_ADMIN = "county_admin"
    TOWN_STAFF = "town_staff"
    BRANCH_SECRETARY = "branch_secretary"
    SYSTEM_ADMIN = "system_admin"
    SECURITY_ADMIN = "security_admin"
    AUDITOR = "auditor"


class AccountState(StrEnum):
    """What a list of accounts can be narrowed to."""

    NEVER_SIGNED_IN = "never_signed_in"
    AWAITING_APPROVAL = "awaiting_approval"
    LOCKED = "locked"
    DISABLED = "disabled"


_EVERYONE = frozenset(Role)
_OFFICES = frozenset({Role.COUNTY_ADMIN, Role.TOWN_STAFF})
"""They run campaigns; a rated party never administers its own evaluation, and an auditor writes nothing."""
_READERS = _OFFICES | {Role.AUDITOR}
_PRINTERS = _OFFICES | {Role.BRANCH_SECRETARY}
_BUSINESS = _READERS | _PRINTERS
"""Those who see evaluations; administrators of the system and of security do not."""
_GIVERS = _OFFICES | {Role.SYSTEM_ADMIN}
"""They give accounts and passwords."""
_TAKERS = _OFFICES | {Role.SECURITY_ADMIN}
"""They approve what was given, and take away."""
_ASSESSORS = _OFFICES | {Role.BRANCH_SECRETARY}
"""A secretary fills in the self-assessment of his own branch; the service narrows it to that."""

PERMISSIONS: Mapping[str, frozenset[Role]] = MappingProxyType(
    {
        "organizations.read": _EVERYONE,
        "organizations.import": _GIVERS,
        "organizations.update": _GIVERS,
        "questionnaires.read": _READERS,
        "questionnaires.write": _OFFICES,
        "campaigns.read": _BUSINESS,
        "campaigns.write": _OFFICES,
        "campaigns.launch": _OFFICES,
        "campaigns.close": _OFFICES,
        "campaigns.seal": _OFFICES,
        "campaigns.withdraw": _OFFICES,
        "campaigns.correct": _OFFICES,
        "entrances.read": _PRINTERS,
        "entrances.create": _OFFICES,
        "entrances.revoke": _OFFICES,
        "posters.print": _PRINTERS,
        "code_sheets.print": _OFFICES,
        "clear_letters.read": _BUSINESS,
        "clear_letters.compose": _PRINTERS,
        "clear_letters.decide": _OFFICES,
        "clear_letters.print": _PRINTERS,
        "paper.read": _OFFICES,
        "paper.print": _OFFICES,
        "paper.open": _OFFICES,
        "paper.key": _OFFICES,
        "paper.close": _OFFICES,
        "progress.read": _BUSINESS,
        "scores.read": _BUSINESS,
        "scores.export": _READERS,
        "schemes.read": _READERS,
        "schemes.write": _OFFICES,
        "ratings.read": _BUSINESS,
        "ratings.export": _BUSINESS,
        "ratings.open": _OFFICES,
        "ratings.preview": _OFFICES,
        "ratings.sign": _OFFICES,
        "ratings.import": _OFFICES,
        "ratings.answer": _ASSESSORS,
        "ratings.score": _ASSESSORS,
        "ratings.find": _OFFICES,
        "ratings.decide": _OFFICES,
        "ratings.move": _OFFICES,
        "staff.read": _READERS | _GIVERS | _TAKERS,
        "staff.create": _GIVERS,
        "staff.import": _GIVERS,
        "staff.print": _GIVERS,
        "staff.reset": _GIVERS,
        "staff.enable": _GIVERS,
        "staff.hand_over": _GIVERS,
        "staff.approve": _TAKERS,
        "staff.disable": _TAKERS,
        "staff.unlock": _TAKERS,
        "staff.end_sessions": _TAKERS,
        "staff.remove_second_factor": _TAKERS,
        "anomalies.read": _OFFICES,
        "anomalies.propose": _OFFICES,
        "anomalies.decide": _OFFICES,
        "disputes.decide": frozenset({Role.COUNTY_ADMIN}),
        "webhooks.manage": frozenset({Role.COUNTY_ADMIN}),
        "insights.read": _OFFICES,
        "opinions.read": _PRINTERS,
        "opinions.triage": _OFFICES,
        "opinions.handle": _PRINTERS,
        "opinions.close": _OFFICES,
        "opinions.key": _OFFICES,
        "opinions.read_original": frozenset({Role.COUNTY_ADMIN}),
        "opinion_boxes.read": _PRINTERS,
        "opinion_boxes.open": _OFFICES,
        "audit.read": frozenset({Role.AUDITOR}),
        "visits.assist": _OFFICES,
        "visits.station": _GIVERS,
        "session.read": _EVERYONE,
        "session.update": _EVERYONE,
    }
)
"""The one table of permissions; `session.*` concern the caller's own session and account."""

_CREATES: Mapping[Role, frozenset[Role]] = MappingProxyType(
    {
        Role.COUNTY_ADMIN: frozenset(Role),
        Role.TOWN_STAFF: frozenset({Role.TOWN_STAFF, Role.BRANCH_SECRETARY}),
        Role.SYSTEM_ADMIN: frozenset({Role.COUNTY_ADMIN, Role.TOWN_STAFF, Role.BRANCH_SECRETARY}),
        Role.SECURITY_ADMIN: frozenset(),
    }
)
_MANAGES_WITHOUT_CREATING: Mapping[Role, frozenset[Role]] = MappingProxyType(
    {Role.SECURITY_ADMIN: frozenset(Role) - {Role.SECURITY_ADMIN}}
)

ACCOUNT_RIGHTS = frozenset(name for name in PERMISSIONS if name.startswith("staff.") and name != "staff.read")
SEPARATED_ROLES = _OFFICES
"""Whom the separation of administrators takes the account rights from."""


def withheld_permissions(role: Role, *, is_separated: bool) -> frozenset[str]:
    """Return what the separation of administrators takes from a role.

    It is on where an active security administrator stands at the person's organization or above it.
    """
    return ACCOUNT_RIGHTS if is_separated and role in SEPARATED_ROLES else frozenset()


def is_allowed(role: str, permission: str, withheld: Collection[str] = ()) -> bool:
    """Tell whether a role has a permission; an unknown permission is nobody's.

    `withheld` are the permissions that its holder does not have where he works.
    """
    return permission not in withheld and role in PERMISSIONS.get(permission, frozenset())


def may_create(creator: Role, role: Role) -> bool:
    """Tell whether accounts of a role may be made by a creator: at or below his own level only."""
    return role in _CREATES.get(creator, frozenset())


def may_manage(manager: Role, role: Role) -> bool:
    """Tell whether a manager may reset or disable accounts of a role: below his own level only.

    Whoever resets a password could sign in with it, and so must never reach his own level. Which of the
    acts are his is another question (`PERMISSIONS`): the administrator of security gives no passwords.
    """
    managed = _MANAGES_WITHOUT_CREATING.get(manager, frozenset())
    return role is not manager and (may_create(manager, role) or role in managed)


RESERVED_USERNAMES = frozenset({"author", "operator", "stranger"})
"""Names that the audit trail gives to those who have no account (`core.audit`)."""
ACCOUNT_TARGET = "staff:"
"""What stands before the user name where the audit trail speaks of an account."""


def account_target(username: str) -> str:
    """Return how the audit trail names an account."""
    return f"{ACCOUNT_TARGET}{username}"


MAX_NAME_LENGTH = 64
_USERNAME = re.compile(r"[\w.@-]{3,64}")
_CONTROL_AND_SURROGATE = {"Cc", "Cs"}


def normalize_username(username: str) -> str:
    """Write a user name as it is stored: full-width letters and capitals make no other name."""
    return unicodedata.normalize("NFKC", username).strip().casefold()


def is_username(name: str) -> bool:
    """Tell whether a normalized user name can be one at all."""
    return _USERNAME.fullmatch(name) is not None


def is_display_name(name: str) -> bool:
    """Tell whether a name can be shown and stored: not empty, not long, no invisible control characters."""
    has_strange = any(unicodedata.category(character) in _CONTROL_AND_SURROGATE for character in name)
    return 0 < len(name) <= MAX_NAME_LENGTH and not has_strange


ONE_TIME_PASSWORD_LIFETIME = timedelta(days=14)
"""A slip that has lain about for longer opens nothing; the level above makes a new one."""

MIN_PASSWORD_LENGTH = 8
MAX_PASSWORD_LENGTH = 128
MIN_PASSWORD_CLASSES = 3
"""Length and classes as the classified protection of level 2 asks (`domain.md` section 8)."""

_COMMON_PASSWORDS = """
1qaz@wsx 1qaz2wsx 1q2w3e4r a1b2c3d4 aa123456 abc12345 abc123456 abc@1234 abcd1234 admin123 admin1234
admin@123 admin@1234 asdf1234 changeme1 dangyuan123 huawei@123 iloveyou1 p@ssw0rd p@ssword1 passw0rd
passw0rd1 password1 password@123 password123 qaz123456 qq123456 qwe12345 qwer1234 qwer@1234 qwerty123
root1234 test1234 welcome1 welcome123 woaini520 woaini1314 zaq12wsx zhibu123
"""
FORBIDDEN_PASSWORDS = frozenset(_COMMON_PASSWORDS.split())
"""What keeps the rules above and is tried first all the same; compared without case and end marks."""


class PasswordFault(StrEnum):
    """Why a password is refused; the sentences are `staff.password_<fault>`."""

    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    TOO_FEW_CLASSES = "too_few_classes"
    CONTAINS_NAME = "contains_name"
    COMMON = "common"


def _character_class(character: str) -> str:
    if character.isdigit():
        return "digit"
    if character.isupper():
        return "upper"
    return "lower" if character.islower() else "other"


def password_faults(password: str, *, username: str) -> tuple[PasswordFault, ...]:
    """Return everything that speaks against a password; nothing when it is good."""
    folded = password.casefold()
    checks = {
        PasswordFault.TOO_SHORT: len(password) < MIN_PASSWORD_LENGTH,
        PasswordFault.TOO_LONG: len(password) > MAX_PASSWORD_LENGTH,
        PasswordFault.TOO_FEW_CLASSES: len(set(map(_character_class, password))) < MIN_PASSWORD_CLASSES,
        PasswordFault.CONTAINS_NAME: username.casefold() in folded,
        PasswordFault.COMMON: folded.rstrip(".!") in FORBIDDEN_PASSWORDS,
    }
    return tuple(fault for fault, is_found in checks.items() if is_found)


MAX_FAILED_LOGINS = 5
LOCKOUT = timedelta(minutes=15)


@dataclass(frozen=True)
class Lockout:
    """The failed attempts of an account, and until when none is heard."""

    failures: int = 0
    locked_until: datetime | None = None

    def minutes_left(self, now: datetime) -> int:
        """Return the minutes until the next attempt is heard, rounded up; 0 when it is heard now."""
        left = (self.locked_until or now) - now
        return max(0, ceil(left / timedelta(minutes=1)))

    def after_attempt(self, now: datetime) -> "Lockout":
        """Count one more attempt; an old lockout starts the count anew."""
        failures = 1 if self.locked_until is not None else self.failures + 1
        return Lockout(failures, now + LOCKOUT if failures >= MAX_FAILED_LOGINS else None)


class TokenKind(StrEnum):
    """How a token travels: in a browser's cookie, or in the header of another system's call."""

    COOKIE = "cookie"
    BEARER = "bearer"


IDLE_TIMEOUT = timedelta(minutes=15)
TOKEN_LIFETIME = timedelta(hours=12)
"""A working day; whoever stays longer signs in again."""
TOUCH_INTERVAL = timedelta(minutes=1)
"""The last use is written at most this often, so that a read stays a read."""


def is_alive(kind: TokenKind, *, last_used_at: datetime, expires_at: datetime, now: datetime) -> bool:
    """Tell whether a token still opens anything; only a browser's session ends by idleness."""
    is_idle = kind is TokenKind.COOKIE and now - last_used_at >= IDLE_TIMEOUT
    return now < expires_at and not is_idle


def is_touch_due(last_used_at: datetime, now: datetime) -> bool:
    """Tell whether the last use should be written again."""
    return now - last_used_at >= TOUCH_INTERVAL


CLIENTS: Mapping[str, str] = MappingProxyType(
    {
        "MicroMessenger": "wechat",
        "DingTalk": "dingtalk",
        "Edg": "edge",
        "Firefox": "firefox",
        "Chrome": "chrome",
        "Safari": "safari",
    }
)
"""What stands in a user agent, the most telling first, and our word for it."""
SYSTEMS: Mapping[str, str] = MappingProxyType(
    {
        "Android": "android",
        "iPhone": "iphone",
        "iPad": "ipad",
        "Windows": "windows",
        "Mac OS": "mac",
        "Linux": "linux",
    }
)


def describe_client(user_agent: str) -> str:
    """Return a coarse word such as `wechat.android`: enough to know one's own devices, and no more."""
    client = next((word for sign, word in CLIENTS.items() if sign in user_agent), "other")
    system = next((word for sign, word in SYSTEMS.items() if sign in user_agent), "other")
    return f"{client}.{system}"
