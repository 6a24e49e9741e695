"""What a function is: its handler, its limits, and what happens to its asynchronous events."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from .arn import LATEST, function_arn


@dataclass(frozen=True, slots=True)
class EventInvokeConfig:
    """Retries, maximum age and destinations of asynchronous events.

    The defaults are AWS's (Lambda guide, "Configuring error handling settings for asynchronous invocations").
    """

    maximum_retry_attempts: int = 2
    maximum_event_age: float = 21_600.0  # seconds
    on_success: str | None = None  # ARN
    on_failure: str | None = None  # ARN

    @property
    def tries(self) -> int:
        """Attempts that an event gets at most, if each ends in a function error."""
        return 1 + self.maximum_retry_attempts


@dataclass(frozen=True, slots=True)
class Function:
    """A function's configuration, with AWS's defaults."""

    name: str
    handler: str  # "module.name"; the module may hold slashes or dots
    code: str  # absolute path of the folder that holds the module
    runtime: str = "python3.13"
    timeout: float = 3.0  # seconds
    memory: int = 128  # MB
    environment: Mapping[str, str] = field(default_factory=dict)
    reserved_concurrency: int | None = None  # None: shares the account's pool; 0: switched off
    dead_letter_queue: str | None = None  # ARN
    event_invoke_config: EventInvokeConfig = EventInvokeConfig()
    python: str | None = None  # interpreter that runs it; None: the project's

    @property
    def arn(self) -> str:
        return function_arn(self.name)

    @property
    def qualified_arn(self) -> str:
        return function_arn(self.name, LATEST)

    @property
    def log_group(self) -> str:
        return f"/aws/lambda/{self.name}"


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue of this project. `dead_letters_of` names the functions that send their dead letters here."""

    name: str
    arn: str
    dead_letters_of: tuple[str, ...] = ()
