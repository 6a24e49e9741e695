"""How an invocation fails when it is not the handler that says so, in AWS's words.

Source: records made on AWS, and the Lambda guide, "Troubleshoot execution issues in Lambda". The platform's error
objects have two keys, type first; the runtime's own have four.
"""

import json
import re
import signal
from typing import NamedTuple

from ...core.event import Ended

RESPONSE_MAX = 6 * 1024 * 1024 + 100  # bytes

# As the Go runtime, in which Lambda's supervisor is written, spells them.
_SIGNALS = {
    signal.SIGHUP: "hangup",
    signal.SIGINT: "interrupt",
    signal.SIGQUIT: "quit",
    signal.SIGILL: "illegal instruction",
    signal.SIGTRAP: "trace/breakpoint trap",
    signal.SIGABRT: "aborted",
    signal.SIGBUS: "bus error",
    signal.SIGFPE: "floating point exception",
    signal.SIGKILL: "killed",
    signal.SIGUSR1: "user defined signal 1",
    signal.SIGSEGV: "segmentation fault",
    signal.SIGUSR2: "user defined signal 2",
    signal.SIGPIPE: "broken pipe",
    signal.SIGALRM: "alarm clock",
    signal.SIGTERM: "terminated",
}


class Failure(NamedTuple):
    """Why an invocation, or a start, came to nothing."""

    type: str
    message: str
    status: str = ""  # what the REPORT line says at its end
    ended: Ended = Ended.FUNCTION_ERROR
    log: bool = False  # whether the message is a log event of its own, before END
    payload: bytes | None = None  # the error object, if the runtime has made one

    def of(self, request_id: str) -> "Failure":
        """The same, with the request id in its text, as the platform's own messages have it."""
        if self.payload is not None or self.ended is not Ended.FUNCTION_ERROR:
            return self
        return self._replace(message=f"RequestId: {request_id} Error: {self.message}")

    @property
    def located(self) -> str:
        """The message, with the file and line of the user's code that it comes from, if it does not say that itself."""
        frames = json.loads(self.payload).get("stackTrace", ()) if self.payload else ()
        found = _FRAME.search(frames[-1]) if frames else None
        if found is None or f"line {found['line']})" in self.message:
            return self.message
        return f"{self.message} ({found['file'].rpartition('/')[2]}, line {found['line']})"

    @property
    def reported_type(self) -> str:
        """The type as the platform reports it: what is not its own or the runtime's is unknown to it."""
        named = self.status.partition("Error Type: ")[2] or self.type
        return named if named.startswith(("Runtime.", "Function.", "Cancelled", "Lost")) else "Runtime.Unknown"

    def as_json(self) -> bytes:
        if self.payload is not None:
            return self.payload
        return json.dumps({"errorType": self.type, "errorMessage": self.message}, separators=(",", ":")).encode()


def timed_out(seconds: float) -> Failure:
    return Failure("Sandbox.Timedout", f"Task timed out after {seconds:.2f} seconds", "Status: timeout")


def init_timed_out(seconds: float) -> Failure:
    """The init phase has a limit of its own, whatever the function's timeout."""
    return Failure("Sandbox.Timedout", f"Init took longer than {seconds:g} seconds", "Status: timeout")


def exited(code: int) -> Failure:
    """The process ended by itself. `code` is as in `subprocess`: negative for a signal."""
    if code == 0:
        return _exit_error("Runtime exited without providing a reason")
    if code < 0:
        name = _SIGNALS.get(signal.Signals(-code), str(-code)) if -code in _KNOWN else f"signal {-code}"
        return _exit_error(f"Runtime exited with error: signal: {name}")
    return _exit_error(f"Runtime exited with error: exit status {code}")


_FRAME = re.compile(r'File "(?P<file>.+)",? [Ll]ine (?P<line>[0-9]+)')
_KNOWN = {number.value for number in signal.Signals}


def _exit_error(message: str) -> Failure:
    return Failure("Runtime.ExitError", message, "Status: error\tError Type: Runtime.ExitError", log=True)


def out_of_memory() -> Failure:
    """Killed because it used more than the function's memory: the payload tells of a signal, the REPORT line of memory.

    Source: records of functions on AWS that ran out of memory.
    """
    killed = exited(-signal.SIGKILL)
    return killed._replace(status="Status: error\tError Type: Runtime.OutOfMemory")


def garbled() -> Failure:
    """Something wrote on the answer channel that is no answer of ours. Lamtop's own: nobody can on AWS."""
    message = "The response channel carried something other than the response of this invocation"
    return Failure("Runtime.InvalidResponse", message, "Status: error\tError Type: Runtime.InvalidResponse", log=True)


def no_start(error: OSError) -> Failure:
    """The interpreter could not be started at all."""
    message = f"fork/exec {error.filename}: {(error.strerror or str(error)).lower()}"
    return Failure(
        "Runtime.InvalidEntrypoint", message, "Status: error\tError Type: Runtime.InvalidEntrypoint", log=True
    )


def too_large() -> Failure:
    message = f"Response payload size exceeded maximum allowed payload size ({RESPONSE_MAX} bytes)."
    payload = json.dumps(
        {"errorMessage": message, "errorType": "Function.ResponseSizeTooLarge"}, separators=(",", ":")
    ).encode()
    return Failure("Function.ResponseSizeTooLarge", message, payload=payload)


def raised(payload: bytes) -> Failure:
    """The runtime's own error object: the handler raised an exception, or its result is no JSON."""
    kind, message = _type_and_message(payload)
    return Failure(kind, message, payload=payload)


def init_failed(payload: bytes) -> Failure:
    """The handler's module could not be imported, or has no such handler."""
    kind, message = _type_and_message(payload)
    named = kind if kind.startswith("Runtime.") else "Runtime.Unknown"
    return Failure(kind, message, f"Status: error\tError Type: {named}", payload=payload)


def cancelled() -> Failure:
    return Failure("", "cancelled", "Status: error\tError Type: Cancelled", Ended.CANCELLED)


def lost() -> Failure:
    return Failure("", "the engine stopped", "Status: error\tError Type: Lost", Ended.LOST)


def _type_and_message(payload: bytes) -> tuple[str, str]:
    error = json.loads(payload)
    return _storable(error["errorType"]), _storable(error["errorMessage"])


def _storable(text: str) -> str:
    """Without halves of surrogate pairs, which JSON can carry and no file can."""
    return text.encode(errors="replace").decode()
