"""The program inside an execution environment. It loads one handler and runs it once for every frame it is sent.

It is started by path, under the interpreter of whoever wrote the handler: Python 3.9 or later, the standard library
only, nothing of ours. What it does, it does as AWS's runtime interface client does, down to the order of keys in an
error object, because handlers and tests depend on it. It imports little: every import here is paid for by every cold
start, so `logging` is configured when the handler's code imports it, not before.

Two channels lead out, and they are kept apart. Whatever the handler prints, on standard output or standard error,
goes to the log pipe as plain text. Answers go through a socket on a high descriptor, in frames that begin with a
nonce: a handler that writes there by mistake fails its own invocation and nobody else's. Nothing that is printed waits
in a buffer, so every line is in the pipe when the engine reads the answer.

An exception is an answer like any other and never ends the process. `sys.exit`, `os._exit` and signals do end it; the
engine reads the exit status and says what AWS would say. When the engine dies, however it dies, a pipe closes and this
process ends with everything it has started.

A frame from the engine: length of the head, length of the payload, head (request id, ARN, milliseconds left, trace id,
client context; one a line), payload. A frame to the engine: nonce, kind, peak memory in KB, the handler's own
microseconds, length of the request id, length of the payload, request id, payload. The two answers of the init carry
the version of this Python in the place of a request id.

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
PYTHON = ".".join(map(str, sys.version_info[:3]))
LOG_TIME = "%Y-%m-%dT%H:%M:%SZ"

# What AWS logs in front of the error of an init that failed, word for word.
INIT_WARNING = (
    "LAMBDA_WARNING: Unhandled exception. The most likely cause is an issue in the function code. However, in rare "
    "cases, a Lambda runtime update can cause unexpected function behavior. For functions using managed runtimes, "
    "runtime updates can be triggered by a function change, or can be applied automatically. To determine if the "
    "runtime has been updated, check the runtime version in the INIT_START log entry. If this error correlates with a "
    "change in the runtime version, you may be able to mitigate this error by temporarily rolling back to the previous "
    "runtime version. For more information, see https://docs.aws.amazon.com/lambda/latest/dg/runtimes-update.html\r"
)


class State:
    """The little that outlives an invocation."""

    request_id = ""
    function: "dict[str, str | None]" = {}  # noqa: RUF012 (what the context object says of it)
    encoder: "Any" = None
    log = 1  # descriptor of the log pipe
    inside_a_line = False  # something without a line break was printed last
    peak = 0  # KB of resident memory, the highest seen
    pages = -1  # descriptor of /proc/self/statm
    looked_at = 0.0  # monotonic seconds of the last look at the memory


# --- the process ------------------------------------------------------------------------------------------------------


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


# --- memory -----------------------------------------------------------------------------------------------------------


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


# --- what is printed --------------------------------------------------------------------------------------------------


class Unbuffered:
    """A stream whose every write is in the log pipe at once: it counts even if the process is killed a moment later."""

    def __init__(self, stream: "Any") -> None:
        self.stream = stream

    def __enter__(self) -> "Unbuffered":
        return self

    def __exit__(self, *error: object) -> None:
        """Nothing is closed."""

    def __getattr__(self, name: str) -> "Any":
        return getattr(self.stream, name)

    def write(self, text: str) -> None:
        self.stream.write(text)
        self.stream.flush()
        if text:
            State.inside_a_line = text[-1] != "\n"

    def writelines(self, texts: "Any") -> None:
        for text in texts:
            self.write(text)


def flush() -> None:
    """Put into the log pipe what went past our streams. The handler may have closed or replaced them."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:  # noqa: S112
            continue


def write_record(text: str) -> None:
    """Log several lines as one event: the engine turns each carriage return back into a line break.

    It goes past `sys.stdout`, which the handler may have closed or replaced.
    """
    event = text[:-1] if text.endswith("\n") else text
    record = (event.replace("\r\n", "\n").replace("\n", "\r") + "\n").encode()
    view = memoryview(b"\n" + record if State.inside_a_line else record)
    State.inside_a_line = False
    while view:
        view = view[os.write(State.log, view) :]


