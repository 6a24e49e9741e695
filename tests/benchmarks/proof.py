"""Did what was measured really happen? Reads back every request that was answered, and its log lines."""

from collections import defaultdict

from harness import Engine, until


def executed_and_logged(engine: Engine, ids: list[str]) -> str:
    """Every one of these requests has START, the handler's own line, END and REPORT. Raises RuntimeError if not."""
    kinds: dict[str, list[str]] = defaultdict(list)
    for line in engine.lines():
        kinds[line["request_id"]].append(line["text"])
    bad = [id_ for id_ in ids if not _is_complete(id_, kinds.get(id_, []))]
    if bad or len(set(ids)) != len(ids):
        raise RuntimeError(f"{len(bad)} of {len(ids)} requests have no complete log; {bad[:3]}: {kinds.get(bad[0])}")
    return f"{len(ids):,} request ids given out, all different; each has START, its own line, END, REPORT in the log"


def _is_complete(request_id: str, texts: list[str]) -> bool:
    text = [line for line in texts if not line.startswith("INIT_START")]
    own = f"line of {request_id}"
    return (
        len(text) == 4
        and text[0].startswith(f"START RequestId: {request_id}")
        and text[1:3] == [own, f"END RequestId: {request_id}"]
        and text[3].startswith(f"REPORT RequestId: {request_id}")
    )


def answered_synchronously(engine: Engine, ids: list[str]) -> str:
    """Every one of these is an invocation in the history file."""
    engine.lines()  # has the engine write what it holds
    chunks = engine.project.query("history.sqlite3", "SELECT ids FROM invocation_chunk")
    kept = {id_ for (ids,) in chunks for id_ in ids.split()}
    if missing := set(ids) - kept:
        raise RuntimeError(f"{len(missing)} of {len(ids)} invocations are not in the history")
    return f"{len(ids):,} invocations read back from history.sqlite3"


def ended_well(engine: Engine, ids: list[str]) -> str:
    """Every one of these is an event that succeeded at its first and only attempt, on disk."""
    until(lambda: not unsettled(engine), "every event settled")
    sql = "SELECT e.id, e.state, count(a.number) FROM event e LEFT JOIN attempt a ON a.event = e.seq GROUP BY e.seq"
    found = {id_: (state, attempts) for id_, state, attempts in engine.project.query("queue.sqlite3", sql)}
    if bad := [id_ for id_ in ids if found.get(id_) != ("succeeded", 1)]:
        raise RuntimeError(f"{len(bad)} of {len(ids)} events did not succeed at the first attempt; {found.get(bad[0])}")
    return f"{len(ids):,} accepted events read back from queue.sqlite3: all succeeded, one attempt each"


def unsettled(engine: Engine) -> int:
    sql = "SELECT count(*) FROM event WHERE state IN ('queued', 'running')"
    return int(engine.project.query("queue.sqlite3", sql)[0][0])
