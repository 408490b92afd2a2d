"""Originals and photos, encrypted under a key that the master key wraps."""

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy.orm import Session

from survey_service.core.privacy import Keyring, new_key
from survey_service.opinions.models import OpinionKey
from survey_service.opinions.statements import insert_once

THE_ONE = 1
_NONCE_BYTES = 12


def key_label(key_id: int) -> str:
    """Return the label that binds the wrapped key to its row."""
    return f"opinion key:{key_id}"


class Vault:
    """Encrypts and opens what belongs to one opinion (AES-256-GCM)."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def close(self, content: bytes, *, label: str) -> bytes:
        """Encrypt; `label` binds the content to its row."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, content, label.encode())

    def open(self, sealed: bytes, *, label: str) -> bytes:
        """Return the content; raises ValueError when it was altered or stands in another's row."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], label.encode())
        except InvalidTag as error:
            raise ValueError(f"{label} does not open") from error


def open_vault(session: Session, *, keyring: Keyring) -> Vault:
    """Return the vault of the installation; its key is made when the first opinion comes."""
    row = session.get(OpinionKey, THE_ONE)
    if row is None:
        wrapped = keyring.wrap(new_key(), label=key_label(THE_ONE))
        insert_once(session, OpinionKey, {"id": THE_ONE, "wrapped_key": wrapped})
        row = session.get_one(OpinionKey, THE_ONE, populate_existing=True)
    return Vault(keyring.unwrap(row.wrapped_key, label=key_label(THE_ONE)))


def original_label(opinion_id: int) -> str:
    return f"original:{opinion_id}"


def photo_label(opinion_id: int, number: int) -> str:
    return f"photo:{opinion_id}:{number}"
