"""What handlers do to the engine, each in a real process: the rows H1 to H13 of a list of faults.

Whatever it is, the engine goes on, the next invocation runs, and afterwards descriptors, threads and children are as
before (the fixture looks). Rows that have a test elsewhere:

H1 ends of the process          test_environments: the end of the process is told in AWS's words
H4 output held open             test_environments: a grandchild that holds the output open does not delay the answer
H6 binary and endless output    test_environments: binary output and a line without end are harmless
H7 the answer channel misused   test_environments: garbage on the answer channel, closed output, a forked child
H10, H11 files change           test_reload; test_environments: code that does not load is not switched to
"""

import asyncio
import gc
import json
import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.running import linux_only
from engine.test_environments import Bench, bench, both_ways, failure, is_alive, result, spawn, until
from lamtop.engine.edges.environments.processes import memory

__all__ = ["bench", "spawn"]  # fixtures


@pytest.fixture(autouse=True)
def no_thread_more() -> Any:
    before = threading.active_count()
    yield
    assert threading.active_count() == before


# --- H2: it will not end ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "stuck",
    [
        "lock = threading.Lock(); lock.acquire(); lock.acquire()",
        "re.match('(a+)+b', 'a' * 60)",  # never gives the interpreter lock away
        "threading.Thread(target=time.sleep, args=(60,)).start(); sys.exit()",  # waits for its threads
    ],
)
@both_ways
def test_whatever_it_is_stuck_in_a_timeout_ends_it(bench: Callable[..., None], stuck: str) -> None:
    async def story(b: Bench) -> None:
        b.configure(timeout=0.2)
        outcome = await b.run("stuck")
        assert failure(outcome)["errorType"] == "Sandbox.Timedout"
        assert outcome.duration < 1.2
        assert result(await b.run()) == "fine"

    code = f"""
        import re, sys, threading, time
        def handler(event, context):
            if event == "stuck":
                {stuck}
            return "fine"
        """
    bench(code, story)


# --- H3: it leaves processes behind -----------------------------------------------------------------------------------

# As daemons are made: a session of its own, an orphan, no descriptor, no variable, and one more that it has started.
DAEMON = """
    import os, time
    def daemon():
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                if os.fork() == 0:
                    os.setsid()
                    note("second")
                    os.closerange(0, 2000)
                    os.execve("/bin/sleep", ["sleep", "60"], {})
                note("first")
                os.closerange(0, 2000)
                os.execve("/bin/sleep", ["sleep", "60"], {})
            os._exit(0)
        os.wait()
        while not (os.path.exists("first") and os.path.exists("second")):
            time.sleep(0.002)
    def note(name):
        with open(name + ".tmp", "w") as file:
            file.write(str(os.getpid()))
        os.rename(name + ".tmp", name)
    def handler(event, context):
        if event == "daemon" or event == "both":
            daemon()
        if event == "hang" or event == "both":
            time.sleep(60)
        if event == "exit":
            os._exit(1)
        return 1
    """


def daemons(folder: Path) -> list[int]:
    return [int((folder / name).read_text()) for name in ("first", "second")]


@linux_only
@both_ways
@pytest.mark.parametrize("end", ["hang", "exit", "reload", "forget", "stop"])
def test_a_daemon_lives_as_long_as_the_environment_that_started_it(bench: Callable[..., None], end: str) -> None:
    async def story(b: Bench) -> None:
        b.configure(timeout=0.5)
        assert result(await b.run("daemon")) == 1
        b.configure(name="other")
        await b.run("exit")  # the end of another is not its end
        b.configure(name="fn")
        left = daemons(b.folder)
        assert all(is_alive(pid) for pid in left)
        if end in ("hang", "exit"):
            failure(await b.run(end))
        elif end == "reload":
            await b.environments.reload(b.function)
        elif end == "forget":
            b.environments.forget("fn")
        else:
            await b.environments.stop(0)
        await until(lambda: not any(is_alive(pid) for pid in left))

    bench(DAEMON, story)


ENGINE = """
import asyncio, sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from test_environments import Bench

async def main():
    bench = Bench(Path({folder!r}))
    bench.send("both")
    await asyncio.sleep(60)

asyncio.run(main())
"""


