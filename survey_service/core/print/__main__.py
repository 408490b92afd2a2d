"""Set one document: JSON on standard input, PDF on standard output.

It runs as a process of its own that ends, so that the memory of the typesetter is given back.
"""

import json
import sys
from pathlib import Path
from typing import Any

import pylopdf_fonts_zh_cn
import typst

from survey_service.core.qr import QUIET_ZONE, ErrorCorrection, drawn, modules

_ROOT = Path(__file__).parents[2]
_FONTS = Path(pylopdf_fonts_zh_cn.__file__).parent


def main() -> None:
    job: dict[str, Any] = json.load(sys.stdin.buffer)
    level = ErrorCorrection[job["error_correction"]]
    for code in job["document"]["codes"]:
        rows = modules(code["url"], level=level, mask=job["mask"])
        code |= {"qr": drawn(rows), "side": len(rows), "quiet": QUIET_ZONE}
    sys.stdout.buffer.write(_typeset(job["template"], job["document"]))


def _typeset(template: str, document: dict[str, Any]) -> bytes:
    # A template reads the document as data, so that nothing in it is ever taken for markup.
    return typst.compile(
        _ROOT / template,
        root=_ROOT,
        font_paths=[_FONTS],
        ignore_system_fonts=True,
        sys_inputs={"document": json.dumps(document)},
        pdf_tags=False,
    )


if __name__ == "__main__":
    main()
