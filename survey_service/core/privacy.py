"""The installation's keys: each purpose has its own, and stored keys are wrapped."""

import secrets
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


class Keyring:
    """Keys for each purpose, derived from the installation's two secrets, which stand in no database.

    `passing` keys sign what lives for hours (tickets, forms) and change when the secret key is changed;
    `lasting` keys stand behind codes, device cookies and wrapped keys, and live as long as the master key.
    """

    def __init__(self, *, secret_key: str, master_key: str) -> None:
        self.passing = lru_cache(maxsize=16)(partial(_derive, secret_key))
        self.lasting = lru_cache(maxsize=16)(partial(_derive, master_key))
        self._wrapping = AESGCM(self.lasting("wrap"))

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


def _derive(secret: str, purpose: str) -> bytes:
    hkdf = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=purpose.encode())
    return hkdf.derive(secret.encode())


def current_keyring() -> Keyring:
    """Return the keyring of the running application."""
    keyring: Keyring = current_app.extensions["keyring"]
    return keyring
