"""The two ways to start an environment: forked from a zygote or as a program, and that a handler sees no difference."""

import asyncio
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.running import linux_only
from engine.test_environments import Bench, bench, both_ways, is_alive, result, spawn, until
from lamtop.engine.edges.environments import end_survivors
from lamtop.engine.edges.environments.processes.capacity import MEMORY_SPARE, Capacity
from lamtop.engine.edges.environments.processes.scratch import Scratch

__all__ = ["bench", "spawn"]  # fixtures

pytestmark = linux_only

PARENT = "import os\ndef handler(event, context): return [os.getpid(), os.getppid()]"


# --- forked as spawned ------------------------------------------------------------------------------------------------

SELF = """
import __main__, gc, locale, logging, os, resource, signal, stat, sys, threading, time

def kind(number):
    mode = os.fstat(number).st_mode
    return next(name for name in ("S_ISSOCK", "S_ISFIFO", "S_ISCHR", "S_ISREG", "S_ISDIR") if getattr(stat, name)(mode))

def stream(it):
    return [it.encoding, it.errors, it.line_buffering, it.seekable(), it.isatty(), it.fileno()]

def descriptors():
    found = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            found[int(name)] = [kind(int(name)), os.get_inheritable(int(name))]
        except OSError:
            pass  # the one that lists
    # One that is measured by a file of the system's keeps it open: a spawned one, because of what it began with.
    return sorted(it for it in found.items() if it[0] < 3 or it[1][0] != "S_ISREG")

def limits():
    names = [name for name in dir(resource) if name.startswith("RLIMIT_") and name != "RLIMIT_RSS"]
    return {name: resource.getrlimit(getattr(resource, name)) for name in names}

def handler(event, context):
    umask = os.umask(0)
    os.umask(umask)
    unlike = ("AWS_LAMBDA_LOG_STREAM_NAME", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "TMPDIR")
    return {
        "argv": sys.argv, "original": sys.orig_argv[:3], "path": sys.path, "flags": repr(sys.flags),
        "executable": sys.executable, "prefix": sys.prefix, "warnings": sys.warnoptions, "x": repr(sys._xoptions),
        "main": [__main__.__file__, __main__.__spec__, type(__main__.__loader__).__name__, __main__.__name__],
        "names": sorted(name for name in vars(__main__) if name.startswith("__")),
        "streams": [stream(it) for it in (sys.stdin, sys.stdout, sys.stderr)], "input": os.readlink("/proc/self/fd/0"),
        "descriptors": descriptors(), "limits": limits(), "umask": umask, "folder": os.getcwd(),
        "session": [os.getsid(0) == os.getpid(), os.getpgid(0) == os.getpid()], "nice": os.nice(0),
        "signals": {n.name: repr(signal.getsignal(n)) for n in signal.valid_signals() if hasattr(n, "name")},
        "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])), "wakeup": signal.set_wakeup_fd(-1),
        "variables": {k: v for k, v in os.environ.items() if k not in unlike}, "zone": time.tzname,
        "locale": [locale.setlocale(locale.LC_ALL), locale.getpreferredencoding(), sys.getfilesystemencoding()],
        "collector": [gc.isenabled(), gc.get_threshold(), gc.get_debug()], "recursion": sys.getrecursionlimit(),
        "threads": [threading.active_count(), threading.current_thread() is threading.main_thread(),
                    threading.get_native_id() == os.getpid(), len(os.listdir("/proc/self/task"))],
        "logging": [type(it).__name__ for it in logging.getLogger().handlers], "level": logging.getLogger().level,
        "finders": [getattr(it, "__name__", type(it).__name__) for it in sys.meta_path],
        "found": [__import__("extra").__file__], "subreaper": open("/proc/self/status").read().count("NoNewPrivs:\\t0"),
    }
"""


