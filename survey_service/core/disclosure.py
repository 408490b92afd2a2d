"""Which figures may be shown: pure rules that every figure passes before anybody sees it."""


def is_release_due(*, returned: int, released_at_count: int | None, min_cell: int, is_closed: bool) -> bool:
    """Tell whether the figures of a subject may be shown anew.

    While a campaign is open a new release needs at least `min_cell` ballots more than the last one,
    so that nobody can read single ballots out of the difference; after closing the figures are exact.
    `released_at_count` is None before the first release.
    """
    return is_closed or released_at_count is None or returned - released_at_count >= min_cell