class Sink:
    """What awslambdaric calls a log sink: `context.log` and some libraries look for one."""

    @staticmethod
    def log(msg: str, frame_type: "Any" = None) -> None:  # noqa: ARG004 (awslambdaric's has it)
        write_record(msg)


# --- logging ----------------------------------------------------------------------------------------------------------


def log_in_json() -> bool:
    return os.environ.get("AWS_LAMBDA_LOG_FORMAT", "").upper() == "JSON"


def log_level() -> str:
    level = os.environ.get("AWS_LAMBDA_LOG_LEVEL", "")
    return "DEBUG" if level == "TRACE" else level.upper()


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
    record.tenant_id = None
    return True


def set_up_logging(logging: "Any") -> None:
    class LambdaLoggerHandler(logging.Handler):  # type: ignore[misc]
        log_sink = Sink

        def emit(self, record: "Any") -> None:
            write_record(self.format(record))

    if log_in_json() or log_level():  # the names by which libraries know them
        LambdaLoggerHandler.__name__ = LambdaLoggerHandler.__qualname__ = "LambdaLoggerHandlerWithFrameType"
    logging.Formatter.converter = time.gmtime
    handler = LambdaLoggerHandler()
    handler.addFilter(with_request_id)
    if log_in_json():
        handler.setFormatter(json_formatter(logging))
    else:
        layout = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s\n"
        handler.setFormatter(logging.Formatter(layout, "%Y-%m-%dT%H:%M:%S"))
    root = logging.getLogger()
    if isinstance(logging.getLevelName(log_level()), int):
        root.setLevel(log_level())
    root.addHandler(handler)


# What every record has; anything else came with `extra` and is a key of its own.
RECORD_FIELDS = frozenset(
    {"name", "msg", "args", "levelname", "levelno", "pathname", "filename", "module", "exc_info", "exc_text",
     "stack_info", "lineno", "funcName", "created", "msecs", "relativeCreated", "thread", "threadName", "processName",
     "process", "aws_request_id", "tenant_id", "_frame_type"}
)  # fmt: skip


def json_formatter(logging: "Any") -> "Any":
    """One JSON object for each record, with AWS's keys in AWS's order."""
    encode = json.JSONEncoder(ensure_ascii=False, default=str).encode

    class JsonFormatter(logging.Formatter):  # type: ignore[misc]
        def format(self, record: "Any") -> str:
            record.levelno = min(50, max(0, record.levelno)) // 10 * 10
            record.levelname = logging.getLevelName(record.levelno)
            as_it_is = isinstance(record.msg, dict) and not record.args
            entry = {
                "timestamp": self.formatTime(record, LOG_TIME),
                "level": record.levelname,
                "message": record.msg if as_it_is else record.getMessage(),
                "logger": record.name,
                **exception_keys(record),
                "requestId": record.aws_request_id,
            }
            entry["location"] = f"{record.pathname}:{record.funcName}:{record.lineno}" if record.exc_info else None
            extras = {k: v for k, v in record.__dict__.items() if k not in RECORD_FIELDS and k not in entry}
            return encode({key: value for key, value in {**entry, **extras}.items() if value is not None})

    return JsonFormatter()


def exception_keys(record: "Any") -> "dict[str, Any]":
    if not record.exc_info:
        return {"stackTrace": None, "errorType": None, "errorMessage": None}
    import traceback

    kind, error, trace = record.exc_info
    return {"stackTrace": traceback.format_tb(trace), "errorType": kind.__name__, "errorMessage": str(error)}


# --- the context object -----------------------------------------------------------------------------------------------


class Record:
    """An object with fixed fields, None unless given."""

    __slots__: "tuple[str, ...]" = ()

    def __init__(self, values: "dict[str, Any]") -> None:
        for name in self.__slots__:
            setattr(self, name, values.get(name))

    def __repr__(self) -> str:
        shown = ",".join(f"{name}={getattr(self, name)}" for name in self.__slots__)
        return f"{type(self).__name__}([{shown}])"


