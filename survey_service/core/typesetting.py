"""PDFs by typst, in a child process that ends and gives its memory back."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Mapping
from threading import BoundedSemaphore
from typing import Any
from unicodedata import category

from survey_service.core.errors import Unavailable
from survey_service.core.qr import ErrorCorrection

MOST_SECONDS = 60
"""A poster takes half a second and 5,000 slips ten; what takes longer hangs."""

LONGEST_TEXT = 200
"""Characters of one field; what is longer is cut, so that every text finds room on its page."""

CHILDREN_AT_ONCE = 2
"""A child takes 240 MB for 2,000 slips and 550 MB for 5,000; others wait for their turn."""

_CHILD = "survey_service.core.print"
_turns = BoundedSemaphore(CHILDREN_AT_ONCE)
_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs"})


log = logging.getLogger(__name__)


class PrintError(Unavailable):
    """The typesetter gave no PDF: 503 `print_failed`. The message tells operators why, and holds no code."""

    def __init__(self, reason: str) -> None:
        super().__init__("print_failed")
        self.args = (reason,)
        log.error("a PDF could not be set: %s", reason)


def printable(value: str, *, longest: int = LONGEST_TEXT) -> str:
    """Return one line without control characters, marks of direction and halves of surrogate pairs."""
    line = " ".join(value.split())
    kept = "".join(symbol for symbol in line if category(symbol) not in _UNPRINTABLE)
    return kept if len(kept) <= longest else kept[: longest - 1] + "…"


def typeset(template: str, document: Mapping[str, Any], *, level: ErrorCorrection, mask: int | None) -> bytes:
    """Return the PDF of a document; raises PrintError.

    `template` is a path inside the package, such as `entrances/print/poster.typ`. Each of the document's
    `codes` has a `url`, and gets its QR code.
    """
    job = {"template": template, "document": document, "error_correction": level.name, "mask": mask}
    # The child gets the import path and nothing else: the secrets of the service stand in the environment.
    environment = {"PYTHONPATH": os.pathsep.join(sys.path)}
    try:
        with _turns:
            child = subprocess.run(  # noqa: S603  # The command is our own, the document goes in by a pipe.
                [sys.executable, "-P", "-m", _CHILD],
                input=json.dumps(job).encode(),
                env=environment,
                capture_output=True,
                timeout=MOST_SECONDS,
                check=True,
            )
    except subprocess.TimeoutExpired as error:
        raise PrintError(f"the typesetter took longer than {MOST_SECONDS} s") from error
    except subprocess.CalledProcessError as error:
        raise PrintError(error.stderr.decode(errors="replace").strip().rpartition("\n")[2]) from error
    return child.stdout
