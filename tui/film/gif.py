"""A film as a GIF that plays for ever: true colours, and of each picture only what differs from the one before."""

from collections.abc import Callable
from pathlib import Path

from .extra import record_extra
from .frame import Frame
from .palette import MOST, Palette
from .raster import Area, Canvas
from .reel import Film, FilmError

with record_extra():
    from PIL import Image, ImageChops
    from PIL.GifImagePlugin import getdata

_LAST = 300  # hundredths of a second that the last picture stays at least, before the film begins again
_SHORTEST, _LONGEST = 2, 65_535  # hundredths: browsers show for long what is shorter, the format ends there
_NOTHING = Area(0, 0, 1, 1)  # the smallest that a picture can change
_AS_BEFORE = MOST  # number of the colour that leaves what is there


def write_gif(
    film: Film, path: Path, progress: Callable[[int, int], None] | None = None, comment: str = "", scale: int = 1
) -> None:
    """Replaces a file that is there. `progress` is told how many pictures are drawn, and of how many; `comment` is
    a short text that `gif_comment` reads again; `scale` makes every pixel so many pixels wide and high."""
    _ = film.last  # there has to be one
    pictures = _timed(film)
    palette = Palette(frame for _, frame in pictures)
    around = palette.number(pictures[0][1].ground)
    canvas = Canvas(film.extent, lambda mask, look: mask.point(palette.shades(look)), "L", around, scale)
    blocks = [_head(canvas.image.size, palette, comment)]
    before: Image.Image | None = None
    for done, (hundredths, frame) in enumerate(pictures, 1):
        area = canvas.show(frame) or _NOTHING
        blocks.append(_picture(canvas.image, before, area, hundredths))
        before = canvas.image.copy()
        if progress is not None:
            progress(done, len(pictures))
    path.write_bytes(b"".join([*blocks, b";"]))


def gif_comment(path: Path) -> str:
    """The comment that a GIF carries along; "" if there is none. FilmError if it is no GIF."""
    try:
        with Image.open(path, formats=["GIF"]) as image:
            return bytes(image.info.get("comment", b"")).decode(errors="replace")
    except OSError as error:
        raise FilmError(f"{path} cannot be read as a GIF: {error}") from error


def _timed(film: Film) -> list[tuple[int, Frame]]:
    """How many hundredths of a second each picture stands; one that would stand too short gives way to the next."""
    starts: list[tuple[int, Frame]] = []
    for at, frame in film.shots:
        start = round((at - film.shots[0].at) * 100)
        if starts and start - starts[-1][0] < _SHORTEST:
            start = starts.pop()[0]
        starts.append((start, frame))
    end = max(round((film.seconds - film.shots[0].at) * 100), starts[-1][0] + _LAST)
    ends = [*(start for start, _ in starts[1:]), end]
    return [(min(_LONGEST, until - start), frame) for (start, frame), until in zip(starts, ends, strict=True)]


def _head(size: tuple[int, int], palette: Palette, comment: str) -> bytes:
    """What a GIF begins with: its size, 256 colours, how often it plays, what is said about it."""
    head = b"GIF89a" + _words(*size) + bytes((0xF7, 0, 0)) + palette.bytes.ljust(3 * 256, b"\0")
    head += b"!\xff\x0bNETSCAPE2.0\x03\x01\0\0\0"  # for ever
    told = comment.encode()
    pieces = [told[at : at + 255] for at in range(0, len(told), 255)]
    return head + (b"!\xfe" + b"".join(bytes((len(one),)) + one for one in pieces) + b"\0" if pieces else b"")


def _picture(now: "Image.Image", before: "Image.Image | None", area: Area, hundredths: int) -> bytes:
    """The area of a picture; what is in it as before is left out where that is shorter."""
    control = b"!\xf9\x04" + bytes((0b101,)) + _words(hundredths) + bytes((_AS_BEFORE, 0))
    if before is None:
        return control + b"".join(getdata(now))
    whole = now.crop(area)
    same = ImageChops.difference(whole, before.crop(area)).point([255] + [0] * 255)
    news = whole.copy()
    news.paste(_AS_BEFORE, mask=same)
    return control + min((b"".join(getdata(one, area[:2])) for one in (whole, news)), key=len)


def _words(*numbers: int) -> bytes:
    return b"".join(number.to_bytes(2, "little") for number in numbers)
