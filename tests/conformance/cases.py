"""Handlers that AWS's runtime and ours must treat alike. Each function is one invocation, in the order of the text."""
# ruff: noqa: E501 (a handler is one line, however long)

from .twin import Case

RESULTS = """
import asyncio, collections, datetime, decimal, enum, pathlib, uuid
Point = collections.namedtuple("Point", "x y")

class Row:
    def _asdict(self): return {"id": decimal.Decimal("1.50")}

class Odd:
    def _asdict(self): return [1]

class Colour(enum.Enum): RED = 1
class Size(enum.IntEnum): BIG = 3
class Name(str): pass
class Whole(int):
    def __repr__(self): return "whole"

def nothing(event, context): pass
def text(event, context): return "plain \\"quoted\\" \\\\ /"
def numbers(event, context): return [0, -0.0, 1.5, 1e16, 1e-7, 0.1 + 0.2, 10**30, True, None]
def unicode(event, context): return {"caf\\u00e9": "\\U0001f600 \\u2028 \\x00 \\x7f \\x80"}
def decimals(event, context): return [decimal.Decimal(d) for d in ("1.10", "1E+3", "-0", "1e-30", "NaN", "-NaN", "Infinity")]
def decimal_inside(event, context): return {"a": [Point(decimal.Decimal("2.5"), ({"b": decimal.Decimal(1)},))]}
def decimal_key(event, context): return {decimal.Decimal("1.5"): 1}
def raw_bytes(event, context): return b"\\xff\\x00 raw"
def bytes_inside(event, context): return [b"text", {b"key": b"value"}]
def bytes_that_are_no_text(event, context): return [b"\\xff"]
def a_bytearray(event, context): return bytearray(b"x")
def named_tuple(event, context): return [Point(1, Point(2, 3)), (4, 5)]
def an_object_with_asdict(event, context): return [Row(), Row()]
def an_odd_asdict(event, context): return Odd()
def not_a_number(event, context): return [float("nan"), float("inf"), -float("inf")]
def enumerations(event, context): return {Size.BIG: Size.BIG, "name": Name("n"), "whole": Whole(3)}
def plain_enumeration(event, context): return Colour.RED
def keys(event, context): return {None: 1, True: 2, 1.5: 3, 2: 4, "2": 5}
def tuple_key(event, context): return {(1, 2): 3}
def order(event, context): return collections.OrderedDict(b=1, a={"z": 1, "y": 2})
def a_date(event, context): return {"at": datetime.date(2020, 1, 1)}
def a_set(event, context): return {1, 2}
def a_path(event, context): return pathlib.Path("x")
def a_uuid(event, context): return uuid.UUID(int=1)
def a_generator(event, context): return (n for n in [1])
def a_mapping_view(event, context): return {}.keys()
def a_class(event, context): return int
def nested(event, context):
    found = []
    for _ in range(300): found = [found]
    return found
def too_deep(event, context):
    found = []
    for _ in range(100_000): found = [found]
    return found
def a_circle(event, context):
    found = {}
    found["self"] = found
    return found
def large(event, context): return "x" * 1_200_000
def large_unicode(event, context): return "\\u00e9" * 200_000
async def asynchronous(event, context): return 1
def run_asynchronous(event, context): return asyncio.run(asynchronous(event, context))
def generator_function(event, context): yield 1
def digits(event, context): return 10 ** 5000
"""

