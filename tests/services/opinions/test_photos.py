"""What strangers send as photos: pictures go on without their metadata, all else is refused."""

import io
import struct
import zipfile
import zlib

import pytest
from PIL import Image

from survey_service.core.errors import Invalid
from survey_service.opinions.photos import MAX_PHOTO_BYTES, redraw


def photo(kind: str = "JPEG", size: tuple[int, int] = (40, 20), **options: object) -> bytes:
    drawn = io.BytesIO()
    Image.new("RGB", size, "red").save(drawn, kind, **options)
    return drawn.getvalue()


def with_position() -> bytes:
    exif = Image.Exif()
    exif[0x010F] = "Camera of Wang"
    exif[0x0112] = 6
    exif.get_ifd(0x8825)[2] = (29.0, 4.0, 12.5)
    return photo(exif=exif.tobytes(), comment=b"13812345678")


def bomb() -> bytes:
    """A PNG of a few kilobytes that asks for 30,000 × 30,000 pixels."""
    head = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    parts = [(b"IHDR", head), (b"IDAT", zlib.compress(b"\0" * 100_000)), (b"IEND", b"")]
    chunks = [
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in parts
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def archive() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("photo.jpg", "x")
    return packed.getvalue()


def test_a_photo_loses_all_but_its_pixels_and_stands_upright() -> None:
    (drawn,) = redraw([with_position()])
    for trace in (b"Camera", b"Exif", b"13812345678", b"GPS"):
        assert trace not in drawn
    with Image.open(io.BytesIO(drawn)) as seen:
        assert (seen.format, seen.size, dict(seen.getexif())) == ("JPEG", (20, 40), {})


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_other_pictures_become_jpeg_of_a_bounded_size(kind: str) -> None:
    (drawn,) = redraw([photo(kind, (3200, 1000))])
    with Image.open(io.BytesIO(drawn)) as seen:
        assert (seen.format, seen.size) == ("JPEG", (1600, 500))


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.mark.parametrize(
    "content",
    [bomb(), archive(), SVG, b"MZ\x90\x00" + b"\0" * 200, photo("GIF"), photo()[:200], b"\xff\xd8\xff\xe0"],
    ids=["bomb", "zip", "svg", "exe", "gif", "cut off", "head only"],
)
def test_what_is_no_photo_is_refused_kindly(content: bytes) -> None:
    with pytest.raises(Invalid) as refused:
        redraw([content])
    assert refused.value.errors["photos"]


def test_number_and_size_are_bounded() -> None:
    assert redraw([b""]) == []
    for files in ([photo()] * 4, [b"\xff" * (MAX_PHOTO_BYTES + 1)]):
        with pytest.raises(Invalid):
            redraw(files)
