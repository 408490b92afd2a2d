"""Keyed digests and wrapped keys: what is needed to know a person again without knowing who it is."""

import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import lru_cache, partial
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask import current_app

KEY_BYTES = 32
DIGEST_BYTES = 16
"""128 bits: no two of 2**32 credentials of a campaign meet, and an index entry stays small."""
_NONCE_BYTES = 12


def _joined(parts: tuple[str | bytes, ...]) -> bytes:
    # Each part carries its length, so that ("ab", "c") and ("a", "bc") never give the same bytes.
    encoded = (part.encode() if isinstance(part, str) else part for part in parts)
    return b"".join(len(part).to_bytes(4, "big") + part for part in encoded)


def keyed_digest(key: bytes, *parts: str | bytes) -> bytes:
    """Return 16 bytes of HMAC-SHA256 over the parts: equal only for equal parts under the same key."""
    return hmac.digest(key, _joined(parts), "sha256")[:DIGEST_BYTES]


def plain_digest(*parts: str | bytes) -> bytes:
    """Return 32 bytes of SHA-256 over the parts, for values that are secret by themselves."""
    return sha256(_joined(parts)).digest()


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


def sign(key: bytes, payload: bytes) -> str:
    """Return `payload.signature` in base64url, without padding."""
    return f"{_encode(payload)}.{_encode(keyed_digest(key, payload))}"


def verify(key: bytes, signed: str) -> bytes | None:
    """Return the payload of a signed value, or None when it is not ours."""
    head, _, tail = signed.partition(".")
    try:
        payload, signature = _decode(head), _decode(tail)
    except ValueError:
        return None
    return payload if hmac.compare_digest(signature, keyed_digest(key, payload)) else None


def _encode(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()


def _decode(value: str) -> bytes:
    return urlsafe_b64decode(value.encode("ascii") + b"=" * (-len(value) % 4))


def current_keyring() -> Keyring:
    """Return the keyring of the running application."""
    keyring: Keyring = current_app.extensions["keyring"]
    return keyring