class CognitoIdentity(Record):
    __slots__ = ("cognito_identity_id", "cognito_identity_pool_id")


class Client(Record):
    __slots__ = (  # noqa: RUF023
        "installation_id",
        "app_title",
        "app_version_name",
        "app_version_code",
        "app_package_name",
    )


class ClientContext(Record):
    __slots__ = ("custom", "env", "client")  # noqa: RUF023 (`repr` shows them in this order)

    def __init__(self, values: "dict[str, Any]") -> None:
        super().__init__(values)
        client = values.get("client")
        self.client = None if client is None else Client(client)


class LambdaContext:
    """What a handler learns of its invocation (Lambda guide, "Using the Lambda context object")."""

    def __init__(self, request_id: str, arn: str, milliseconds: int, client_context: "Any") -> None:
        self.aws_request_id = request_id
        self.__dict__.update(State.function)
        self.invoked_function_arn = arn
        self.tenant_id = None
        self._w3c_fields = taken_w3c(client_context)
        self.client_context = ClientContext(client_context) if client_context is not None else None
        self.identity = CognitoIdentity({})
        self._epoch_deadline_time_in_ms = int(time.time() * 1000) + milliseconds

    def get_remaining_time_in_millis(self) -> int:
        return max(0, self._epoch_deadline_time_in_ms - int(time.time() * 1000))

    def w3c(self) -> "dict[str, str]":
        """The trace context that came with the invocation."""
        return dict(self._w3c_fields)

    def log(self, msg: object) -> None:
        logging = sys.modules.get("logging")
        if logging is None or any(hasattr(handler, "log_sink") for handler in logging.getLogger().handlers):
            write_record(str(msg))
        else:
            sys.stdout.write(str(msg))

    def __repr__(self) -> str:
        names = ("aws_request_id", *State.function, "invoked_function_arn", "client_context", "identity", "tenant_id")
        shown = ",".join(f"{name}={getattr(self, name)}" for name in names)
        return f"LambdaContext([{shown}])"


def taken_w3c(client_context: "Any") -> "dict[str, str]":
    """The trace context, which travels in the client context and is no longer there afterwards."""
    if not isinstance(client_context, dict):
        return {}
    found = client_context.pop("w3c", None)
    if not isinstance(found, dict):
        return {}
    return {name: found[name] for name in ("traceparent", "tracestate", "baggage") if isinstance(found.get(name), str)}


def function_fields() -> "dict[str, str | None]":
    """What the context object takes from the environment."""
    return {
        "log_group_name": os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME"),
        "log_stream_name": os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME"),
        "function_name": os.environ.get("AWS_LAMBDA_FUNCTION_NAME"),
        "memory_limit_in_mb": os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"),
        "function_version": os.environ.get("AWS_LAMBDA_FUNCTION_VERSION"),
    }


# --- errors -----------------------------------------------------------------------------------------------------------


class Fault(Exception):
    """A failure that has a name of its own on AWS: Runtime.ImportModuleError and so on."""

    def __init__(self, kind: str, message: str, trace: "list[str] | None" = None) -> None:
        super().__init__(message)
        self.kind = "Runtime." + kind if "." not in kind else kind
        self.trace = trace or []


def error_object(error: Exception, request_id: str) -> "dict[str, Any]":
    if isinstance(error, Fault):
        message, kind, trace = str(error), error.kind, error.trace
    else:
        message, kind, trace = str(error), type(error).__name__, user_frames(error)
    return {"errorMessage": message, "errorType": kind, "requestId": request_id, "stackTrace": trace}


def user_frames(error: Exception) -> "list[str]":
    import traceback

    frames: Any = [(f.filename, f.lineno, f.name, f.line) for f in traceback.extract_tb(error.__traceback__)]
    first = next((n for n, frame in enumerate(frames) if frame[0] != __file__), len(frames))
    return traceback.format_list(frames[first:])


