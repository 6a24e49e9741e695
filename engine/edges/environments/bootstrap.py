"""The program inside an execution environment. It loads one handler and runs it once for every frame it is sent.

It is started by path, under the interpreter of whoever wrote the handler: Python 3.9 or later, the standard library
only, nothing of ours. What it does, it does as AWS's runtime interface client does, down to the order of keys in an
error object, because handlers and tests depend on it. It imports little: every import here is paid for by every cold
start, so `logging` is configured when the handler's code imports it, not before.

Two channels lead out, and they are kept apart. Whatever the handler prints, on standard output or standard error,
goes to the log pipe as plain text. Answers go through a socket on a high descriptor, in frames that begin with a
nonce: a handler that writes there by mistake fails its own invocation and nobody else's. All output is flushed before
the answer leaves, so every line is in the pipe when the engine reads the answer.

An exception is an answer like any other and never ends the process. `sys.exit`, `os._exit` and signals do end it; the
engine reads the exit status and says what AWS would say. When the engine dies, however it dies, a pipe closes and this
process ends with everything it has started.

A frame from the engine: length of the head, length of the payload, head (request id, ARN, milliseconds left, trace id,
client context; one a line), payload. A frame to the engine: nonce, kind, peak memory in KB, the handler's own
microseconds, length of the request id, length of the payload, request id, payload.

Source for all behaviour: the public awslambdaric and records made on AWS.
"""

import fcntl
import importlib
import json
import os
import resource
import signal
import struct
import sys
import time

MYPY = False
if MYPY:  # `typing` itself costs milliseconds
    from collections.abc import Callable
    from typing import Any

REQUEST = struct.Struct("!II")
ANSWER = struct.Struct("!16scIIHI")
READY, INIT_ERROR, RESULT, ERROR, TOO_LARGE = b"R", b"I", b"O", b"E", b"L"
READ_SIZE = 65536  # a larger buffer is mapped and unmapped for every single read
RESPONSE_MAX = 6 * 1024 * 1024 + 100
HIGH_DESCRIPTOR = 1000  # out of the way of `os.closerange(3, 256)` and of numbers written by hand
NO_BREAK_SPACE = "\u00a0"


class State:
    """The little that outlives an invocation."""

    request_id = ""
    peak = 0  # KB of resident memory, the highest seen
    pages = -1  # descriptor of /proc/self/statm
    looked_at = 0.0  # monotonic seconds of the last look at the memory


class Fault(Exception):
    """A failure that has a name of its own on AWS: Runtime.ImportModuleError and so on."""

    def __init__(self, kind: str, message: str, trace: "list[str] | None" = None) -> None:
        super().__init__(message)
        self.kind = "Runtime." + kind if "." not in kind else kind
        self.trace = trace or []


# --- the channel ------------------------------------------------------------------------------------------------------


