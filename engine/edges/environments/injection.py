"""What an armed fault does to an invocation that has an environment. Each does it where the real thing would happen."""

import json
from functools import partial
from typing import Protocol

from ...clock import Clock
from ...core.fault import Fault, Kind
from ...core.invocation import Invocation
from . import failures
from .failures import Failure

_LOG_LINES = 1_000
_AT_WORK = 0.02  # seconds that a handler gets before its engine dies, if it has not answered by then


class Injectable(Protocol):
    """An environment that has taken an invocation, and not sent it to its process yet."""

    invocation: Invocation | None

    def send(self, invocation: Invocation, payload: bytes) -> object: ...
    def condemn(self, verdict: Failure | None = None) -> None: ...
    def fail_without_process(self, invocation: Invocation, failure: Failure) -> None: ...
    def print(self, text: bytes) -> None: ...
    def kill_engine(self, fault: Fault) -> None: ...


def inject(environment: Injectable, invocation: Invocation, fault: Fault, clock: Clock) -> None:
    """Begin an invocation with something wrong."""

    def send() -> None:
        if environment.invocation is invocation:
            environment.send(invocation, invocation.payload)

    def fail() -> None:
        if environment.invocation is invocation:
            environment.fail_without_process(invocation, injected(fault, invocation.request_id))

    environment.print(f"lamtop: injected {fault}\n".encode())
    match fault.kind:
        case Kind.DELAY:
            clock.ring(fault.seconds, send)
        case Kind.TIMEOUT:
            pass  # nobody will answer
        case Kind.ERROR:
            clock.ring(0.0, fail)  # whoever hands it over has to be done first
        case Kind.EXIT:
            environment.condemn(failures.exited(1))
        case Kind.KILL:
            environment.condemn()
        case Kind.MEMORY:
            environment.condemn(failures.out_of_memory())
        case Kind.CORRUPT:
            environment.send(invocation, invocation.payload[: len(invocation.payload) // 2] + b"{")  # no JSON ends so
        case Kind.LOGS:
            environment.print(b"".join(b"log flood, line %d\n" % line for line in range(1, _LOG_LINES + 1)))
            send()
        case Kind.ENGINE:
            send()
            clock.ring(_AT_WORK, partial(environment.kill_engine, fault))
        case _:
            send()


def spoiled(fault: Fault, request_id: str) -> Failure | None:
    """What has become of a result on its way to the caller."""
    match fault.kind:
        case Kind.ERROR_AFTER:
            return injected(fault, request_id)
        case Kind.OVERSIZE:
            return failures.too_large()
    return None


def injected(fault: Fault, request_id: str) -> Failure:
    """The error of a fault that raises one."""
    return failures.raised(error_object(fault, request_id))


def error_object(fault: Fault, request_id: str) -> bytes:
    """As if the handler had raised it."""
    error = {"errorMessage": f"injected: {fault}", "errorType": "InjectedFault", "requestId": request_id}
    return json.dumps({**error, "stackTrace": []}).encode()
