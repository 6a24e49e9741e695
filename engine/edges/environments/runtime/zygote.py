"""The program that execution environments are forked from, on Linux.

A fork costs a tenth of starting an interpreter. So one of these waits for each interpreter in use, with nothing loaded
but parts of the standard library: never the user's code, or a reload would not see what was saved. It has one thread
and no event loop, because a fork copies locks and shares epoll descriptors. It is the parent of all it forks: it
reaps them, says how they ended, and ends whatever they leave behind, also what has gone into a session of its own.

Like `bootstrap`, which it runs in every child, it needs Python 3.9 and the standard library alone. A child is made to
look as if it had been started by itself: session, descriptors, variables, folder, limits, `__main__` and `sys.path`.

What a child writes to it no longer shares, and here the counting of references is writing. So all that can be done
before the fork is done there, and an order brings only the variables in which it differs from the order before.

An order from the engine is one message: JSON, and two descriptors (channel, output). Answers are messages too: kind,
the order's mark, process id, exit code. With STARTED comes a descriptor of the process, so that the engine can kill it
whatever becomes of its number. HELLO carries JSON: what stands in the way of forking here, and the site folders.
"""

import ctypes
import fcntl
import gc
import importlib
import json
import os
import resource
import select
import signal
import socket
import struct
import sys
import threading
import time

MYPY = False
if MYPY:
    from typing import Any

REPORT = struct.Struct("!cQii")
HELLO, STARTED, NOT_STARTED, EXITED = b"H", b"S", b"N", b"X"
ORDER_MAX = 64 * 1024  # bytes
ENDING = 5.0  # seconds for everything to go once the engine has
PR_SET_CHILD_SUBREAPER = 36

# What handlers commonly import and what starts no thread. Loaded one by one while nobody asks for anything.
COMMON = [
    "logging", "traceback", "datetime", "decimal", "random", "base64", "uuid", "urllib.parse", "typing", "string",
    "copy", "math", "itertools", "functools", "collections", "contextlib", "io", "operator",
]  # fmt: skip


