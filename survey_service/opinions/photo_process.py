"""Draw one photo anew in a process of its own: a file on standard input, a JPEG on standard output.

A file of some kilobytes can ask for gigabytes, and a decoder of pictures is much code that reads what
strangers send. Here that process is not the web server, and its memory and time are bounded. Only what can be
seen goes on: the pixels, upright, and neither place nor time nor device. It is started by path and imports
nothing of this package.
"""

import resource
import sys
import warnings
from io import BytesIO

from PIL import Image, ImageOps, UnidentifiedImageError

_MEMORY_BYTES = 768 * 1024 * 1024
_CPU_SECONDS = 15
_FORMATS = ("JPEG", "PNG", "WEBP")
_MOST_PIXELS = 60_000_000
"""The photo of a phone of 48 million pixels, and no more."""
_LONGEST_SIDE = 1600
_QUALITY = 82
NOT_A_PHOTO = 3
"""How the process ends when what it was given is no photo that it reads."""


def _limit_resources() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _redrawn(content: bytes) -> bytes:
    with Image.open(BytesIO(content), formats=_FORMATS) as photo:
        if photo.width * photo.height > _MOST_PIXELS:
            raise UnidentifiedImageError
        # A JPEG is decoded at a fraction of its size where that is enough.
        photo.draft("RGB", (_LONGEST_SIDE, _LONGEST_SIDE))
        upright = ImageOps.exif_transpose(photo)
        upright.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
        flat = Image.new("RGB", upright.size, "white")
        layer = upright.convert("RGBA")
        flat.paste(layer, mask=layer.getchannel("A"))
    drawn = BytesIO()
    flat.save(drawn, "JPEG", quality=_QUALITY, optimize=True)
    return drawn.getvalue()


def _main() -> int:
    _limit_resources()
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    try:
        drawn = _redrawn(sys.stdin.buffer.read())
    except (
        UnidentifiedImageError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
        OSError,
        ValueError,
        SyntaxError,
        MemoryError,
    ):
        return NOT_A_PHOTO
    sys.stdout.buffer.write(drawn)
    return 0


if __name__ == "__main__":
    sys.exit(_main())
