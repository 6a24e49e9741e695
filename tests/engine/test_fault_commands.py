"""Faults and time from the command line and over HTTP, on an engine whose time is simulated."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from engine.running import Answer, Engine, Project, Ran, linux_only, quick_python, until

pytestmark = linux_only

CODE = """
import time

def orders(event, context):
    time.sleep(2)
    return event
"""
FUNCTIONS = {
    "orders": {
        "Handler": "app.orders",
        "DeadLetterQueue": {"Type": "SQS", "TargetArn": {"Fn::GetAtt": ["Dead", "Arn"]}},
    },
    "emails": {"Handler": "app.orders"},
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project whose engine runs on simulated time."""
    folder = tmp_path_factory.mktemp("faults")
    with Project(folder, FUNCTIONS, {"app.py": CODE}, queues=["Dead"]) as made:
        made.serve("--python", quick_python(folder), "--simulate", "7", "--speed", "10000")
        yield made


def lamtop(project: Project, *words: str) -> Ran:
    return project.command(*words, "--state", str(project.state))


def test_serve_says_that_time_is_simulated_and_it_passes_by_itself(project: Project) -> None:
    engine = project.engines[0]
    until(lambda: "simulated time, seed 7, 10000 times as fast" in project.errors.read_text(), "what it says of time")
    assert engine.status()["time"]["mode"] == "simulated"
    sent = [engine.send("orders", n) for n in range(3)]
    for request_id in sent:
        life = engine.ended(request_id)
        assert life["attempts"][0]["duration"] == pytest.approx(2.001)
    said = lamtop(project, "status")
    assert "simulated time, 10000 times as fast" in said.out


def test_a_fault_is_armed_listed_and_cleared(project: Project) -> None:
    done = lamtop(project, "fault", "add", "orders", "error", "50%", "2x", "1000h", "if", '{"card": "declined"}')
    number = done.out.strip()
    assert (done.code, done.err) == (
        0,
        f'fault {number} armed: orders error 50% 2x 3600000s if {{"card": "declined"}}\n',
    )
    assert lamtop(project, "fault", "list").out.split()[:5] == [number, "0", "of", "0", "hit"]
    found = json.loads(lamtop(project, "fault", "list", "--json").out)
    assert [(row["number"], row["kind"], row["function"]) for row in found] == [(int(number), "error", "orders")]
    assert lamtop(project, "fault", "clear", "99").err == (
        "Error: no fault 99 is armed; 'lamtop fault list' lists them\n"
    )
    done = lamtop(project, "fault", "clear", number)
    assert (done.code, done.out, done.err) == (0, "", "1 fault cleared\n")


@pytest.mark.parametrize(
    ("sentence", "why"),
    [
        ("odrers error", "'odrers' is no function of this project (did you mean 'orders'?); use one of all, "),
        ("orders explode", "'explode' is no kind of fault"),
        ("orders dlq", "'orders' is no queue or destination of this project; use one of all, Dead"),
    ],
)
def test_over_http_a_fault_that_makes_no_sense_is_400_with_the_reason(
    project: Project, sentence: str, why: str
) -> None:
    answer = ask(project.engines[0], "faults/arm", {"fault": sentence})
    assert (answer.status, answer.json["message"][: len(why)]) == (400, why)
    assert project.engines[0].control("GET", "faults") == {"faults": []}


def test_over_http_what_is_no_sentence_and_no_number_is_400(project: Project) -> None:
    assert ask(project.engines[0], "faults/arm", {}).json["message"].startswith("fault: None is not allowed")
    assert ask(project.engines[0], "faults/clear", {"number": "1"}).status == 400
    assert ask(project.engines[0], "faults/clear", {"number": None}).json == {"cleared": 0}


def test_a_mistyped_fault_is_an_error_of_the_command(project: Project) -> None:
    done = lamtop(project, "fault", "add", "odrers", "error")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("Error: 'odrers' is no function of this project (did you mean 'orders'?)")


def test_time_stands_still_jumps_and_runs_from_the_command_line(project: Project) -> None:
    engine = project.engines[0]
    assert lamtop(project, "speed", "10").err == "time runs at 10 times its speed\n"
    engine.control("POST", "faults/arm", {"fault": "orders error 1x"})
    sent = engine.send("orders", 1)
    until(lambda: engine.life(sent)["state"] == "queued" and engine.life(sent)["attempts"], "the first attempt failed")
    assert lamtop(project, "speed", "0").err == "time stands still\n"
    done = lamtop(project, "jump")
    assert (done.code, 0 < float(done.out) <= 60) == (0, True), done
    until(lambda: engine.life(sent)["state"] == "running", "its second attempt")
    assert lamtop(project, "speed", "10000").code == 0
    assert engine.ended(sent)["state"] == "succeeded"
    assert lamtop(project, "speed", "-1").code == 2


def test_a_debugger_and_simulated_time_exclude_each_other(project: Project) -> None:
    done = project.command("serve", "--simulate", "--debug", "orders")
    assert (done.code, done.err) == (
        1,
        "Error: --simulate and --debug exclude each other: a debugger waits in real time; give one of them\n",
    )


def ask(engine: Engine, verb: str, body: Any) -> Answer:
    headers = {"Authorization": f"Bearer {engine.token}"}
    return engine.request("POST", f"/_lamtop/{verb}", json.dumps(body).encode(), headers)