def test_a_handler_sees_no_difference_between_a_forked_and_a_spawned_environment(
    bench: Callable[..., None], tmp_path: Path
) -> None:
    seen: list[dict[str, Any]] = []
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "extra.py").touch()

    async def story(b: Bench) -> None:
        b.configure(environment={"PYTHONPATH": f"{tmp_path}/more:relative", "TABLE": "Zoë", "PYTHONUTF8": "1"})
        await b.run()  # something else was forked before
        b.configure(environment={**b.function.environment, "TABLE": "Ada"}, name="another")
        seen.append(result(await b.run()))

    bench(SELF, story, spawn=False)
    bench(SELF, story, spawn=True)
    forked, spawned = seen
    assert forked["variables"]["TABLE"] == "Ada"
    forked["finders"] = [name for name in forked["finders"] if name != "LoggingOnImport"]
    spawned["finders"] = [name for name in spawned["finders"] if name != "LoggingOnImport"]
    assert forked == spawned


def test_both_ways_count_the_same_memory(bench: Callable[..., None]) -> None:
    peaks: dict[tuple[bool, int], int] = {}

    for way in (False, True):

        async def story(b: Bench, way: bool = way) -> None:
            for size in (0, 50):
                peaks[way, size] = (await b.run(size)).memory_used

        # It keeps what it takes: a spawned process begins with its parent's peak, below which no peak of its own shows.
        code = """
            def handler(event, context):
                global kept
                kept = b"x" * (event * 1024 * 1024)
            """
        bench(code, story, spawn=way)
    for size in (0, 50):
        assert abs(peaks[False, size] - peaks[True, size]) < 15, peaks
    assert peaks[False, 50] > 50


def test_a_function_with_other_start_up_variables_gets_an_interpreter_that_has_read_them(
    bench: Callable[..., None],
) -> None:
    async def story(b: Bench) -> None:
        for seed in ("1", "2", "1"):
            b.configure(name=f"with{b.count}", environment={"PYTHONHASHSEED": seed, "PYTHONOPTIMIZE": "1"})
            expected = subprocess.check_output(
                [sys.executable, "-c", "print(hash('x'))"], env={"PYTHONHASHSEED": seed}, text=True
            )
            assert result(await b.run()) == [int(expected), 1]

    bench("import sys\ndef handler(event, context): return [hash('x'), sys.flags.optimize]", story)


def test_no_two_forks_draw_the_same_numbers(bench: Callable[..., None]) -> None:
    async def story(b: Bench) -> None:
        drawn = set()
        for name in ("one", "two", "three"):
            b.configure(name=name)
            drawn.add(result(await b.run()))
        assert len(drawn) == 3

    bench("import random\ndef handler(event, context): return random.random()", story)


# --- the zygote -------------------------------------------------------------------------------------------------------


def test_environments_are_forked_by_one_process_unless_spawning_is_asked_for(bench: Callable[..., None]) -> None:
    parents: dict[bool, set[int]] = {}

    for way in (False, True):

        async def story(b: Bench, way: bool = way) -> None:
            pids = []
            for name in ("one", "two"):
                b.configure(name=name)
                pids.append(result(await b.run()))
            parents[way] = {parent for _, parent in pids}

        bench(PARENT, story, spawn=way)
    assert parents[True] == {os.getpid()}
    assert len(parents[False]) == 1
    assert os.getpid() not in parents[False]


def test_what_a_dead_zygote_has_forked_goes_on_and_the_next_start_makes_another(bench: Callable[..., None]) -> None:
    told: list[str] = []

    async def story(b: Bench) -> None:
        pid, zygote = result(await b.run())
        running = b.send("wait")
        await until(lambda: len(b.environments.executing) == 1)
        os.kill(zygote, signal.SIGKILL)
        await until(lambda: bool(told))
        b.configure(name="other")
        _, other = result(await b.run())
        assert other not in (zygote, os.getpid())
        (b.folder / "go").touch()
        assert result(await running) == [pid, os.getpid()]  # it has been taken in
        b.configure(name="fn")
        assert (await b.run("exit")).error_message == "RequestId: r4 Error: Runtime exited with error: exit status 3"
        assert len(told) == 1

    code = """
        import os, time
        def handler(event, context):
            while event == "wait" and not os.path.exists("go"):
                time.sleep(0.005)
            if event == "exit":
                os._exit(3)
            return [os.getpid(), os.getppid()]
        """
    bench(code, story, say=told.append)


