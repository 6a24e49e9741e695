"""Plays a tape: presses its keys, lets film and engine time pass together, and waits for what it waits for.

What happens does not depend on whether anybody films it: a tape that is only checked lives through the same moments.
"""

import contextlib
import re
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from . import steps
from .keys import meaning, shown
from .stage import Stage
from .steps import Step
from .strip import Strip
from .tape import Tape, TapeError

_BEFORE_A_KEY = 0.25  # seconds of film: the key is seen before what it does …
_AFTER_A_KEY = 0.45  # … and that before the next
_AFTER_A_LINE = 0.15  # for each line that a key has brought …
_LINES_MAX = 8  # … up to so many: who wants more says 'pause'
_BEFORE_A_CAPTION_ENDS = 1.0
_FOR_A_LETTER = 0.035  # seconds in which a letter of a caption is read
_AFTER_A_CAPTION = 0.6  # before anything happens
_DIGITS = re.compile(r"[\d.:█░▁▂▃▄▅▆▇▒┄]+")


class Camera(Protocol):
    """Who watches a tape. The player tells it what happens; it says when the film goes on."""

    filming: bool

    async def shoot(self, at: float, strip: Strip, rate: float) -> None:
        """It is this second of the film, and so many engine seconds pass in one of it."""
        ...

    def scene(self, at: float, title: str) -> None: ...
    def key(self, at: float, key: str) -> None: ...
    async def still(self, name: str) -> None: ...
    async def next_step(self, step: Step) -> None:
        """Before each step; may wait."""
        ...


class Verbs(Protocol):
    """What a tape does to engine and project, past the monitor."""

    async def send(self, function: str, payload: str) -> None: ...
    async def edit(self, file: str, old: str, new: str) -> None: ...


class StageSight:
    """What conditions can see of a stage."""

    def __init__(self, stage: Stage) -> None:
        self._stage, self._company = stage, stage.company

    async def rows(self, pane: str) -> tuple[int, list[dict[str, Any]]]:
        if not self._company.is_there:
            return 0, []
        page = await self._company.engine.page({"view": pane, "limit": 500}, None)
        return page["total"], page["rows"]

    async def lines(self, function: str) -> list[str]:
        if not self._company.is_there:
            return []
        wish = {"view": "logs", "limit": 500, "filter": f"fn:{function}" if function else ""}
        return [row["text"] for row in (await self._company.engine.page(wish, None))["rows"]]

    def totals(self) -> dict[str, Any]:
        return self._company.engine.views.totals() if self._company.is_there else {}

    async def screen(self) -> str:
        await self._stage.settle()
        return self._stage.frame().text


