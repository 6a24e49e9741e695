"""The order of the tests, and how long the simulation lasts.

The files that take longest are begun first, so that no worker is left alone with one of them at the end.
"""

import gc
import os

import pytest

SEEDS = 100

_LONGEST = ("test_kill.py", "test_terminal.py", "test_reload.py", "test_cli.py", "test_invoke.py", "test_examples.py")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seeds", type=int, default=SEEDS, help="how many stories a simulated engine lives through")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: many tests wait for processes of theirs."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()  # the tests themselves stay: to look at all of them again and again takes an eighth of the time
    gc.set_threshold(50_000, 20, 50)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: _LONGEST.index(item.path.name) if item.path.name in _LONGEST else len(_LONGEST))