def python(folder: Path, start_up: str) -> Path:
    """An interpreter with a start-up file of its own."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    packages = next(folder.glob("lib/python*/site-packages"))
    (packages / "start_up.pth").write_text(start_up)
    return folder / "bin" / "python"


def test_an_interpreter_that_starts_a_thread_is_not_forked_and_one_notice_says_why(
    bench: Callable[..., None], tmp_path: Path
) -> None:
    told: list[str] = []
    thread = "import threading, time; threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n"
    interpreter = python(tmp_path / "venv", thread)

    async def story(b: Bench) -> None:
        for name in ("one", "two"):
            b.configure(name=name)
            assert result(await b.run())[1] == os.getpid()
        assert len(told) == 1
        assert told[0].endswith(": a start-up file of this interpreter starts a thread")

    bench(PARENT, story, interpreter=str(interpreter), say=told.append)


def test_an_interpreter_whose_start_up_files_have_changed_is_started_anew(
    bench: Callable[..., None], tmp_path: Path
) -> None:
    interpreter = python(tmp_path / "venv", "import sys; sys.installed = 1\n")

    async def story(b: Bench) -> None:
        assert result(await b.run()) == 1
        python(tmp_path / "venv", "import sys; sys.installed = 2\n")
        assert result(await b.run()) == 1  # warm
        b.configure(name="other")
        assert result(await b.run()) == 2

    bench("import sys\ndef handler(event, context): return sys.installed", story, interpreter=str(interpreter))


def test_what_is_not_ready_to_fork_is_asked_for_early(bench: Callable[..., None]) -> None:
    async def story(b: Bench) -> None:
        outcomes = [b.send() for _ in range(3)]  # the zygote does not even run yet
        assert {result(await outcome)[1] for outcome in outcomes} != {os.getpid()}
        dropped = b.send()
        b.configure(name="other")
        waiting = b.send()
        await b.environments.stop(0)  # nor does that one
        assert not waiting.done() or waiting.result().ended.name == "LOST"
        assert dropped.done()

    bench(PARENT, story)


# --- temporary folders ------------------------------------------------------------------------------------------------

NOTE = """
    import os, tempfile, time
    def handler(event, context):
        note = os.path.join(tempfile.gettempdir(), "note")
        old = open(note).read() if os.path.exists(note) else None
        open(note, "w").write(context.aws_request_id)
        if event == "exit":
            os._exit(1)
        if event == "hang":
            time.sleep(60)
        return [old, tempfile.gettempdir()]
    """


@both_ways
def test_what_is_in_tmp_survives_a_reset_and_goes_with_the_environment(bench: Callable[..., None]) -> None:
    async def story(b: Bench) -> None:
        b.configure(timeout=0.3)
        old, folder = result(await b.run())
        assert (old, Path(folder).stat().st_mode & 0o777) == (None, 0o700)
        assert result(await b.run()) == ["r1", folder]
        await b.run("exit")
        assert result(await b.run()) == ["r3", folder]
        await b.run("hang")
        assert result(await b.run()) == ["r5", folder]
        b.write("def handler(event, context): pass")
        await b.environments.reload(b.function)
        await until(lambda: not Path(folder).exists())

    bench(NOTE, story)


def test_two_environments_have_two_temporary_folders(bench: Callable[..., None]) -> None:
    async def story(b: Bench) -> None:
        folders = []
        for name in ("one", "two"):
            b.configure(name=name)
            folders.append(result(await b.run())[1])
        assert len(set(folders)) == 2

    bench(NOTE, story)


def test_temporary_folders_of_a_killed_engine_go_when_the_next_one_starts(tmp_path: Path) -> None:
    left = Scratch(tmp_path).new()
    assert left
    (left / "large").write_text("x")
    scratch = Scratch(tmp_path)
    assert not left.exists()
    assert scratch.new()
    scratch.close()
    assert not scratch.root.exists()


def test_the_folder_of_all_is_made_again_when_somebody_has_tidied_up(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    assert scratch.new()
    scratch.close()
    assert scratch.new()
    scratch.close()


def test_a_folder_that_somebody_else_has_put_there_is_not_used(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    scratch.root.symlink_to(tmp_path)
    try:
        mine = scratch.new()
        assert mine
        assert tmp_path not in mine.resolve().parents
        scratch.close()
        assert not mine.exists()
    finally:
        Scratch(tmp_path).root.unlink()
    assert tmp_path.exists()


# --- how many ---------------------------------------------------------------------------------------------------------


def test_memory_caps_environments_and_says_so() -> None:
    left = MEMORY_SPARE + 400
    capacity = Capacity(1_000, lambda: left)
    assert capacity.room(memory=50) == 10  # 10 MB of those are shared
    assert capacity.limited_by is None
    left = 100
    capacity = Capacity(1_000, lambda: left)
    assert capacity.room(memory=50) == 1  # with none at all nothing would ever run
    capacity.used = 7
    assert capacity.room() == 0
    assert capacity.limited_by == "memory: 7 environments, 100 MB left"
    assert Capacity(1_000, lambda: None).room() > 0


LIMITED = """
import asyncio, resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 1024))
sys.path.insert(0, {tests!r})
from pathlib import Path
from test_environments import Bench, until