EXCEPTIONS = """
import inner, shop.basket
class PaymentRefused(Exception): pass
class Silent(Exception):
    def __init__(self, code): self.code = code
class Noted(ValueError):
    def __str__(self): return "told by __str__"

count = 0
def plain(event, context): raise Exception("boom")
def custom(event, context): raise PaymentRefused("card", 4711)
def of_another_module(event, context): raise inner.InnerError("inside")
def no_message(event, context): raise ValueError
def empty_message(event, context): raise ValueError("")
def without_super(event, context): raise Silent(7)
def own_text(event, context): raise Noted("unused")
def a_key(event, context): return {}["missing"]
def unicode(event, context): raise Exception("caf\\u00e9 \\U0001f600 \\u2028")
def several_lines(event, context): raise Exception("first\\n  second\\n\\tthird\\n")
def a_carriage_return(event, context): raise Exception("first\\r\\nsecond")
def chained(event, context):
    try:
        1 / 0
    except ZeroDivisionError as error:
        raise RuntimeError("while dividing") from error
def during(event, context):
    try:
        1 / 0
    except ZeroDivisionError:
        {}["k"]
def in_another_module(event, context): inner.fail()
def in_a_package(event, context): shop.basket.Basket().add(0)
def in_a_lambda(event, context): (lambda n: 1 / n)(0)
def in_a_comprehension(event, context): return [1 / n for n in (1, 0)]
def in_evaluated_code(event, context): eval("1 / 0")
def in_the_standard_library(event, context): __import__("json").loads("{")
def endless(event, context): return endless(event, context)
def several_physical_lines(event, context):
    raise Exception(
        "one"
        "two"
    )
def an_assertion(event, context): assert context is None, ("a", 1)
def with_notes(event, context):
    error = ValueError("noted")
    error.__notes__ = ["a note"]
    raise error
def long_message(event, context): raise Exception("x" * 10_000)
def type_error(event, context): return len(3)
def attribute(event, context): return context.nope
def result_and_back(event, context):
    global count
    count += 1
    return count
"""
MODULES = {
    "inner.py": "class InnerError(Exception): pass\ndef fail():\n    deeper()\ndef deeper():\n    raise InnerError('x')\n",
    "shop/__init__.py": "",
    "shop/basket.py": "class Basket:\n    def add(self, n):\n        return 1 / n\n",
}

PRINTING = """
import contextlib, io, os, pprint, subprocess, sys, threading, traceback, warnings
from concurrent.futures import ThreadPoolExecutor

def a_line(event, context): print("one", 2, None)
def no_end(event, context): print("no end", end="")
def the_next_begins_a_line(event, context): print("new")
def nothing_but_an_end(event, context): print()
def several(event, context): print("a\\nb\\n\\nc")
def both_streams(event, context):
    print("out 1"); print("err 1", file=sys.stderr); print("out 2")
def carriage_returns(event, context): print("10%\\r20%\\r\\nafter")
def tabs_and_bells(event, context): print("\\ttab \\x07 \\x1b[31mred\\x1b[0m \\x00.")
def unicode(event, context): print("caf\\u00e9 \\U0001f600")
def half_a_pair_from_a_file_name(event, context): print("\\udcff")
def half_a_pair(event, context): print("\\ud800")
def bytes_out(event, context):
    sys.stdout.buffer.write(b"\\xff\\xfe raw\\n"); sys.stdout.buffer.flush()
def descriptor(event, context): os.write(1, b"by descriptor\\n")
def returned_by_write(event, context): return [sys.stdout.write("w\\n"), sys.stdout.writelines(["x\\n", "y\\n"])]
def asked(event, context): return [sys.stdout.encoding, sys.stdout.isatty(), sys.stdout.fileno(), sys.stderr.encoding]
def a_child(event, context): subprocess.run([sys.executable, "-c", "print('from a child')"])
def pretty(event, context): pprint.pprint({"a": list(range(30)), "b": "x" * 50})
def a_traceback(event, context):
    try:
        1 / 0
    except ZeroDivisionError:
        traceback.print_exc()
def warned(event, context): warnings.warn("careful")
def redirected(event, context):
    with contextlib.redirect_stdout(io.StringIO()) as text:
        print("inside")
    return text.getvalue()
def a_thread(event, context):
    thread = threading.Thread(target=print, args=("in a thread",))
    thread.start(); thread.join()
def a_failing_thread(event, context):
    thread = threading.Thread(target=divmod, args=(1, 0), name="worker")
    thread.start(); thread.join()
def a_pool(event, context):
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(str, range(3)))
def a_failing_pool(event, context):
    with ThreadPoolExecutor(1) as pool:
        pool.submit(int, "x").result()
def half_a_line_then_an_error(event, context):
    print("half", end="")
    raise ValueError("after half a line")
"""

