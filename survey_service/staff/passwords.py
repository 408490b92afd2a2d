"""Passwords as they are stored: slow hashes of chosen ones, fast digests of one-time ones.

A one-time password is random (69 bits) and opens nothing after two weeks or after the first change. Nobody
guesses it, however fast its digest is, and a county's 400 slips are made in no time (decision 24).
"""

import hmac
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from survey_service.core.digests import plain_digest
from survey_service.staff.rules import password_faults

_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
"""OWASP's parameters for Argon2id; 42 ms, and a flood of sign-ins does not stop a small machine."""

_ALPHABET = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""No look-alikes: these passwords are read from paper."""
_GROUPS, _GROUP_LENGTH = 3, 4
"""Twelve of 54 letters: 69 bits."""

_ONE_TIME = "once"
_SALT_BYTES = 8


def encode(password: str) -> bytes:
    """Return the bytes of a password; half a surrogate pair is a wrong password and no crash."""
    return password.encode("utf-8", "surrogatepass")


def hash_password(password: str) -> str:
    """Return the Argon2id hash of a password, with its salt and parameters."""
    return _HASHER.hash(encode(password))


HASH_OF_NOBODY = hash_password(secrets.token_urlsafe())
"""Checked for unknown names, so that they take as long as known ones."""


def digest_one_time_password(password: str) -> str:
    """Return the salted digest of a random password, marked as one."""
    return _written(secrets.token_hex(_SALT_BYTES), password)


def _written(salt: str, password: str) -> str:
    return f"{_ONE_TIME}${salt}${plain_digest('one-time password', salt, encode(password)).hex()}"


def is_right(stored: str, password: str) -> bool:
    """Tell whether a password stands behind a hash or digest; each answer costs one slow hash."""
    kind, _, rest = stored.partition("$")
    if kind != _ONE_TIME:
        return _matches(stored, password)
    # Else the time of the answer would tell which accounts nobody has used yet.
    _matches(HASH_OF_NOBODY, password)
    return hmac.compare_digest(_written(rest.partition("$")[0], password), stored)


def _matches(stored: str, password: str) -> bool:
    try:
        return _HASHER.verify(stored, encode(password))
    except VerifyMismatchError:
        return False


def random_code() -> str:
    """Return random letters like `kX7m-Rp4w-9Tzq`."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP_LENGTH)) for _ in range(_GROUPS))


def random_password(username: str) -> str:
    """Return a random password that keeps the rules."""
    while True:
        password = random_code()
        if not password_faults(password, username=username):
            return password