class Zygote:
    """Takes orders until there is one that has to be carried out: `serve` comes back in the child only."""

    def __init__(self, control: int, life: int) -> None:
        self.control = socket.socket(fileno=control)
        self.life = life
        self.children: dict[int, int] = {}  # pid: mark
        self.to_load = COMMON[::-1]
        self.wake, self.alarm = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(self.alarm)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self.poll = select.poll()
        for descriptor in (control, self.wake):
            self.poll.register(descriptor, select.POLLIN)
        self.poll.register(life, 0)  # nobody writes: it only ever hangs up

    def serve(self) -> "tuple[dict[str, Any], int, int]":
        hello = {"problem": problem(), "sites": site_folders()}
        self.control.send(REPORT.pack(HELLO, 0, os.getpid(), 0) + json.dumps(hello).encode())
        while True:
            events = dict(self.poll.poll(0 if self.to_load else None))
            if self.life in events:
                self.end()
            if self.wake in events:
                os.read(self.wake, 4096)
                self.reap()
            if self.control.fileno() in events:
                order = self.take_order()
                if order is not None:
                    return order
            elif not events:
                self.load()

    def load(self) -> None:
        """One module ahead of need. Whatever starts a thread makes forking unsafe: then say so, and fork no more."""
        with_us, sys.path[:] = sys.path[:], PATH
        try:
            importlib.import_module(self.to_load.pop())
        except ImportError:
            pass
        finally:
            sys.path[:] = with_us
        if not self.to_load:
            gc.collect()
            forget_folders()
        why = problem()
        if why:
            self.control.send(REPORT.pack(HELLO, 0, os.getpid(), 0) + json.dumps({"problem": why}).encode())
            self.to_load.clear()

    def take_order(self) -> "tuple[dict[str, Any], int, int] | None":
        try:
            message, descriptors, _, _ = socket.recv_fds(self.control, ORDER_MAX, 2, socket.MSG_CMSG_CLOEXEC)
        except OSError:
            message = b""
        if not message:
            self.end()
        order = json.loads(message)
        dress(order["set"], order["unset"], order["folder"])
        gc.freeze()  # the collector of a child must not write into pages that it shares
        try:
            pid = os.fork()
        except OSError as error:
            self.tell(REPORT.pack(NOT_STARTED, order["mark"], 0, error.errno or 0))
            pid = -1
        if pid == 0:
            self.leave()
            return order, descriptors[0], descriptors[1]
        for descriptor in descriptors:
            os.close(descriptor)
        if pid > 0:
            self.children[pid] = order["mark"]
            process = os.pidfd_open(pid)
            self.tell(REPORT.pack(STARTED, order["mark"], pid, 0), process)
            os.close(process)
        return None

    def leave(self) -> None:
        """In the child: nothing of the parent's stays open."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for descriptor in (self.control.detach(), self.wake, self.alarm):
            os.close(descriptor)

    def tell(self, message: bytes, *descriptors: int) -> None:
        try:
            socket.send_fds(self.control, [message], descriptors)
        except OSError:
            self.end()

    # --- ends ---------------------------------------------------------------------------------------------------------

    def reap(self) -> None:
        """Take in every process that has ended. An environment's group goes while its number is still its own."""
        ended = []
        while True:
            try:
                found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                break
            if found is None:
                break
            mark = self.children.pop(found.si_pid, None)
            if mark is not None:
                kill_group(found.si_pid)
            status = os.waitpid(found.si_pid, 0)[1]
            if mark is not None:
                ended.append((mark, found.si_pid, os.waitstatus_to_exitcode(status)))
        self.sweep()
        for report in ended:
            self.tell(REPORT.pack(EXITED, *report))

    def sweep(self) -> None:
        """Kill what an ended environment has left: it has become our child. The end of each leads here again."""
        living = set(self.children.values())
        for pid in own_children():
            if pid not in self.children and mark_of(pid) not in living:
                kill(pid)

    def end(self) -> None:
        """The engine has gone, or wants no more: leave nothing behind."""
        for pid in self.children:
            kill_group(pid)
        deadline = time.monotonic() + ENDING
        while time.monotonic() < deadline:
            for pid in own_children():
                kill(pid)
            try:
                while os.waitpid(-1, os.WNOHANG)[0]:
                    continue
            except ChildProcessError:
                break
            time.sleep(0.001)
        os._exit(0)


def problem() -> str:
    """Why nothing can be forked here; "" if it can."""
    if sys.implementation.name != "cpython" or not hasattr(os, "pidfd_open"):
        return "it needs CPython on Linux 5.3 or later"
    if threading.active_count() > 1 or len(os.listdir("/proc/self/task")) > 1:  # noqa: PTH208
        return "a start-up file of this interpreter starts a thread"
    try:
        own_children()
        os.close(os.pidfd_open(os.getpid()))
    except OSError as error:
        return f"this system does not tell about processes: {error}"
    return ""


