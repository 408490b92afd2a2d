"""The installation's keys: each purpose has its own, and stored keys are wrapped."""

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache, partial

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask import current_app

KEY_BYTES = 32
_NONCE_BYTES = 12


def new_key() -> bytes:
    return secrets.token_bytes(KEY_BYTES)


@dataclass(frozen=True)
class EarlierSecret:
    """The secret key before the present one, and until when what it signed is still believed."""

    secret_key: str = field(repr=False)
    until: datetime


class Keyring:
    """Keys for each purpose, derived from the installation's two secrets, which stand in no database.

    `passing` keys sign what lives for hours (tickets, forms) and change when the secret key is changed;
    `lasting` keys stand behind codes, device cookies and wrapped keys, and live as long as the master key.
    What an earlier secret key signed is believed until a moment that the installation names.
    """

    def __init__(self, *, secret_key: str, master_key: str, earlier: EarlierSecret | None = None) -> None:
        self.passing = lru_cache(maxsize=16)(partial(_derive, secret_key))
        self.lasting = lru_cache(maxsize=16)(partial(_derive, master_key))
        self._wrapping = AESGCM(self.lasting("wrap"))
        self._earlier = earlier
        self._earlier_passing = lru_cache(maxsize=16)(partial(_derive, earlier.secret_key if earlier else ""))

    def believed(self, purpose: str, *, now: datetime) -> tuple[bytes, ...]:
        """Return the keys of a purpose whose signatures are ours now, the present one first."""
        is_earlier_believed = self._earlier is not None and now < self._earlier.until
        earlier = (self._earlier_passing(purpose),) if is_earlier_believed else ()
        return (self.passing(purpose), *earlier)

    def hide(self, content: bytes, *, purpose: str) -> str:
        """Encrypt what a page keeps for a while without the database knowing it (AES-256-GCM)."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = nonce + AESGCM(self.passing(purpose)).encrypt(nonce, content, purpose.encode())
        return urlsafe_b64encode(sealed).decode()

    def reveal(self, hidden: str, *, purpose: str, now: datetime) -> bytes | None:
        """Return what was hidden, or None when it is not ours."""
        try:
            sealed = urlsafe_b64decode(hidden.encode("ascii"))
        except ValueError:
            return None
        for key in self.believed(purpose, now=now):
            with suppress(InvalidTag, ValueError):
                return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], purpose.encode())
        return None

    def wrap(self, key: bytes, *, label: str) -> bytes:
        """Encrypt a key for the database; `label` binds it to its place (AES-256-GCM)."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._wrapping.encrypt(nonce, key, label.encode())

    def unwrap(self, wrapped: bytes, *, label: str) -> bytes:
        """Return the key; raises ValueError when it was altered or belongs elsewhere."""
        try:
            return self._wrapping.decrypt(wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], label.encode())
        except InvalidTag as error:
            raise ValueError(f"the wrapped key {label} does not open with this installation's key") from error

    def can_unwrap(self, wrapped: bytes, *, label: str) -> bool:
        """Tell whether a wrapped key opens with this master key."""
        try:
            self.unwrap(wrapped, label=label)
        except ValueError:
            return False
        return True


def encrypt_under(key: bytes, content: bytes, *, label: str) -> bytes:
    """Encrypt content that must become unreadable with a key; `label` binds it to its place (AES-256-GCM)."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(_derive_from(key, label)).encrypt(nonce, content, label.encode())


def decrypt_under(key: bytes, encrypted: bytes, *, label: str) -> bytes:
    """Return what was encrypted under a key; raises ValueError when it was altered or belongs elsewhere."""
    cipher = AESGCM(_derive_from(key, label))
    try:
        return cipher.decrypt(encrypted[:_NONCE_BYTES], encrypted[_NONCE_BYTES:], label.encode())
    except InvalidTag as error:
        raise ValueError(f"{label} does not open with this key") from error


def _derive(secret: str, purpose: str) -> bytes:
    return _derive_from(secret.encode(), purpose)


def _derive_from(secret: bytes, purpose: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=purpose.encode()).derive(secret)


def current_keyring() -> Keyring:
    """Return the keyring of the running application."""
    keyring: Keyring = current_app.extensions["keyring"]
    return keyring
