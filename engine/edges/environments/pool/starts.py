"""Starts the environments of one function, and accounts for what they take."""

from ....core.function import Function
from ..environment import Environment, Owner
from ..processes.scratch import KeptFolders
from .setting import Setting


class Starts:
    """A place among those of all functions and a temporary folder go with each process, from its start to its end."""

    def __init__(self, owner: Owner, setting: Setting) -> None:
        self._owner = owner
        self._setting = setting
        self._folders = KeptFolders(setting.scratch)

    def new(self, function: Function, version: int, after: Environment | None = None) -> Environment:
        """An environment without a process; `after` is the one whose init it repeats."""
        setting = self._setting
        return Environment(
            self._owner,
            function,
            version,
            clock=setting.clock,
            log=setting.log,
            new_id=setting.new_id,
            turns=setting.turns,
            init_max=setting.init_max,
            after=after,
        )

    def start(self, environment: Environment, *, current: bool) -> None:
        """Start its process; of the `current` code, in a folder that was kept. Raises OSError if that is impossible."""
        setting, function = self._setting, environment.function
        if current:  # a fault says nothing of code that is tried out
            environment.fault = setting.init_fault(function.name)
        environment.scratch = self._folders.take() if current else setting.scratch.new()
        try:
            mark = setting.starters.marks.next()
            environment.start(
                setting.starters.start, function.python or setting.interpreter, self._base(function), mark
            )
        except OSError:
            self._keep_or_remove_folder(environment, current)
            raise
        setting.capacity.used += 1
        if environment.invocation is None:  # a repeated init belongs to the cold start that failed
            setting.cold_starts[function.name] = setting.cold_starts.get(function.name, 0) + 1
        setting.watch()

    def _base(self, function: Function) -> dict[str, str]:
        setting = self._setting
        if setting.turns is None:
            return setting.environ()
        return {**setting.environ(), "PYTHONHASHSEED": "0", "LAMTOP_SIMULATED": f"{function.name} {setting.new_id()}"}

    def ended(self, environment: Environment, *, current: bool) -> None:
        """Its process has ended and is reaped."""
        self._setting.capacity.used -= 1
        self._keep_or_remove_folder(environment, current)

    def remove_kept_folders(self, before: float) -> None:
        """Those kept since before a moment (in ticks)."""
        self._folders.remove_kept(before)

    def _keep_or_remove_folder(self, environment: Environment, current: bool) -> None:
        """A reset leaves /tmp to the environment that follows. One that is retired takes it along."""
        folder = environment.scratch
        if folder is None:
            return
        if current and not environment.unwanted:
            self._folders.keep(folder, self._setting.clock.ticks())
        else:
            self._setting.scratch.remove(folder)