@linux_only
def test_a_daemon_does_not_outlive_a_killed_engine(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(textwrap.dedent(DAEMON))
    program = ENGINE.format(tests=str(Path(__file__).parent), folder=str(tmp_path))
    engine = subprocess.Popen([sys.executable, "-c", program], env={**os.environ, "TMPDIR": str(tmp_path)})
    try:
        asyncio.run(until(lambda: (tmp_path / "first").exists() and (tmp_path / "second").exists()))
    finally:
        engine.kill()
        engine.wait()
    left = daemons(tmp_path)
    asyncio.run(until(lambda: not any(is_alive(pid) for pid in left)))


# --- H5, H6: it prints ------------------------------------------------------------------------------------------------


def test_a_hundred_megabytes_of_output_cost_the_engine_no_memory(bench: Callable[..., None]) -> None:
    async def story(b: Bench) -> None:
        await b.run(0)
        before = resident()
        await b.run(100)
        assert resident() - before < 50_000
        assert any("more lines were not kept" in line for line in b.lines.output("r2"))

    code = """
        import os
        def handler(event, context):
            for _ in range(event):
                os.write(1, (b"x" * 1023 + b"\\n") * 1024)
        """
    bench(code, story)


def resident() -> int:
    """Resident memory of this process, in KB."""
    lines = Path("/proc/self/status").read_text().splitlines() if Path("/proc/self/status").exists() else []
    return next((int(line.split()[1]) for line in lines if line.startswith("VmRSS:")), 0)


def test_half_a_character_cannot_be_printed_and_that_is_the_handlers_error(bench: Callable[..., None]) -> None:
    async def story(b: Bench) -> None:
        assert failure(await b.run("\ud800"))["errorType"] == "UnicodeEncodeError"
        assert b.lines.output()[-1].startswith("[ERROR] UnicodeEncodeError")
        await b.run("a")

    bench("def handler(event, context): print(event)", story)


# --- H8: it takes all memory ------------------------------------------------------------------------------------------

HUNGRY = """
    import time
    if {init}:
        taken = b"x" * 300_000_000
    def handler(event, context):
        taken = b"x" * (event * 1_000_000)
        if event == 300:
            time.sleep(60)
        return len(taken)
    """


def is_out_of_memory(b: Bench, error: dict[str, Any]) -> bool:
    assert b.lines.of()[-1].endswith(
        "\tMemory Size: 128 MB\tMax Memory Used: 128 MB\t" + b.lines.of()[-1].rpartition("MB\t")[2]
    )
    assert "\tStatus: error\tError Type: Runtime.OutOfMemory" in b.lines.of()[-1]
    assert error["errorType"] == "Runtime.ExitError"
    return str(error["errorMessage"]) == "RequestId: r1 Error: Runtime exited with error: signal: killed"


@linux_only
@both_ways
def test_more_memory_than_the_function_may_use_ends_it_while_it_runs(bench: Callable[..., None]) -> None:
    async def story(b: Bench) -> None:
        outcome = await b.run(300)
        assert is_out_of_memory(b, failure(outcome))
        assert outcome.memory_used == 128
        assert outcome.duration < 5
        assert result(await b.run(1)) == 1_000_000

    bench(HUNGRY.format(init=False), story)


def test_memory_that_was_given_back_before_anybody_looked_counts_too(
    bench: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "_PROC", False)  # nobody looks

    async def story(b: Bench) -> None:
        assert is_out_of_memory(b, failure(await b.run(150)))
        b.configure(name="other", memory=512)
        assert result(await b.run(150)) == 150_000_000

    bench(HUNGRY.format(init=False), story)


def test_memory_is_limited_in_init_too(bench: Callable[..., None]) -> None:
    async def story(b: Bench) -> None:
        assert failure(await b.run(1))["errorType"] == "Runtime.ExitError"
        b.configure(memory=512)
        assert await b.environments.reload(b.function) is None
        assert result(await b.run(1)) == 1_000_000

    bench(HUNGRY.format(init=True), story)


@linux_only
def test_more_address_space_than_any_machine_has_is_an_error_of_the_handlers(bench: Callable[..., None]) -> None:
    async def story(b: Bench) -> None:
        assert failure(await b.run())["errorType"] == "MemoryError"
        assert failure(await b.run())["errorType"] == "MemoryError"
        assert b.environments.cold_starts == {"fn": 1}

    bench("def handler(event, context): return len(bytes(1 << 36))", story)


# --- H9: it leaks -----------------------------------------------------------------------------------------------------


@linux_only
def test_thousands_of_calls_leave_the_engine_as_it_was(bench: Callable[..., None]) -> None:
    async def story(b: Bench) -> None:
        await b.run()
        gc.collect()  # what tests before this one have left open
        descriptors = len(list(Path("/proc/self/fd").iterdir()))
        for _ in range(2_000):
            await b.send()
        assert abs(len(list(Path("/proc/self/fd").iterdir())) - descriptors) <= 5
        assert b.environments.cold_starts == {"fn": 1}

    bench("def handler(event, context): return 1", story)


@pytest.mark.parametrize(
    "leak", ["kept.append(os.dup(0))", "threading.Thread(target=event_.wait, daemon=True).start()"]
)
def test_what_a_handler_leaks_ends_with_its_environment(bench: Callable[..., None], leak: str) -> None:
    async def story(b: Bench) -> None:
        for _ in range(150):
            assert result(await b.run()) == 1

    code = f"""
        import os, threading
        kept, event_ = [], threading.Event()
        def handler(event, context):
            {leak}
            return 1
        """
    bench(code, story)


def test_a_handler_that_has_used_up_its_descriptors_fails_alone(bench: Callable[..., None]) -> None:
    async def story(b: Bench) -> None:
        assert failure(await b.run("leak"))["errorMessage"] == "[Errno 24] Too many open files"
        b.configure(name="other")
        assert result(await b.run()) == 1

    code = """
        import os, traceback
        def handler(event, context):
            while event == "leak":
                os.dup(0)
            return 1
        """
    bench(code, story)


# --- H12: what it returns ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "answer"),
    [
        ("float('nan')", "NaN"),
        ("b'\\xff'", None),  # bytes go out as they are
        ("deep", "Runtime.MarshalError"),
        ("{(1, 2): 3}", "Runtime.MarshalError"),
        ("{'a': object()}", "Runtime.MarshalError"),
    ],
)
def test_a_result_of_any_kind_is_an_answer_or_a_marshal_error(
    bench: Callable[..., None], value: str, answer: str | None
) -> None:
    async def story(b: Bench) -> None:
        outcome = await b.run()
        if answer == "Runtime.MarshalError":
            assert failure(outcome)["errorType"] == answer
        else:
            assert outcome.payload == (answer.encode() if answer else b"\xff")
        assert (await b.run()).environment == outcome.environment  # nothing of it ends the process

    code = f"""
        deep = []
        for _ in range(100_000):
            deep = [deep]
        def handler(event, context):
            return {value}
        """
    bench(code, story)