class Channel:
    """The socket to the engine: whole frames in, whole frames out."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = move_high(descriptor)
        self.nonce = os.read(self.descriptor, 16)

    def receive(self) -> "tuple[bytes, bytes] | None":
        """The next head and payload; None when the engine has closed the channel."""
        data = os.read(self.descriptor, READ_SIZE)
        while len(data) < REQUEST.size:
            more = os.read(self.descriptor, READ_SIZE)
            if not more:
                return None
            data += more
        head_length, payload_length = REQUEST.unpack_from(data)
        body = REQUEST.size + head_length
        if len(data) < body + payload_length:
            data = self._rest(data, body + payload_length)
        return data[REQUEST.size : body], data[body:]

    def _rest(self, start: bytes, size: int) -> bytes:
        frame = bytearray(size)
        frame[: len(start)] = start
        view = memoryview(frame)
        filled = len(start)
        while filled < size:
            count = os.readv(self.descriptor, [view[filled : filled + READ_SIZE]])
            if count == 0:
                os._exit(1)
            filled += count
        return bytes(frame)

    def send(self, kind: bytes, request_id: str, payload: bytes, seconds: float = 0.0) -> None:
        name = request_id.encode()
        took = min(int(seconds * 1e6), 0xFFFFFFFF)
        head = ANSWER.pack(self.nonce, kind, memory_used(), took, len(name), len(payload))
        frame = memoryview(head + name + payload)
        while frame:
            frame = frame[os.write(self.descriptor, frame) :]


def move_high(descriptor: int) -> int:
    """The same open file under a number that no handler meets by accident, closed in programs that it starts."""
    for lowest in (HIGH_DESCRIPTOR, 200, 3):
        try:
            moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, lowest)
        except (OSError, ValueError):
            continue
        os.close(descriptor)
        return moved
    return descriptor


# --- the process ------------------------------------------------------------------------------------------------------


def die_with_the_engine(life: int) -> None:
    """End this process group when the last writer of the `life` pipe has gone.

    On Linux the kernel does it: a signal-driven descriptor whose signal is SIGKILL. It works while a C extension holds
    the interpreter lock, and adds no thread, of which `os.fork` would warn. Elsewhere a thread waits for the end.
    """
    try:
        own = move_high(os.open(f"/proc/self/fd/{life}", os.O_RDONLY | os.O_NONBLOCK))
        fcntl.fcntl(own, fcntl.F_SETOWN, -os.getpgid(0))
        fcntl.fcntl(own, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(own, fcntl.F_SETFL, os.O_NONBLOCK | os.O_ASYNC)
    except (AttributeError, OSError):
        import _thread

        _thread.start_new_thread(kill_group_at_end, (move_high(life),))
        return
    os.close(life)
    try:
        os.read(own, 1)
    except BlockingIOError:
        return  # open and silent: the engine lives
    os.killpg(0, signal.SIGKILL)


def kill_group_at_end(life: int) -> None:
    os.read(life, 1)
    os.killpg(0, signal.SIGKILL)


def limit_resources() -> None:
    """As many descriptors as on AWS, and no core files on somebody's laptop."""
    for what, limit in ((resource.RLIMIT_NOFILE, 1024), (resource.RLIMIT_CORE, 0)):
        hard = resource.getrlimit(what)[1]
        if hard == resource.RLIM_INFINITY or hard >= limit:
            resource.setrlimit(what, (limit, hard))


def peak_memory() -> int:
    """The kernel's peak of resident memory, in KB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // 1024 if sys.platform == "darwin" else peak


# Linux counts the engine's own memory, shared for a moment between fork and exec, as this process's peak.
inherited_peak = peak_memory() if sys.platform.startswith("linux") else 0


def memory_used() -> int:
    """The most resident memory this process has used, in KB. Looked up at most once in 10 ms: it costs 6 us."""
    now = time.monotonic()
    if now - State.looked_at > 0.01:
        State.looked_at = now
        peak = peak_memory()
        State.peak = max(State.peak, peak if peak > inherited_peak else resident_memory())
    return State.peak


def resident_memory() -> int:
    """What is resident now, in KB; 0 where the system does not say."""
    try:
        if State.pages < 0:
            State.pages = move_high(os.open("/proc/self/statm", os.O_RDONLY))
        return int(os.pread(State.pages, 64, 0).split(b" ", 2)[1]) * (resource.getpagesize() // 1024)
    except OSError:
        return 0


# --- logs -------------------------------------------------------------------------------------------------------------


def flush() -> None:
    """Put everything printed so far into the log pipe. The handler may have closed or replaced the streams."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:  # noqa: S112
            continue


def write_record(text: str) -> None:
    """Log several lines as one event: the engine turns each carriage return back into a line break."""
    try:
        sys.stdout.write(text.rstrip("\n").replace("\n", "\r") + "\n")
    except Exception:
        return  # the handler has closed its standard output


def log_error(error: "dict[str, Any]") -> None:
    lines = [
        ("[ERROR] %s: %s" if error["errorMessage"] else "[ERROR] %s%s") % (error["errorType"], error["errorMessage"])
    ]
    lines.append("Traceback (most recent call last):")
    for entry in error["stackTrace"]:
        for line in entry.splitlines():
            code = line.lstrip(" ")
            lines.append(NO_BREAK_SPACE * (len(line) - len(code)) + code)
    write_record("\n".join(lines))


