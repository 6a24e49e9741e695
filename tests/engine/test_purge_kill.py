"""A purge and its undo on a real engine that is killed between any two of them."""

from pathlib import Path

from engine.running import Engine, Project, dead_letters_to, linux_only, until

CODE = "def handler(event, context):\n    raise ValueError('no luck')\n"
ONCE = {"Handler": "app.handler", "EventInvokeConfig": {"MaximumRetryAttempts": 0}}


def letters(engine: Engine) -> set[str]:
    return {row["id"] for row in engine.page("dlq")}


def killed(project: Project, engine: Engine) -> Engine:
    engine.kill9()
    return project.serve()


@linux_only
def test_a_purge_and_its_undo_are_durable_once_they_are_answered(tmp_path: Path) -> None:
    functions = {"kept": {**ONCE, **dead_letters_to("dead")}, "dropped": ONCE}
    with Project(tmp_path, functions, {"app.py": CODE}, queues=["dead"]) as project:
        engine = project.serve()
        for name in functions:
            engine.send(name)
        dead = until(lambda: len(found := letters(engine)) == 2 and found, "a message, and an event without a queue")
        assert set(engine.control("POST", "purge", {"ids": sorted(dead)})["purged"]) == dead
        engine = killed(project, engine)
        assert letters(engine) == set()
        assert engine.control("POST", "undo", {}) == {"restored": 2}
        engine = killed(project, engine)
        assert letters(engine) == dead
        assert engine.control("POST", "undo", {}) == {"restored": 0}