class Player:
    """Plays one tape on a stage, before a camera. `film` is the second of the film that it is."""

    def __init__(self, tape: Tape, stage: Stage, verbs: Verbs, camera: Camera) -> None:
        self._tape, self._stage, self._verbs, self._camera = tape, stage, verbs, camera
        self._company = stage.company
        self._sight = StageSight(stage)
        self.strip = Strip(tape.theme)
        self.film = 0.0
        self._ticks = 0  # of the film: seconds are counted in pictures, for sums of fractions drift
        self._is_hidden = False
        self._read_at = 0.0  # when the caption is read
        self._do: dict[type, Callable[[Any, Step], Awaitable[None]]] = {
            steps.Scene: self._scene, steps.Caption: self._caption, steps.Press: self._press, steps.Type: self._type,
            steps.Choose: self._choose, steps.Wait: self._wait, steps.Assert: self._assert, steps.Pause: self._pause,
            steps.Speed: self._speed, steps.Hide: self._hide, steps.Show: self._show, steps.Still: self._still,
            steps.Send: self._send, steps.Edit: self._edit,
        }  # fmt: skip

    async def play(self) -> None:
        """From the first step to the last. Raises TapeError for what does not come out as the tape says."""
        for step in self._tape.steps:
            await self._camera.next_step(step)
            try:
                await self._do[type(step.action)](step.action, step)
            except (ValueError, TimeoutError) as error:
                raise await self._failed(step, str(error)) from None
        await self._roll(self._read_at - self.film)
        await self._picture()

    async def go_on(self) -> None:
        """Let time pass, until this is cancelled."""
        while True:
            await self._tick()

    async def _failed(self, step: Step, why: str) -> TapeError:
        with contextlib.suppress(TimeoutError):  # it may be just that
            await self._stage.settle()  # nobody has looked so far, if the tape is only checked
            await self._picture()
        return TapeError(f"{self._tape.file}:{step.line}: {step.text}\n  {why}", self._stage.frame().text)

    # -- the film ----------------------------------------------------------------------------------------------------

    @property
    def rate(self) -> float:
        """Engine seconds in one of the film: the speed that the monitor shows."""
        return self._company.rate

    async def _roll(self, seconds: float) -> None:
        """Let so much of the film pass, and engine time with it; nothing while it is hidden."""
        for _ in range(0 if self._is_hidden else round(seconds * self._tape.fps)):
            await self._tick()

    async def _tick(self) -> None:
        if not self._is_hidden:
            await self._picture()
            self._ticks += 1
            self.film = self._ticks / self._tape.fps
        await self._company.advance(self.rate / self._tape.fps)

    async def _picture(self) -> None:
        if self._camera.filming:
            await self._stage.settle()
        await self._camera.shoot(self.film, self.strip, self.rate)

    # -- steps -------------------------------------------------------------------------------------------------------

    async def _scene(self, scene: steps.Scene, _step: Step) -> None:
        self._camera.scene(self.film, scene.title)

    async def _caption(self, caption: steps.Caption, _step: Step) -> None:
        await self._roll(self._read_at - self.film)
        self.strip.caption = caption.text
        if caption.text:
            self._read_at = self.film + _BEFORE_A_CAPTION_ENDS + _FOR_A_LETTER * len(caption.text)
            await self._roll(_AFTER_A_CAPTION)

    async def _press(self, press: steps.Press, _step: Step) -> None:
        for _ in range(press.times):
            for key in press.keys:
                await self._key(key)

    async def _key(self, key: str) -> None:
        await self._stage.settle()
        self.strip.pressed(shown(key), meaning(self._stage.app, key), self.film)
        self._camera.key(self.film, key)
        await self._roll(_BEFORE_A_KEY)
        before = self._words()
        await self._stage.press(key)
        new = len(self._words() - before)
        await self._roll(_AFTER_A_KEY + _AFTER_A_LINE * min(new, _LINES_MAX))

    def _words(self) -> set[str]:
        """The lines on the screen, without what counts."""
        return {_DIGITS.sub("", line).strip() for line in self._stage.frame().text.splitlines()}

    async def _type(self, typed: steps.Type, _step: Step) -> None:
        self.strip.pressed("abc", "typing", self.film)
        for character in typed.text:
            await self._stage.press(character)
            await self._roll(self._tape.typing)
        await self._roll(_AFTER_A_KEY)

    async def _choose(self, choose: steps.Choose, _step: Step) -> None:
        await self._stage.settle()
        main = self._stage.app.main
        names = main.model.function_names()
        if choose.function not in names:
            raise ValueError(f"there is no function {choose.function!r}; there are {', '.join(names)}")
        if main.focused_pane != "functions":
            await self._key("6")
        for _ in names:
            at, to = names.index(main.selected), names.index(choose.function)
            if at == to:
                break
            self.strip.pressed("j" if at < to else "k", f"to {choose.function}", self.film)
            await self._stage.press("j" if at < to else "k")
            await self._roll(self._tape.typing)
        await self._roll(_AFTER_A_KEY)

    async def _wait(self, wait: steps.Wait, _step: Step) -> None:
        before, waited = self.rate, 0.0
        if wait.speed:
            self._company.rate = wait.speed
        while differs := await wait.condition.differs(self._sight):
            if waited >= wait.at_most:
                raise ValueError(f"it did not come to that in {wait.at_most:g} s; {differs}")
            await self._tick()
            waited += (self.rate or 1.0) / self._tape.fps  # where time stands the film goes on
        if wait.speed:
            self._company.rate = before

    async def _assert(self, wish: steps.Assert, _step: Step) -> None:
        await self._company.advance(0.0)
        if differs := await wish.condition.differs(self._sight):
            raise ValueError(f"that is not so; {differs}")

    async def _pause(self, pause: steps.Pause, _step: Step) -> None:
        if self._is_hidden:
            await self._company.advance(pause.seconds * self.rate)
        else:
            await self._roll(pause.seconds)

    async def _speed(self, speed: steps.Speed, _step: Step) -> None:
        self._company.rate = speed.factor

    async def _hide(self, _hide: steps.Hide, _step: Step) -> None:
        await self._roll(self._read_at - self.film)
        self._is_hidden = True

    async def _show(self, _show: steps.Show, _step: Step) -> None:
        self._is_hidden = False

    async def _still(self, still: steps.Still, _step: Step) -> None:
        await self._stage.settle()
        await self._camera.still(still.file)

    async def _send(self, send: steps.Send, _step: Step) -> None:
        for _ in range(send.times):
            await self._verbs.send(send.function, send.payload)

    async def _edit(self, edit: steps.Edit, _step: Step) -> None:
        await self._verbs.edit(edit.file, edit.old, edit.new)