LOGGING = """
import contextlib, io, logging, sys, warnings
log = logging.getLogger("shop.orders")

def handlers(event, context):
    root = logging.getLogger()
    return [type(h).__name__ for h in root.handlers], root.level
def every_level(event, context):
    for level in ("debug", "info", "warning", "error", "critical"):
        getattr(logging, level)("at %s", level)
def more_levels(event, context):
    logging.getLogger().setLevel(logging.INFO)
    logging.debug("hidden"); logging.info("shown"); log.info("named"); log.log(25, "between"); log.log(99, "above")
def arguments(event, context): logging.warning("%s has %d at %(x)s" if 0 else "%s has %d", "he", 3)
def named_arguments(event, context): logging.warning("%(who)s waits", {"who": "she"})
def wrong_arguments(event, context): logging.warning("%d", "x")
def not_a_text(event, context): logging.warning(ValueError("an error as a message")); logging.warning(None)
def a_dictionary(event, context): logging.warning({"order": 1, "when": object})
def several_lines(event, context): logging.error("one\\n  two\\n")
def empty(event, context): logging.error("")
def unicode(event, context): logging.error("caf\\u00e9 \\U0001f600 \\x00")
def half_a_pair(event, context): logging.error("\\udcff")
def extra(event, context):
    logging.warning("with", extra={"order": 7, "price": 1.5, "deep": {"a": [1]}, "none": None, "odd": {1}, "level": "x"})
def an_exception(event, context):
    try:
        1 / 0
    except ZeroDivisionError:
        logging.exception("it failed with %s", "that"); log.warning("and", exc_info=True)
def no_exception(event, context): logging.warning("none", exc_info=False)
def the_stack(event, context): logging.warning("here", stack_info=False)
def uncaught(event, context): raise KeyError("k\\u00e9y")
def uncaught_without_text(event, context): raise ValueError
def not_marshalled(event, context): return {1}
def half_a_line(event, context): print("half", end=""); logging.warning("a record"); print("rest")
def printed_and_logged(event, context): print("p1"); logging.warning("l1"); print("p2"); logging.warning("l2")
def a_json_line(event, context): print('{"level": "FATAL", "message": "printed"}')
def by_context(event, context): context.log("a"); context.log("b\\nc\\n"); context.log(3); context.log("")
def redirected(event, context):
    with contextlib.redirect_stdout(io.StringIO()) as text:
        logging.warning("not redirected"); print("redirected")
    return text.getvalue()
def the_record(event, context):
    seen = []
    class Keep(logging.Handler):
        def emit(self, record): seen.append([record.levelname, getattr(record, "aws_request_id", "-"), record.getMessage()])
    keep = Keep(); logging.getLogger().addHandler(keep)
    logging.log(35, "looked at"); logging.getLogger().removeHandler(keep)
    return seen
def no_effect(event, context): logging.basicConfig(level="DEBUG", format="own %(message)s"); logging.warning("as before")
def captured(event, context): logging.captureWarnings(True); warnings.warn("captured"); logging.captureWarnings(False)
"""

OWN_FORMATTER = """
import logging
for handler in logging.getLogger().handlers:
    handler.setFormatter(logging.Formatter("%(levelname)s|%(aws_request_id)s|%(tenant_id)s|%(message)s"))
logging.warning("at import")
def own(event, context): logging.warning("own\\nformat"); context.log("by context")
def error(event, context): raise ValueError("as ever")
"""
OWN_HANDLER = """
import logging, sys
log = logging.getLogger("mine")
log.propagate = False
log.addHandler(logging.StreamHandler(sys.stdout))
log.setLevel("DEBUG")
def own(event, context): log.info("to stdout"); log.error("two\\nlines"); logging.warning("root")
def bad_format(event, context): log.info("%d", "x"); return "survived"
"""
FORCED = """
import logging
logging.basicConfig(level="INFO", format="forced %(levelname)s %(message)s", force=True)
def forced(event, context): logging.info("to standard error"); context.log("plain"); context.log("no end")
def error(event, context): raise ValueError("as ever")
def closed(event, context):
    import os, sys
    sys.stdout.close()
    return "closed"
def after(event, context): raise ValueError("still told")
"""
CONFIGURED = """
import logging.config
logging.config.dictConfig({"version": 1, "handlers": {"c": {"class": "logging.StreamHandler", "level": "INFO"}},
                           "root": {"handlers": ["c"], "level": "DEBUG"}})
def configured(event, context): logging.info("by dictConfig"); context.log("c")
"""