def log_error(error: "dict[str, Any]") -> None:
    if log_in_json():
        now = time.strftime(LOG_TIME, time.gmtime())
        write_record(to_json({"timestamp": now, "level": "ERROR", **error}))
        return
    lines = [
        ("[ERROR] %s: %s" if error["errorMessage"] else "[ERROR] %s%s") % (error["errorType"], error["errorMessage"])
    ]
    lines.append("Traceback (most recent call last):")
    for entry in error["stackTrace"]:
        for line in entry.splitlines():
            code = line.lstrip(" ")
            lines.append(NO_BREAK_SPACE * (len(line) - len(code)) + code)
    write_record("\n".join(lines))


# --- JSON as the runtime writes it ------------------------------------------------------------------------------------


class Encoder(json.JSONEncoder):
    """JSON as simplejson writes it for AWS: decimals as numbers, bytes as text, `_asdict` objects as objects.

    The standard library has no way to write a number of one's own, so a decimal goes out as a marked string and
    loses its quotes afterwards.
    """

    mark: "str | None" = None

    def default(self, value: "Any") -> "Any":
        if isinstance(value, bytes):
            return value.decode()
        if callable(getattr(value, "_asdict", None)):
            return as_dict(value)
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


def to_json(value: object) -> str:
    encoder = State.encoder
    encoder.mark = None
    plain = type(value) in PLAIN or not needs_conversion(value)
    text: str = encoder.encode(value if plain else converted(value))
    if encoder.mark is not None:
        import re

        text = re.sub(f'"{encoder.mark}([^"]*)"', r"\1", text)
    return text


PLAIN = frozenset((str, int, float, bool, type(None)))


def needs_conversion(value: object) -> bool:
    """Does it hold what simplejson writes otherwise than the standard library: named tuples, keys of odd types?"""
    pending: list[Any] = [value]
    seen: set[int] = set()
    while pending:
        container = pending.pop()
        if id(container) in seen:
            continue
        seen.add(id(container))
        if isinstance(container, dict):
            if any(type(key) not in PLAIN for key in container):
                return True
            container = container.values()
        elif isinstance(container, tuple) and hasattr(container, "_asdict"):
            return True
        elif not isinstance(container, (list, tuple)):
            continue
        pending.extend([item for item in container if type(item) not in PLAIN])
    return False


def converted(value: "Any") -> "Any":
    if isinstance(value, dict):
        return {converted_key(key): converted(item) for key, item in value.items()}
    if isinstance(value, tuple) and callable(getattr(value, "_asdict", None)):
        return converted(as_dict(value))
    if isinstance(value, (list, tuple)):
        return [converted(item) for item in value]
    return value


def converted_key(key: "Any") -> "Any":
    if isinstance(key, bytes):
        return key.decode()
    if key is None or isinstance(key, (str, int, float)):
        return key
    raise TypeError(f"keys must be str, int, float, bool or None, not {type(key).__name__}")


def as_dict(value: "Any") -> "dict[Any, Any]":
    found = value._asdict()
    if not isinstance(found, dict):
        raise TypeError(f"_asdict() must return a dict, not {type(found).__name__}")
    return found


def marshal(response: object) -> "bytes | str":
    if isinstance(response, bytes):
        return response
    try:
        return to_json(response)
    except Exception as error:
        raise Fault("MarshalError", f"Unable to marshal response: {error}") from None


def unmarshal(text: "str | bytes", kind: str, message: str) -> "Any":
    try:
        return json.loads(text)
    except Exception as error:
        raise Fault(kind, f"{message}: {error}") from None


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
    """Run the handler for one frame: the kind of the answer, the request id and the answer.

    As on AWS, an exception that has no text and text with half a surrogate pair end the process.
    """
    request_id, arn, milliseconds, trace_id, client_context = head.decode().split("\n", 4)
    State.request_id = request_id
    State.inside_a_line = False
    set_trace_id(trace_id)
    failure = None
    try:
        client = None
        if client_context:
            client = unmarshal(client_context, "LambdaContextUnmarshalError", "Unable to parse Client Context JSON")
        context = LambdaContext(request_id, arn, int(milliseconds), client)
        event = unmarshal(payload, "UnmarshalError", "Unable to unmarshal input")
        response = handler(event, context)
        answer = marshal(response)
    except Exception as error:
        failure = error_object(error, request_id)
    if failure is not None:
        log_error(failure)
        return ERROR, request_id, to_json(failure).encode()
    if isinstance(answer, str):
        answer = answer.encode()
    return (RESULT, request_id, answer) if len(answer) <= RESPONSE_MAX else (TOO_LARGE, request_id, b"")