# --- H13: it changes its surroundings ---------------------------------------------------------------------------------

VANDAL = """
    import os, resource, signal, sys, time
    def handler(event, context):
        if event == "read":
            return sys.stdin.read()
        if event == "debug":
            breakpoint()
        if event == "change":
            for number in (signal.SIGTERM, signal.SIGCHLD, signal.SIGUSR1):
                signal.signal(number, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD, signal.SIGTERM})
            os.chdir("/")
            os.umask(0o123)
            os.environ.clear()
            os.environ["TZ"] = "Asia/Tokyo"
            time.tzset()
            resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
            os.nice(3)
            sys.path.clear()
            sys.modules["json"] = None
        umask = os.umask(0)
        os.umask(umask)
        return {
            "folder": os.getcwd(), "umask": umask, "variables": len(os.environ), "zone": time.tzname[0],
            "files": resource.getrlimit(resource.RLIMIT_NOFILE), "nice": os.nice(0), "path": len(sys.path),
            "signals": [repr(signal.getsignal(n)) for n in (signal.SIGTERM, signal.SIGCHLD, signal.SIGUSR1)],
            "blocked": len(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
        }
    """


@both_ways
def test_what_a_handler_changes_about_itself_reaches_nobody_else(bench: Callable[..., None]) -> None:
    async def story(b: Bench) -> None:
        before = result(await b.run())
        ours = (str(Path.cwd()), dict(os.environ))
        b.configure(name="vandal")
        changed = result(await b.run("change"))
        assert all(changed[key] != before[key] for key in before)
        b.configure(name="after")
        assert result(await b.run()) == before
        assert (str(Path.cwd()), dict(os.environ)) == ours

    bench(VANDAL, story)


@both_ways
def test_there_is_nobody_to_ask(bench: Callable[..., None]) -> None:
    async def story(b: Bench) -> None:
        assert result(await b.run("read")) == ""
        assert failure(await b.run("debug"))["errorType"] == "BdbQuit"
        assert json.loads((await b.run()).payload)["folder"] == str(b.folder)

    bench(VANDAL, story)
