"""What a text may hold so that every database stores it and every page shows it."""

_LAYOUT = frozenset("\t\n\r")


def is_clean(value: str) -> bool:
    """Tell whether a text is free of control characters and of halves of surrogate pairs."""
    return value.isprintable() or not any(map(_is_strange, value))


def _is_strange(character: str) -> bool:
    point = ord(character)
    is_control = point < 32 or 127 <= point < 160
    return (is_control and character not in _LAYOUT) or 0xD800 <= point < 0xE000