async def main():
    bench = Bench(Path({folder!r}))
    bench.configure(scaling="aws", timeout=60.0)
    bench.write('''
import os, time
def handler(event, context):
    while not os.path.exists("go"):
        time.sleep(0.05)
    return 0
''')
    outcomes = [bench.send() for _ in range(250)]
    await until(lambda: bench.environments.live("fn") == 184)
    print(bench.environments.limited_by)
    (bench.folder / "go").touch()
    print([outcome.payload for outcome in await asyncio.gather(*outcomes)].count(b"0"))
    await bench.environments.stop(0)

asyncio.run(main())
"""


def test_1024_descriptors_are_enough_for_all_work_if_not_for_all_of_it_at_once(tmp_path: Path) -> None:
    tests = str(Path(__file__).parent)
    program = LIMITED.format(tests=tests, folder=str(tmp_path))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.splitlines() == ["descriptors: 184 environments with 1024 open files allowed", "250"], (
        done.stderr
    )


def test_scaling_as_on_aws_opens_an_environment_for_each_of_a_burst(bench: Callable[..., None]) -> None:
    async def story(b: Bench) -> None:
        b.configure(scaling="aws")
        await asyncio.gather(*(b.send() for _ in range(12)))
        assert b.environments.cold_starts == {"fn": 12}
        await asyncio.gather(*(b.send() for _ in range(12)))
        assert b.environments.cold_starts == {"fn": 12}

    bench("import time\ndef handler(event, context): time.sleep(0.2)", story)


# --- survivors --------------------------------------------------------------------------------------------------------


def test_a_daemon_of_a_killed_engine_is_ended_by_its_mark(tmp_path: Path) -> None:
    family = (1 << 61) + (12345 << 22)
    daemon = subprocess.Popen(["env", "-i", "sleep", "60"], start_new_session=True)
    stranger = subprocess.Popen(["sleep", "60"])
    try:
        resource.prlimit(daemon.pid, resource.RLIMIT_RSS, (family + 7, resource.RLIM_INFINITY))
        (tmp_path / "processes").write_text(f"mark {family}\n")
        end_survivors(tmp_path / "processes")
        assert daemon.wait(5) == -signal.SIGKILL
        assert stranger.poll() is None
        assert is_alive(stranger.pid)
    finally:
        for process in (daemon, stranger):
            process.kill()
            process.wait()
