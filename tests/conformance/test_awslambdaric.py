"""Our runtime against AWS's own: the same handlers, the same answers, exits and logs.

awslambdaric is the very program that runs Python handlers on AWS. Nothing that a handler or a reader of its log could
see may differ: there is no list of differences that are accepted, only what `plain` forgets.
"""

import asyncio
import re
from pathlib import Path

import pytest

from conformance.cases import CASES
from conformance.twin import Case, Turn, ours, theirs
from lamtop.engine.edges.environments.processes import spawning

pytest.importorskip("awslambdaric", reason="awslambdaric is not installed; there are wheels for Linux only")

Seen = dict[str, list[Turn]]

_RUNTIME = r"/\S+/(?:awslambdaric/\w+|bootstrap)\.py"
_FORGOTTEN = (
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z", "<time>"),
    (r"\d{4}/\d\d/\d\d/\[\$LATEST\]\w{32}", "<stream>"),
    (rf'(, )?"  File \\"{_RUNTIME}\\"(\\.|[^"\\])*"', ""),  # a frame of the runtime, in an error object
    (rf'\n\xa0\xa0File "{_RUNTIME}".*(\n\xa0{{4}}.*)?', ""),  # in its log event
    (rf'\n\|  File "(<frozen runpy>|{_RUNTIME})".*(\n\|    .*)*', ""),  # on standard error, line by line
    (rf"{_RUNTIME}:\d+(: RuntimeWarning.*)\n.*", r"<runtime>\1"),  # in front of a warning
    (r"line repeated \d+ more", "line repeated"),  # an endless recursion goes deeper over fewer frames
    (r"(recursion depth exceeded) while \w+ a \w+ object", r"\1"),  # one encoder is in C and the other may not be
)


def plain(turn: Turn) -> tuple[str, ...]:
    """Kind, answer and log, without times, log streams and frames of the runtimes themselves."""
    texts = [turn.payload.decode(errors="surrogateescape"), "".join(f"\n|{event}" for event in turn.log)]
    for pattern, name in _FORGOTTEN:
        texts = [re.sub(pattern, name, text) for text in texts]
    return turn.kind, *texts


def in_plain(case: Case, seen: Seen) -> list[tuple[str, ...]]:
    return [(str(event), *plain(turn)) for (_, event), turn in zip(case.invocations(), seen[case.name], strict=True)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("twins")
    for case in CASES:
        case.write(folder)
    return folder


@pytest.fixture(scope="module")
def aws(folder: Path) -> Seen:
    return asyncio.run(theirs(CASES, folder))


@pytest.fixture(scope="module")
def lamtop(folder: Path) -> Seen:
    return asyncio.run(ours(CASES, folder))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_handler_cannot_tell_our_runtime_from_awss(case: Case, aws: Seen, lamtop: Seen) -> None:
    assert in_plain(case, lamtop) == in_plain(case, aws)


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("results", "if value.is_nan():", "if False:"),
        ("results", 'raise TypeError(f"keys must', 'raise ValueError(f"key must'),
        ("exceptions", "frames[first:]", "frames[first + 1 :]"),
        ("logging", "[%(levelname)s]\\t%(asctime)s", "[%(levelname)s] %(asctime)s"),
        ("logging-json", '"logger": record.name,', '"name": record.name,'),
        ("context", '"function_version": os.environ', '"version": os.environ'),
        ("import-no-name", "Unable to import module '{name}'", "Cannot import module '{name}'"),
        ("end-os-exit-5", "        self.stream.flush()", "        pass"),
    ],
)
def test_a_planted_difference_is_found(
    name: str, right: str, wrong: str, aws: Seen, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = spawning.BOOTSTRAP.read_text()
    assert code.count(right) == 1
    other = folder / "planted" / "bootstrap.py"
    other.parent.mkdir(exist_ok=True)
    other.write_text(code.replace(right, wrong))
    monkeypatch.setattr(spawning, "BOOTSTRAP", other)
    case = next(case for case in CASES if case.name == name)
    assert in_plain(case, asyncio.run(ours([case], folder, spawn=True))) != in_plain(case, aws)