CONTEXT = """
import dataclasses, os, sys, types
def shown(event, context): return [repr(context), str(context), repr(context.identity), repr(context.client_context)]
def attributes(event, context): return sorted(vars(context)), [n for n in dir(context) if n[0] != "_"]
def order(event, context): return list(vars(context))
def kinds(event, context): return {n: type(getattr(context, n)).__name__ for n in vars(context)}
def values(event, context):
    return [context.function_name, context.function_version, context.memory_limit_in_mb, context.log_group_name,
            context.aws_request_id, context.invoked_function_arn, context.tenant_id]
def remaining(event, context):
    left = context.get_remaining_time_in_millis()
    return [type(left).__name__, 0 < left <= 60_000]
def client(event, context):
    c = context.client_context
    return c and [c.custom, c.env, repr(c.client), c.client and c.client.installation_id]
def trace_context(event, context): return context.w3c()
def fixed(event, context): context.identity.nickname = "x"
def more(event, context): context.nickname = "x"; return context.nickname
def missing(event, context): return context.identity.cognito_identity_id
def environment(event, context):
    names = "AWS_LAMBDA_FUNCTION_NAME AWS_EXECUTION_ENV _HANDLER TZ LANG AWS_REGION _X_AMZN_TRACE_ID AWS_LAMBDA_LOG_LEVEL"
    return [os.environ.get(name) for name in names.split()], os.getcwd() == os.environ["LAMBDA_TASK_ROOT"]
def path(event, context): sys.path.insert(0, "/nowhere"); return sys.path[0]
def path_again(event, context): return sys.path[0], os.environ["LAMBDA_TASK_ROOT"] in [os.path.abspath(p) for p in sys.path]
def changed(event, context): os.environ["GREETING"] = "hello"
def kept(event, context): return os.environ["GREETING"]
"""

END = "import os, signal, sys, threading\ndef end(event, context):\n    print('before', end='')\n    "
ENDS = {
    "exit": "sys.exit()",
    "exit-0": "sys.exit(0)",
    "exit-3": "sys.exit(3)",
    "exit-text": "sys.exit('so long')",
    "exit-caught": "raise SystemExit(4) from ValueError('x')",
    "os-exit-0": "os._exit(0)",
    "os-exit-5": "os._exit(5)",
    "killed": "os.kill(os.getpid(), signal.SIGKILL)",
    "aborted": "os.abort()",
    "terminated": "os.kill(os.getpid(), signal.SIGTERM); signal.pause()",
    "interrupt": "raise KeyboardInterrupt('by hand')",
    "base-exception": "raise type('Odd', (BaseException,), {})('odd')",
    "broken-text": "raise type('Odd', (Exception,), {'__str__': lambda self: 1 / 0})()",
    "half-a-pair": "return '\\ud800'",
    "half-a-pair-key": "return {'\\ud800': 1}",
    "half-a-pair-raised": "raise Exception('\\udcff')",
}