def set_trace_id(trace_id: str) -> None:
    if trace_id:
        os.environ["_X_AMZN_TRACE_ID"] = trace_id
    elif "_X_AMZN_TRACE_ID" in os.environ:
        del os.environ["_X_AMZN_TRACE_ID"]


# --- from start to end ------------------------------------------------------------------------------------------------


def main(answers: int, life: int) -> None:
    """Be the environment that `os.environ` describes, until the engine closes the channel.

    `answers` is the descriptor of the channel, `life` of a pipe that closes when the engine dies. Standard output and
    standard error are the log pipe.
    """
    limit_resources()
    channel = Channel(answers)
    die_with_the_engine(life)
    prepare()
    enter_simulated_time(channel)
    wait_for_debuggers()
    handler = load(channel)
    flush()
    channel.send(READY, PYTHON, b"")
    serve(channel, handler)


def prepare() -> None:
    """Make the interpreter what a handler expects: its folder first on the path, nothing that it prints held back."""
    code = os.environ["LAMBDA_TASK_ROOT"]
    here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120
    if sys.path and sys.path[0] == here:
        sys.path[0] = code
    else:
        sys.path.insert(0, code)
    search_packages()
    sys.argv[1:] = []
    sys.dont_write_bytecode = True
    State.function = function_fields()
    State.encoder = Encoder(ensure_ascii=not newer_than_311())
    State.log = move_high(os.dup(1))
    out: Any = sys.stdout
    err: Any = sys.stderr
    out.reconfigure(encoding="utf-8", errors="surrogateescape")
    err.reconfigure(encoding="utf-8", errors="backslashreplace")
    sys.stdout, sys.stderr = Unbuffered(out), Unbuffered(err)
    if "logging" in sys.modules:  # a .pth file of this interpreter's site-packages was first
        set_up_logging(sys.modules["logging"])
    else:
        sys.meta_path.insert(0, LoggingOnImport())


def search_packages() -> None:
    """Packages and layers come behind the code. PYTHONPATH counts even where nobody read it when Python began."""
    folders = [folder for folder in os.environ.get("PYTHONPATH", "").split(":") if folder]
    sys.path[1:] = folders + [folder for folder in sys.path[1:] if folder not in folders]


def enter_simulated_time(channel: Channel) -> None:
    """If the engine says so, time in here is what the engine says (see `simulated.py`, which lies beside this file)."""
    seed = os.environ.pop("LAMTOP_SIMULATED", "")
    if not seed:
        return
    from importlib.util import module_from_spec, spec_from_file_location

    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "simulated.py")  # noqa: PTH100, PTH118, PTH120
    spec: Any = spec_from_file_location("lamtop_simulated", path)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    module.enter(channel, seed)


def wait_for_debuggers() -> None:
    """Let a debugger attach at any time, if the engine says so. The port may still be that of the process before."""
    port = int(os.environ.pop("LAMTOP_DEBUG_PORT", "0"))
    if not port:
        return
    import socket

    os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"  # else it writes into the handler's log
    debugpy = importlib.import_module("debugpy")  # the handlers' own
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


def load(channel: Channel) -> "Callable[..., Any]":
    """The handler. If there is none, the engine learns why, and the process ends."""
    try:
        return load_handler(os.environ["_HANDLER"])
    except Exception as error:
        failure = error_object(error, "")
    warn_of_failed_init()
    log_error(failure)
    flush()
    channel.send(INIT_ERROR, PYTHON, to_json(failure).encode())
    sys.exit(1)


def warn_of_failed_init() -> None:
    import logging

    logging.warning(INIT_WARNING)


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
    main(int(sys.argv[1]), int(sys.argv[2]))