def adopt_orphans() -> None:
    """What loses its parent below this process becomes its child, instead of nobody's."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")


def own_children() -> "list[int]":
    pid = os.getpid()
    with open(f"/proc/{pid}/task/{pid}/children") as file:  # noqa: PTH123
        return [int(child) for child in file.read().split()]


def mark_of(pid: int) -> int:
    """The number that every descendant of an environment carries (see `orphans` on the engine's side)."""
    try:
        return resource.prlimit(pid, resource.RLIMIT_RSS)[0]
    except OSError:
        return -1


def kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except OSError:
        return


def kill_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except OSError:
        kill(pid)  # between its start and its session


def site_folders() -> "list[str]":
    """Where start-up files (.pth) come from: when one of them changes, this interpreter is no longer as it would be."""
    return [path for path in sys.path if path.endswith("-packages")]


# --- what a child is given --------------------------------------------------------------------------------------------


def dress(to_set: "dict[str, str]", to_unset: "list[str]", folder: str) -> None:
    """Before the fork: the variables of the next child, and its path."""
    for name in to_unset:
        os.environ.pop(name, None)
    os.environ.update(to_set)
    if "PYTHONPATH" in os.environ or "PYTHONPATH" in to_unset:
        set_path(os.environ.get("PYTHONPATH", ""), folder)


def set_path(wanted: str, folder: str) -> None:
    """As at a start: the program's folder, PYTHONPATH, the standard library."""
    parts = wanted.split(os.pathsep) if wanted and not sys.flags.ignore_environment else []
    added = list(dict.fromkeys(os.path.abspath(os.path.join(folder, part)) for part in parts))  # noqa: PTH100, PTH118
    sys.path[:] = HERE + added + [path for path in PATH if path not in added]


def forget_folders() -> None:
    """A new interpreter has looked into no folder but the standard library's."""
    library = os.path.dirname(os.__file__)  # noqa: PTH120
    for path in list(sys.path_importer_cache):
        if not path.startswith(library) or "-packages" in path:
            del sys.path_importer_cache[path]


def set_up(order: "dict[str, Any]", channel: int, output: int, life: int, bootstrap: str) -> None:
    """In the child: make this process what a new interpreter would be."""
    os.setsid()
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    lower(resource.RLIMIT_RSS, order["mark"])
    lower(resource.RLIMIT_AS, order["address_space"])
    os.chdir(order["folder"])
    sys.argv = [bootstrap, str(channel), str(life)]
    if hasattr(sys, "orig_argv"):
        sys.orig_argv[2:] = sys.argv
    if "logging" in sys.modules:
        sys.modules["logging"]._startTime = time.time() if sys.version_info < (3, 13) else time.time_ns()  # type: ignore[attr-defined]
    gc.enable()
    if "PYTHONPATH" in os.environ and "site" in sys.modules and "sitecustomize" not in sys.modules:
        sys.modules["site"].execsitecustomize()


def lower(what: int, limit: int) -> None:
    hard = resource.getrlimit(what)[1]
    if hard == resource.RLIM_INFINITY or hard >= limit:
        resource.setrlimit(what, (limit, hard))


def fresh_main(bootstrap: str) -> "dict[str, Any]":
    """A `__main__` as it is when a program is started by its path."""
    from importlib.machinery import SourceFileLoader

    module = type(sys)("__main__")
    module.__file__ = bootstrap
    module.__loader__ = SourceFileLoader("__main__", bootstrap)
    module.__dict__["__builtins__"] = sys.modules["builtins"]
    module.__dict__["__cached__"] = None
    if sys.version_info < (3, 14):
        module.__annotations__ = {}
    sys.modules["__main__"] = module
    return module.__dict__


def read_program(path: str) -> "Any":
    """Compile it, and run it once without effect: what it imports is loaded then."""
    with open(path, "rb") as file:  # noqa: PTH123
        program = compile(file.read(), path, "exec", dont_inherit=True)
    exec(program, {"__name__": "bootstrap", "__file__": path})  # noqa: S102
    return program


if __name__ == "__main__":
    BOOTSTRAP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bootstrap.py")  # noqa: PTH100, PTH118, PTH120
    HERE = [path for path in sys.path[:1] if path == os.path.dirname(BOOTSTRAP)]  # noqa: PTH120
    PATH = sys.path[len(HERE) :]
    sys.path[:] = PATH  # nothing of ours shadows a module that is loaded here
    for NAME in [name for name in os.environ if name.startswith("LAMTOP_")]:
        del os.environ[NAME]
    gc.disable()
    fcntl.fcntl(int(sys.argv[1]), fcntl.F_SETFD, fcntl.FD_CLOEXEC)
    adopt_orphans()
    PROGRAM = read_program(BOOTSTRAP)
    set_path("", "")
    ORDER = Zygote(int(sys.argv[1]), int(sys.argv[2])).serve()
    set_up(*ORDER, int(sys.argv[2]), BOOTSTRAP)
    exec(PROGRAM, fresh_main(BOOTSTRAP))  # noqa: S102
