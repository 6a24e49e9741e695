"""A film as MP4 (H.264), by the ffmpeg that comes with the extra "record"."""

import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, cast

from .extra import record_extra
from .frame import Frame
from .raster import Canvas, true_colours
from .reel import Film, FilmError

with record_extra():
    import imageio_ffmpeg  # type: ignore[import-untyped]

_RATE = 12  # pictures a second
_LAST = 3.0  # seconds that the last picture stays at least
_SCALE = 2  # H.264 keeps colours at half the size: that of a usual pixel then
_BT709 = (
    "scale=out_color_matrix=bt709:out_range=tv,"
    "setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709"
)
"""The colours that every player takes for granted, and says so in the file."""


def write_mp4(film: Film, path: Path, progress: Callable[[int, int], None] | None = None) -> None:
    """Replaces a file that is there. `progress` is told how many pictures are written, and of how many."""
    canvas = Canvas(film.extent if film.last else (0, 0), true_colours, "RGB", film.shots[0].frame.ground, _SCALE)
    half_done = path.with_name(f".{path.name}.part")
    try:
        with tempfile.TemporaryFile() as said:
            command = _command(canvas.image.size, half_done)
            with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=said, stderr=said) as process:  # noqa: S603
                _feed(cast("IO[bytes]", process.stdin), canvas, list(_frames(film)), progress)
            said.seek(0)
            words = said.read().decode(errors="replace").strip().splitlines()
        if process.returncode:
            raise FilmError(f"{path} cannot be written: {words[-1] if words else 'ffmpeg failed'}")
        half_done.replace(path)
    finally:
        half_done.unlink(missing_ok=True)


def _feed(file: IO[bytes], canvas: Canvas, frames: list[Frame], progress: Callable[[int, int], None] | None) -> None:
    pixels = b""
    try:
        for done, frame in enumerate(frames, 1):
            if canvas.show(frame) or not pixels:
                pixels = canvas.image.tobytes()
            file.write(pixels)
            if progress is not None:
                progress(done, len(frames))
        file.close()
    except BrokenPipeError:  # it has ended: what it says of that is told
        return


def _command(size: tuple[int, int], path: Path) -> list[str]:
    taken = f"-f rawvideo -pix_fmt rgb24 -s {size[0]}x{size[1]} -r {_RATE} -i -"
    written = f"-an -vf {_BT709} -c:v libx264 -preset medium -crf 18 -pix_fmt yuv420p -movflags +faststart"
    ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-v", "error"]
    return [*ffmpeg, *taken.split(), *written.split(), "-fflags", "+bitexact", "-f", "mp4", str(path)]


def _frames(film: Film) -> Iterator[Frame]:
    """What is shown at each moment of the film, so many times a second."""
    seconds = max(film.seconds, film.shots[-1].at + _LAST)
    following = iter(film.shots)
    shown, coming = next(following), next(following, None)
    for number in range(max(1, round(seconds * _RATE))):
        while coming is not None and round(coming.at * _RATE) <= number:
            shown, coming = coming, next(following, None)
        yield shown.frame