class LoggingOnImport:
    """Sets up the root logger as Lambda does, at the moment when somebody imports `logging`."""

    def find_spec(self, name: str, path: "Any" = None, target: "Any" = None) -> "Any":
        if name != "logging":
            return None
        sys.meta_path.remove(self)
        specs: Any = (finder.find_spec(name, path, target) for finder in sys.meta_path)
        spec = next((spec for spec in specs if spec is not None), None)
        if spec is not None:
            execute = spec.loader.exec_module

            def execute_and_set_up(module: "Any") -> None:
                execute(module)
                set_up_logging(module)

            spec.loader.exec_module = execute_and_set_up
        return spec


def with_request_id(record: "Any") -> bool:
    record.aws_request_id = State.request_id
    return True


def set_up_logging(logging: "Any") -> None:
    class LambdaHandler(logging.Handler):  # type: ignore[misc]
        def emit(self, record: "Any") -> None:
            write_record(self.format(record))

    logging.Formatter.converter = time.gmtime
    layout = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s"
    handler = LambdaHandler()
    handler.addFilter(with_request_id)
    handler.setFormatter(logging.Formatter(layout, "%Y-%m-%dT%H:%M:%S"))
    logging.getLogger().addHandler(handler)


# --- the context object -----------------------------------------------------------------------------------------------


class Record:
    """An object with fixed fields, None unless given."""

    fields: "tuple[str, ...]" = ()

    def __init__(self, values: "dict[str, Any]") -> None:
        for name in self.fields:
            setattr(self, name, values.get(name))

    def __repr__(self) -> str:
        shown = ",".join(f"{name}={getattr(self, name)}" for name in self.fields)
        return f"{type(self).__name__}([{shown}])"


class CognitoIdentity(Record):
    fields = ("cognito_identity_id", "cognito_identity_pool_id")


class Client(Record):
    fields = ("installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name")


class ClientContext(Record):
    fields = ("custom", "env", "client")

    def __init__(self, values: "dict[str, Any]") -> None:
        super().__init__(values)
        client = values.get("client")
        self.client = None if client is None else Client(client)


class LambdaContext:
    """What a handler learns of its invocation (Lambda guide, "Using the Lambda context object")."""

    def __init__(self, request_id: str, arn: str, milliseconds: int, client_context: "Any") -> None:
        self.aws_request_id = request_id
        self.invoked_function_arn = arn
        self.__dict__.update(ENVIRONMENT)
        self.tenant_id = None
        self.client_context = ClientContext(client_context) if client_context is not None else None
        self.identity = CognitoIdentity({})
        self._deadline = time.monotonic() + milliseconds / 1000

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._deadline - time.monotonic()) * 1000))

    def log(self, msg: object) -> None:
        sys.stdout.write(str(msg))

    def __repr__(self) -> str:
        names = ("aws_request_id", *ENVIRONMENT, "invoked_function_arn", "client_context", "identity", "tenant_id")
        shown = ",".join(f"{name}={getattr(self, name)}" for name in names)
        return f"LambdaContext([{shown}])"


ENVIRONMENT = {
    "log_group_name": os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME"),
    "log_stream_name": os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME"),
    "function_name": os.environ.get("AWS_LAMBDA_FUNCTION_NAME"),
    "memory_limit_in_mb": os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"),
    "function_version": os.environ.get("AWS_LAMBDA_FUNCTION_VERSION"),
}


# --- JSON as the runtime writes it ------------------------------------------------------------------------------------


class Encoder(json.JSONEncoder):
    """JSON with decimals as numbers and bytes as text.

    The standard library has no way to write a number of one's own, so a decimal goes out as a marked string and
    loses its quotes afterwards.
    """

    mark: "str | None" = None

    def default(self, value: "Any") -> "Any":
        if isinstance(value, bytes):
            return value.decode()
        decimal = sys.modules.get("decimal")  # there are no decimals where nobody has imported it
        if decimal is None or not isinstance(value, decimal.Decimal):
            return super().default(value)
        if value.is_nan():
            return float("nan")
        if self.mark is None:
            self.mark = os.urandom(8).hex()
        return self.mark + str(value)