IMPORTS = {
    "no-module": ("app.handler", "import nowhere_to_be_found"),
    "no-app": ("nowhere.handler", ""),
    "no-name": ("app.handler", "from json import nope"),
    "no-attribute": ("app.nope", "def handler(event, context): pass"),
    "no-dot": ("app", ""),
    "two-dots": ("app..handler", ""),
    "no-text": (".handler", ""),
    "builtin": ("sys.exit", ""),
    "builtin-inside": ("time.nested.handler", ""),
    "syntax": ("app.handler", "def handler(event, context):\n    return (\n"),
    "syntax-inside": ("app.handler", "import broken"),
    "indentation": ("app.handler", "def handler(event, context):\nreturn 1"),
    "null-byte": ("app.handler", "x = '\0'"),
    "raised": ("app.handler", "print('loading')\nimport logging\nlogging.warning('loading')\n1 / 0"),
    "raised-inside": ("app.handler", "import failing"),
    "raised-no-text": ("app.handler", "raise ValueError"),
    "raised-text": ("app.handler", "class Odd(Exception):\n    def __str__(self): return 'odd\\ntext'\nraise Odd"),
    "forced-log": ("app.handler", "import logging\nlogging.basicConfig(format='%(levelname)s', force=True)\n1 / 0"),
    "exit-1": ("app.handler", "import sys\nsys.exit(1)"),
    "exit-0": ("app.handler", "import sys\nprint('leaving')\nsys.exit(0)"),
}
BROKEN = {"broken.py": "a = 1\nb = = 2\n", "failing.py": "def fail():\n    raise KeyError('import')\nfail()\n"}

CLIENT = '{"custom": {"a": 1}, "env": {"b": 2}, "client": {"installation_id": "i", "app_title": "t", "odd": 1}, '
CLIENT += '"w3c": {"traceparent": "00-1", "tracestate": 5, "other": "x"}, "unknown": true}'

CASES = [
    Case("results", RESULTS),
    Case("results-39", RESULTS, runtime="python3.9"),
    Case("exceptions", EXCEPTIONS, files=MODULES),
    Case("exceptions-39", EXCEPTIONS, files=MODULES, runtime="python3.9"),
    Case("exceptions-json", EXCEPTIONS, files=MODULES, level="INFO"),
    Case("printing", PRINTING),
    Case("printing-json", PRINTING, level="INFO"),
    Case("logging", LOGGING),
    Case("logging-json", LOGGING, level="INFO"),
    Case("logging-json-trace", LOGGING, level="TRACE"),
    Case("logging-json-error", LOGGING, level="ERROR"),
    Case("logging-json-39", LOGGING, level="WARN", runtime="python3.9"),
    *(Case(f"{name}{'-json' * bool(level)}", code, level=level)
      for name, code in {"formatter": OWN_FORMATTER, "handler": OWN_HANDLER, "forced": FORCED, "configured": CONFIGURED}.items()
      for level in ("", "INFO")),
    Case("context", CONTEXT, client_context=CLIENT, trace_id="Root=1-5e1b4151-0;Sampled=1"),
    Case("context-plain", CONTEXT),
    Case("context-list", "def handler(event, context): pass", ("x",), client_context="[1]"),
    Case("context-bad", "def handler(event, context): pass", ("x", "y"), client_context="{"),
    Case("events", "def handler(event, context): return event",
         (None, 1, "text", [], {}, {"caf\u00e9": "\U0001f600", "n": [1.0, 10**20]}, "x" * 200_000)),
    Case("in-a-folder", "", ("x",), "shop/basket.handler", files={"shop/basket.py": "def handler(event, context): return __name__"}),
    Case("in-a-package", "", ("x",), "shop.basket.handler", files={"shop/basket.py": "def handler(event, context): return __name__"}),
    Case("callable-object", "class C:\n    def __call__(self, event, context): return 1\nhandler = C()", ("x",)),
    Case("too-few-arguments", "def handler(event): pass", ("x",)),
    Case("not-callable", "handler = 3", ("x",)),
    *(Case(f"end-{name}", END + code + "\n", ("end",), "app.end") for name, code in ENDS.items()),
    *(Case(f"import-{name}", code, ("x",), handler, files=BROKEN) for name, (handler, code) in IMPORTS.items()),
    Case("import-raised-json", IMPORTS["raised"][1], ("x",), level="INFO"),
    Case("import-raised-json-error", IMPORTS["raised"][1], ("x",), level="ERROR"),
]  # fmt: skip
