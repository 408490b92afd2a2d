"""Find templates, built front-end files and migrations in a checkout as well as in an installed wheel."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent


def resource(name: str) -> Path:
    """Return the folder `name` (such as `h5/templates`), inside the package or else beside it."""
    inside = _PACKAGE / name
    return inside if inside.exists() else _PACKAGE.parent / name