def newer_than_311() -> bool:
    version = os.environ.get("AWS_EXECUTION_ENV", "").rpartition("python3.")[2]
    return version.isdigit() and int(version) >= 12


ENCODER = Encoder(ensure_ascii=not newer_than_311())


def to_json(value: object) -> str:
    text = ENCODER.encode(with_named_tuples_as_objects(value))
    if ENCODER.mark:
        import re

        mark, ENCODER.mark = ENCODER.mark, None
        text = re.sub(f'"{mark}([^"]*)"', r"\1", text)
    return text


PLAIN = frozenset((str, int, float, bool, type(None)))


def with_named_tuples_as_objects(value: "Any") -> "Any":
    """AWS's encoder (simplejson) writes a named tuple as an object; the standard library's writes a list."""
    return converted(value) if type(value) not in PLAIN and holds_named_tuple(value) else value


def holds_named_tuple(value: object) -> bool:
    pending: list[Any] = [value]
    seen: set[int] = set()
    while pending:
        container = pending.pop()
        if id(container) in seen:
            continue
        seen.add(id(container))
        if isinstance(container, dict):
            container = container.values()
        elif isinstance(container, tuple) and hasattr(container, "_asdict"):
            return True
        elif not isinstance(container, (list, tuple)):
            continue
        pending.extend([item for item in container if type(item) not in PLAIN])
    return False


