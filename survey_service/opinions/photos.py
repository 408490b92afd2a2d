"""Photos of an opinion: at most three, of a bounded size, and drawn anew before anything keeps them."""

import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from threading import BoundedSemaphore

from survey_service.core.errors import Invalid
from survey_service.core.texts import text
from survey_service.opinions.rules import MAX_PHOTOS

MAX_PHOTO_BYTES = 8 * 1024 * 1024
"""A phone's photo of 48 million pixels; whoever has larger ones is told so."""
MAX_UPLOAD_BYTES = MAX_PHOTOS * MAX_PHOTO_BYTES

_PHOTO_PROCESS = Path(__file__).with_name("photo_process.py")
_MOST_SECONDS = 20
_turns = BoundedSemaphore(2)
"""A process may take 768 MB; others wait for their turn."""


def redraw(files: Iterable[bytes]) -> Sequence[bytes]:
    """Return photos as JPEG without their metadata; raises Invalid `invalid_opinion`, naming `photos`."""
    given = [content for content in files if content]
    if len(given) > MAX_PHOTOS:
        raise _refused("too_many", most=MAX_PHOTOS)
    if any(len(content) > MAX_PHOTO_BYTES for content in given):
        raise _refused("too_large", most=MAX_PHOTO_BYTES // 1024 // 1024)
    return [_redraw_one(content) for content in given]


def _redraw_one(content: bytes) -> bytes:
    command = [sys.executable, "-I", str(_PHOTO_PROCESS)]
    try:
        with _turns:
            finished = subprocess.run(  # noqa: S603  # The command is our own file, the photo goes in by a pipe.
                command, input=content, capture_output=True, timeout=_MOST_SECONDS, check=True
            )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        raise _refused("unreadable") from error
    return finished.stdout


def _refused(kind: str, **values: object) -> Invalid:
    return Invalid("invalid_opinion", errors={"photos": [text(f"opinions.photo_{kind}", **values)]})
