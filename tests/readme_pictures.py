"""Draws the README's pictures from their tapes, or says which ones no longer show what lamtop does.

    python tests/readme_pictures.py            compare; exit code 1 if a picture is stale
    python tests/readme_pictures.py --renew    draw them anew

The film carries a digest of the words of all its pictures, so that another Pillow or font does not make it stale.
"""

import asyncio
import hashlib
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "tui"))

from snapshot import difference  # noqa: E402

from lamtop.tui.demo.filming import film_of  # noqa: E402
from lamtop.tui.demo.shelf import find_tape  # noqa: E402
from lamtop.tui.film.files import write_film  # noqa: E402
from lamtop.tui.film.gif import gif_comment  # noqa: E402
from lamtop.tui.film.reel import Film  # noqa: E402

PICTURES = ROOT / "tui" / "pictures"
RENEW = "python tests/readme_pictures.py --renew"


def filmed(tape: str, stills: Path) -> Film:
    """Play a tape and film it."""
    return asyncio.run(film_of(find_tape(tape), stills=stills))[0]


def digest(film: Film) -> str:
    """Of all that can be read in a film, and when."""
    told = "".join(f"{shot.at:.3f}\n{shot.frame.text}\n" for shot in film.shots)
    return hashlib.sha256(told.encode()).hexdigest()[:24]


def renew() -> None:
    """Draw all of them."""
    for old in PICTURES.glob("*.svg"):
        old.unlink()
    filmed(str(PICTURES / "views.tape"), PICTURES)
    film = filmed("tour", PICTURES)
    write_film(film, PICTURES / "tour.gif", comment=digest(film))
    for path in sorted(PICTURES.iterdir()):
        print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1000:,.0f} kB")


def stale() -> list[str]:
    """What is wrong with the pictures that are there."""
    with tempfile.TemporaryDirectory() as place:
        fresh = Path(place)
        filmed(str(PICTURES / "views.tape"), fresh)
        drawn = {path.name: path.read_text(encoding="utf-8") for path in fresh.glob("*.svg")}
        tour = digest(filmed("tour", fresh))
    kept = {path.name: path.read_text(encoding="utf-8") for path in PICTURES.glob("*.svg")}
    wrong = [f"{name}: no tape draws it any more" for name in kept.keys() - drawn.keys()]
    wrong += [f"{name}: is missing" for name in drawn.keys() - kept.keys()]
    for name in kept.keys() & drawn.keys():
        if kept[name] != drawn[name]:
            wrong.append(f"{name} is stale: {difference(kept[name], drawn[name]) or 'it is drawn in another way'}")
    film = PICTURES / "tour.gif"
    if not film.exists() or gif_comment(film) != tour:
        wrong.append("tour.gif is stale: the tape shows something else now")
    return sorted(wrong)


def main() -> None:
    if "--renew" in sys.argv:
        renew()
    elif wrong := stale():
        sys.exit("\n".join([*wrong, f"Look at what has changed, then draw them anew: {RENEW}"]))
    else:
        print("the README's pictures show what lamtop does")


if __name__ == "__main__":
    main()
