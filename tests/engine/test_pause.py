"""The poller of a real engine is paused and resumed."""

from pathlib import Path

from engine.running import Project, linux_only, until

CODE = "def handler(event, context):\n    return 1\n"


@linux_only
def test_a_paused_engine_accepts_events_and_answers_synchronous_ones_until_it_is_resumed_or_restarted(
    tmp_path: Path,
) -> None:
    with Project(tmp_path, {"one": {"Handler": "app.handler"}}, {"app.py": CODE}) as project:
        engine = project.serve()
        since = engine.control("POST", "pause")["paused_since"]
        assert engine.control("POST", "pause")["paused_since"] == since
        first = engine.send("one")
        assert engine.invoke("one").status == 200
        totals = engine.status()["totals"]
        assert (totals["queued"], totals["paused_since"]) == (1, since)
        assert [row["wait"] for row in engine.page("queue")] == ["PAUSED"]
        [said] = totals["standing"]
        assert said["text"].startswith("PAUSED: no asynchronous event begins")

        assert engine.control("POST", "resume") == {"paused_since": None}
        assert engine.ended(first)["state"] == "succeeded"
        assert engine.status()["totals"]["standing"] == []

        engine.control("POST", "pause")
        second = engine.send("one")
        engine.kill9()
        again = project.serve()
        assert again.ended(second)["state"] == "succeeded"
        until(lambda: again.status()["totals"]["paused_since"] is None, "nothing of the pause is left")
