"""Codes of entrances: twelve symbols that carry 60 bits, and one that finds a slip of the pen.

The symbols are Crockford's base 32 without I, L, O and U. The check symbol is a linear one over the field
of 32 elements: no single wrong symbol and no swap of two symbols, adjacent or not, passes it.
"""

import hmac
import secrets
import unicodedata

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
BITS_PER_SYMBOL = 5
PAYLOAD_LENGTH = 12
CODE_LENGTH = PAYLOAD_LENGTH + 1

_PAYLOAD_BYTES = (PAYLOAD_LENGTH * BITS_PER_SYMBOL + 7) // 8
_LONGEST_TYPED = 64
_SHORTEST_KEY = 16
_DOMAIN = b"survey_service.entrances.code"
_POLYNOMIAL = 0b100101
"""x**5 + x**2 + 1 is primitive: the weights x, x**2 … x**31 of the places of a code all differ."""

_VALUES = {symbol: value for value, symbol in enumerate(ALPHABET)}
_TIMES_X = tuple((value << 1) ^ (_POLYNOMIAL if value & 16 else 0) for value in range(32))
# A code has no U (Crockford leaves it out lest codes spell words), so a typed U is a V that was misread.
_LOOK_ALIKES = {"I": "1", "L": "1", "O": "0", "U": "V"}
_READINGS = {symbol: symbol for symbol in ALPHABET} | _LOOK_ALIKES
_READINGS |= {typed.lower(): symbol for typed, symbol in _READINGS.items()}
_MINUS = "\N{MINUS SIGN}"
_SEPARATING_CATEGORIES = frozenset({"Zs", "Zl", "Zp", "Pd", "Cf"})


def symbols(data: bytes, length: int) -> str:
    """Write the first `5 * length` bits of `data` as symbols; raises ValueError when there are fewer."""
    surplus = len(data) * 8 - length * BITS_PER_SYMBOL
    if surplus < 0:
        raise ValueError(f"{len(data)} bytes do not fill {length} symbols")
    number = int.from_bytes(data, "big") >> surplus
    shifts = range((length - 1) * BITS_PER_SYMBOL, -1, -BITS_PER_SYMBOL)
    return "".join(ALPHABET[number >> shift & 31] for shift in shifts)


def code_of_slot(batch_key: bytes, *, serial: int, issue: int) -> str:
    """Derive the one-time code of a slot; each issue of the same serial has another code.

    Raises ValueError for a key too short to be one, OverflowError for a serial beyond 64 or an issue beyond
    32 bits.
    """
    if len(batch_key) < _SHORTEST_KEY:
        raise ValueError("the batch key is too short")
    message = _DOMAIN + serial.to_bytes(8, "big") + issue.to_bytes(4, "big")
    return _with_check(hmac.digest(batch_key, message, "sha256"))


def random_code() -> str:
    """Return a fresh code for a posted entrance."""
    return _with_check(secrets.token_bytes(_PAYLOAD_BYTES))


def normalize(raw: str) -> str | None:
    """Return the canonical 13 symbols of a typed code, or None when it cannot be one of ours.

    Lower case, full-width characters, spaces, hyphens, I or L for 1, O for 0 and U for V are understood.
    """
    typed = read_symbols(raw, CODE_LENGTH)
    return typed if typed is not None and _remainder(typed) == 0 else None


def read_symbols(raw: str, length: int) -> str | None:
    """Return exactly `length` canonical symbols of what a person typed, unchecked, or None."""
    if len(raw) > _LONGEST_TYPED:
        return None
    readings = [_READINGS.get(typed) for typed in unicodedata.normalize("NFKC", raw) if not _separates(typed)]
    read = [symbol for symbol in readings if symbol is not None]
    return "".join(read) if len(read) == len(readings) == length else None


def grouped(code: str) -> str:
    """Return the code as people read and type it, such as `7K2M-9QXW-3T5NA`."""
    return f"{code[:4]}-{code[4:8]}-{code[8:]}"


def _with_check(data: bytes) -> str:
    payload = symbols(data, PAYLOAD_LENGTH)
    return payload + ALPHABET[_TIMES_X[_remainder(payload)]]


def _remainder(code: str) -> int:
    """Return the code, read as a polynomial over GF(32), at x: 0 for a code with its check symbol."""
    remainder = 0
    for symbol in code:
        remainder = _TIMES_X[remainder] ^ _VALUES[symbol]
    return remainder


def _separates(typed: str) -> bool:
    return typed == _MINUS or typed.isspace() or unicodedata.category(typed) in _SEPARATING_CATEGORIES
