"""How an engine is run."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .lifeline import Lifeline
from .store import KEEP, Retention


@dataclass(frozen=True)
class Settings:
    """How an engine is run."""

    source: Path  # the template, folder or file
    state: Path  # its state folder
    host: str = "127.0.0.1"
    port: int = 4566  # 0: a free one
    speed: float = 1.0  # engine seconds per real second
    python: str | None = None
    allowed_hosts: frozenset[str] = frozenset()
    env_file: Path | None = None  # variables for all functions
    parameters: Mapping[str, str] = field(default_factory=dict)  # of the template, by name
    debug: str | None = None  # the function that runs under a debugger
    pass_credentials: bool = False  # handlers get the caller's way to AWS
    copied: bool = False  # the source is a fresh copy of the examples
    owned: bool = False  # started by a monitor: ends with the last one
    watch: bool = True  # reload when a file is saved
    jitter: int | None = None  # a seed: retries as late as on AWS. None: exactly when they are due
    retention: Retention = KEEP  # of what is over
    spawn: bool = False  # start every environment as a program of its own, and fork none
    simulate: int | None = None  # a seed: time is simulated, and passes when `Engine.simulation` is told so …
    paced: bool = False  # … or by itself, at `speed`
    lifeline: Lifeline | None = None  # to the supervisor that brings it back if it is killed
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))

    @property
    def is_driven(self) -> bool:
        """Whether a test or a tape lets its time pass: nobody keeps what happens there."""
        return self.simulate is not None and not self.paced
