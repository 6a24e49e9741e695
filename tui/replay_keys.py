"""The keys of a replay, on whatever screen they are pressed."""

from functools import partial
from typing import TYPE_CHECKING, cast

from .keymap import is_the_replays, runs_something

if TYPE_CHECKING:
    from .app import Lamtop

NOTHING_RUNS = "this is a replay: nothing runs"


class ReplayKeys:
    """The actions, on the app itself: a screen whose key is the replay's lets it pass (`passed_by`)."""

    @property
    def _replaying(self) -> "Lamtop":
        return cast("Lamtop", self)

    def passed_by(self, action: str) -> bool | None:
        """What becomes of an action before it is done: None, it is; True, it was refused; False, its key is for
        somebody else."""
        if self._replaying.model.replay is None:
            return False if "replay_" in action else None
        if is_the_replays(action):
            return False
        if runs_something(action):
            self._replaying.wishes.say("warning", NOTHING_RUNS)
            return True
        return None

    def action_replay_play(self) -> None:
        self._replaying.begin(self._replaying.wishes.rewind.play_or_hold)

    def action_replay_by(self, step: int) -> None:
        self._replaying.begin(partial(self._replaying.wishes.rewind.by, step))

    def action_replay_speed(self, step: int) -> None:
        self._replaying.begin(partial(self._replaying.wishes.rewind.step_speed, step))

    def action_replay_end(self, step: int) -> None:
        self._replaying.begin(partial(self._replaying.wishes.rewind.to_end, step))

    def action_replay_to(self, what: str, step: int) -> None:
        self._replaying.begin(partial(self._to, what, step))

    def go_to_part(self, part: float) -> None:
        """So far into the recording, from 0 to 1."""
        self._replaying.begin(partial(self._replaying.wishes.rewind.to_part, part))

    async def _to(self, what: str, step: int) -> None:
        app = self._replaying
        of = getattr(app.screen, "request_id", "")
        scope = app.main.scope
        if not isinstance(of, str):  # the main screen's is a question
            of = (scope.request_id or scope.function) if scope else ""
        found = await app.wishes.rewind.to(what, step, of)
        if found:
            app.main.look_for(found)
