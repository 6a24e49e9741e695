"""The order of the tests, what they need not do again and again, and how long the simulation lasts.

The files that take longest are begun first, so that no worker is left alone with one of them at the end.
"""

import gc
import os
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

SEEDS = 100

_LONGEST = (
    "test_kill.py", "test_terminal.py", "test_shipped_tapes.py", "test_keys.py", "test_invoke.py", "test_views.py",
    "test_environments.py",
    "test_reload.py", "test_awslambdaric.py", "test_snapshots.py", "test_simulated_time.py", "test_connection.py",
    "test_disk.py", "test_examples.py", "test_screen.py", "test_timeline.py", "test_invoke_form.py", "test_cli.py",
)  # fmt: skip

# Even where Python is told to keep no compiled files: each worker would compile every test, and each engine that a
# test starts would compile itself.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# aiohttp loads all certificates when it is imported, which is a sixth of an engine's start. Nothing here speaks TLS.
os.environ["SSL_CERT_FILE"] = os.devnull


class _FromAnotherPlace(pytest.Dir):
    """A folder of tests in which each worker begins elsewhere: what one has compiled the others need not."""

    def collect(self) -> Iterable[pytest.Item | pytest.Collector]:
        found = list(super().collect())
        worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
        begin = len(found) * worker // int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
        return found[begin:] + found[:begin]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seeds", type=int, default=SEEDS, help="how many stories a simulated engine lives through")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: many tests wait for processes of theirs."""
    return (os.cpu_count() or 1) + 1


def pytest_collect_directory(path: Path, parent: pytest.Collector) -> pytest.Collector:
    return _FromAnotherPlace.from_parent(parent, path=path)


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()  # the tests themselves stay: to look at all of them again and again takes an eighth of the time
    gc.set_threshold(50_000, 20, 50)


def _place(item: pytest.Item) -> tuple[int, Path]:
    return _LONGEST.index(item.path.name) if item.path.name in _LONGEST else len(_LONGEST), item.path


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=_place)
