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
    retry_delays: tuple[float, ...] = (60.0, 120.0)  # seconds; the last one goes on. Others only in the lab

    @property
    def tries(self) -> int:
        """Attempts that an event gets at most, if each ends in a function error."""
        return 1 + self.maximum_retry_attempts


_DEFAULT_CONFIG = EventInvokeConfig()


@dataclass(frozen=True, slots=True)
class LoggingConfig:
    """How a function logs (Lambda guide, "Configuring advanced logging controls"). Levels count with JSON only."""

    format: str = "Text"  # or "JSON"
    application_level: str = "INFO"  # TRACE, DEBUG, INFO, WARN, ERROR, FATAL
    system_level: str = "INFO"  # DEBUG, INFO, WARN
    group: str | None = None  # None: /aws/lambda/<name>


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
    event_invoke_config: EventInvokeConfig = EventInvokeConfig()  # of invocations without a qualifier, or $LATEST
    python: str | None = None  # interpreter that runs it; None: the project's
    layers: tuple[str, ...] = ()  # absolute folders, in the template's order: what /opt holds on AWS
    packages: tuple[str, ...] = ()  # absolute folders of installed requirements; behind `code` on the path
    logging: LoggingConfig = LoggingConfig()
    architecture: str = "x86_64"  # or "arm64": another price
    recursive_loop: str = "Terminate"  # or "Allow"
    versions: frozenset[str] = frozenset()  # published: "1", "2" …; here they all run the code that is there now
    aliases: Mapping[str, str] = field(default_factory=dict)  # alias → version
    qualified_configs: Mapping[str, EventInvokeConfig] = field(default_factory=dict)  # by version or alias
    scaling: str = "lazy"  # or "aws": an environment for every concurrent invocation
    debug_port: int | None = None  # a debugger waits here: one environment, and no limit on its init

    @property
    def arn(self) -> str:
        return function_arn(self.name)

    @property
    def log_group(self) -> str:
        return self.logging.group or f"/aws/lambda/{self.name}"

    def config(self, qualifier: str) -> EventInvokeConfig:
        """The settings for invocations under this qualifier ("" for none): a version or alias has its own, or AWS's."""
        if qualifier in ("", LATEST):
            return self.event_invoke_config
        return self.qualified_configs.get(qualifier, _DEFAULT_CONFIG)

    def executed_version(self, qualifier: str) -> str | None:
        """The version that runs under this qualifier, as X-Amz-Executed-Version names it; None if there is none."""
        if qualifier in ("", LATEST):
            return LATEST
        return self.aliases.get(qualifier) or (qualifier if qualifier in self.versions else None)


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue of this project. `dead_letters_of` names the functions that send their dead letters here."""

    name: str
    arn: str
    dead_letters_of: tuple[str, ...] = ()