def converted(value: "Any") -> "Any":
    if isinstance(value, dict):
        return {key: converted(item) for key, item in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return converted(value._asdict())
    if isinstance(value, (list, tuple)):
        return [converted(item) for item in value]
    return value


def marshal(response: object) -> bytes:
    if isinstance(response, bytes):
        return response
    try:
        return to_json(response).encode()
    except Exception as error:
        raise Fault("MarshalError", f"Unable to marshal response: {error}") from None


def unmarshal(text: "str | bytes", kind: str, message: str) -> "Any":
    try:
        return json.loads(text)
    except Exception as error:
        raise Fault(kind, f"{message}: {error}") from None


# --- errors -----------------------------------------------------------------------------------------------------------


def error_object(error: Exception, request_id: str) -> "dict[str, Any]":
    if isinstance(error, Fault):
        message, kind, trace = str(error), error.kind, error.trace
    else:
        message, kind, trace = text_of(error), type(error).__name__, user_frames(error)
    return {"errorMessage": message, "errorType": kind, "requestId": request_id, "stackTrace": trace}


def text_of(error: Exception) -> str:
    try:
        return str(error)
    except Exception:
        return ""


def user_frames(error: Exception) -> "list[str]":
    import traceback

    frames: Any = [(f.filename, f.lineno, f.name, f.line) for f in traceback.extract_tb(error.__traceback__)]
    first = next((n for n, frame in enumerate(frames) if frame[0] != __file__), len(frames))
    return traceback.format_list(frames[first:])


def error_payload(error: "dict[str, Any]") -> bytes:
    return to_json(error).encode(errors="backslashreplace")


# --- the handler ------------------------------------------------------------------------------------------------------


def load_handler(name: str) -> "Callable[[Any, LambdaContext], Any]":
    module_name, dot, attribute = name.rpartition(".")
    if not dot:
        why = "not enough values to unpack (expected 2, got 1)"
        raise Fault("MalformedHandlerName", f"Bad handler '{name}': {why}")
    module = load_module(module_name)
    try:
        handler: Callable[[Any, LambdaContext], Any] = getattr(module, attribute)
    except AttributeError:
        raise Fault("HandlerNotFound", f"Handler '{attribute}' missing on module '{module_name}'") from None
    return handler


def load_module(name: str) -> "Any":
    if name.split(".")[0] in sys.builtin_module_names:
        raise Fault("BuiltInModuleConflict", f"Cannot use built-in module {name} as a handler module")
    try:
        return importlib.import_module(name.replace("/", "."))
    except ImportError as error:
        raise Fault("ImportModuleError", f"Unable to import module '{name}': {error}") from None
    except SyntaxError as error:
        trace = [f'  File "{error.filename}" Line {error.lineno}\n    {error.text}']
        raise Fault("UserCodeSyntaxError", f"Syntax error in module '{name}': {error}", trace) from None


def run_once(handler: "Callable[..., Any]", head: bytes, payload: bytes) -> "tuple[bytes, str, bytes]":
    """Run the handler for one frame: the kind of the answer, the request id and the answer."""
    request_id, arn, milliseconds, trace_id, client_context = head.decode().split("\n", 4)
    State.request_id = request_id
    set_trace_id(trace_id)
    try:
        client = None
        if client_context:
            client = unmarshal(client_context, "LambdaContextUnmarshalError", "Unable to parse Client Context JSON")
        context = LambdaContext(request_id, arn, int(milliseconds), client)
        event = unmarshal(payload, "UnmarshalError", "Unable to unmarshal input")
        answer = marshal(handler(event, context))
    except Exception as error:
        failure = error_object(error, request_id)
        log_error(failure)
        return ERROR, request_id, error_payload(failure)
    return (RESULT, request_id, answer) if len(answer) <= RESPONSE_MAX else (TOO_LARGE, request_id, b"")


def set_trace_id(trace_id: str) -> None:
    if trace_id:
        os.environ["_X_AMZN_TRACE_ID"] = trace_id
    elif "_X_AMZN_TRACE_ID" in os.environ:
        del os.environ["_X_AMZN_TRACE_ID"]


def prepare() -> None:
    """Make the interpreter what a handler expects: its folder first on the path, output line by line."""
    code = os.environ["LAMBDA_TASK_ROOT"]
    here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120
    if sys.path and sys.path[0] == here:
        sys.path[0] = code
    else:
        sys.path.insert(0, code)
    search_packages()
    sys.argv[1:] = []
    sys.dont_write_bytecode = True
    streams: Any = (sys.stdout, sys.stderr)
    for stream in streams:
        stream.reconfigure(encoding="utf-8", line_buffering=True)
    if "logging" in sys.modules:  # a .pth file of this interpreter's site-packages was first
        set_up_logging(sys.modules["logging"])
    else:
        sys.meta_path.insert(0, LoggingOnImport())


def search_packages() -> None:
    """Packages and layers come behind the code. PYTHONPATH counts even where nobody read it when Python began."""
    folders = [folder for folder in os.environ.get("PYTHONPATH", "").split(":") if folder]
    sys.path[1:] = folders + [folder for folder in sys.path[1:] if folder not in folders]


def wait_for_debuggers() -> None:
    """Let a debugger attach at any time, if the engine says so. The port may still be that of the process before."""
    port = int(os.environ.pop("LAMTOP_DEBUG_PORT", "0"))
    if not port:
        return
    import socket

    os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"  # else it writes into the handler's log
    import debugpy  # type: ignore[import-not-found]

    for _ in range(200):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                break
            except OSError:
                time.sleep(0.05)
    try:
        debugpy.listen(("127.0.0.1", port))
    except Exception as error:
        write_record(f"the debugger does not wait at port {port}: {error}")
    del os.environ["PYDEVD_DISABLE_FILE_VALIDATION"]


def main() -> None:
    limit_resources()
    channel = Channel(int(sys.argv[1]))
    die_with_the_engine(int(sys.argv[2]))
    prepare()
    wait_for_debuggers()
    try:
        handler = load_handler(os.environ["_HANDLER"])
    except Exception as error:
        failure = error_object(error, "")
        log_error(failure)
        flush()
        channel.send(INIT_ERROR, "", error_payload(failure))
        sys.exit(1)
    flush()
    channel.send(READY, "", b"")
    serve(channel, handler)


def serve(channel: Channel, handler: "Callable[..., Any]") -> None:
    process = os.getpid()
    while True:
        frame = channel.receive()
        if frame is None:
            return
        started = time.perf_counter()
        kind, request_id, answer = run_once(handler, *frame)
        if os.getpid() != process:
            os._exit(0)  # a child that the handler forked has come back: the answer is its parent's to give
        flush()
        channel.send(kind, request_id, answer, time.perf_counter() - started)


if __name__ == "__main__":
    main()
