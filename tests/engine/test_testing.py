"""The pytest plugin, used as its users do: real handlers, days in milliseconds."""

from pathlib import Path

import boto3
import pytest
from botocore.config import Config

from lamtop.engine.testing import LambdaError, Lamtop

pytest_plugins = "pytester"
HANDLERS = Path(__file__).parents[2] / "handlers"
examples = pytest.mark.lamtop(template=str(HANDLERS / "template.yaml"))


@examples
def test_a_failing_event_is_tried_three_times_and_becomes_a_dead_letter(lamtop: Lamtop) -> None:
    event = lamtop.send("always-fails", {"item": "umbrella"})
    lamtop.advance(seconds=30)
    assert (event.state, len(event.attempts)) == ("queued", 1)
    assert event.due_at == pytest.approx(lamtop.now.timestamp() + 30, abs=1)
    lamtop.advance(minutes=5)
    assert (event.state, event.condition, event.due_at) == ("discarded", "RetriesExhausted", None)
    first, second, third = event.attempts
    assert second.started_at - first.ended_at == pytest.approx(60)
    assert third.started_at - second.ended_at == pytest.approx(120)
    assert [attempt.is_cold for attempt in event.attempts] == [True, False, False]
    assert {attempt.error_type for attempt in event.attempts} == {"OutOfStock"}
    assert sum(line.startswith("REPORT") for line in event.log) == 3
    (letter,) = lamtop.dead_letters()
    assert (letter.function, letter.queue) == ("always-fails", "lamtop-dead-letters")
    assert letter.payload == {"item": "umbrella"}
    assert lamtop.dead_letters("lamtop-dead-letters") == [letter]
    assert lamtop.dead_letters("another") == []


@examples
def test_a_dead_letter_is_sent_round_again(lamtop: Lamtop) -> None:
    lamtop.send("always-fails")
    lamtop.advance(minutes=5)
    (again,) = lamtop.redrive(*lamtop.dead_letters())
    assert lamtop.dead_letters() == []
    lamtop.advance(minutes=5)
    assert again.condition == "RetriesExhausted"
    assert len(lamtop.dead_letters()) == 1


@examples
def test_a_synchronous_caller_gets_the_answer_or_the_error(lamtop: Lamtop) -> None:
    answer = lamtop.invoke("always-fails", {"item": "umbrella"})
    assert (answer.error, answer.payload["errorType"]) == ("Unhandled", "OutOfStock")
    assert len(answer.request.attempts) == 1
    with pytest.raises(LambdaError, match="404 ResourceNotFoundException") as refusal:
        lamtop.invoke("no-such-function")
    assert refusal.value.status == 404


@examples
def test_time_passes_while_boto3_waits(lamtop: Lamtop) -> None:
    before = lamtop.now
    client = boto3.client(
        "lambda",
        endpoint_url=lamtop.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
        config=Config(retries={"total_max_attempts": 1}),
    )
    answer = client.invoke(FunctionName="times-out")
    assert b"Task timed out" in answer["Payload"].read()
    assert (lamtop.now - before).total_seconds() > 1


@examples
def test_time_passes_until_nothing_is_due_or_for_as_long_as_is_allowed(lamtop: Lamtop) -> None:
    lamtop.inject("all dlq")
    event = lamtop.send("always-fails")
    with pytest.raises(TimeoutError, match="after 1 hours something is still due"):
        lamtop.settle(hours=1)
    lamtop.clear_faults()
    lamtop.settle()
    assert [letter.request_id for letter in lamtop.dead_letters()] == [event.id]


def test_a_template_or_a_wish_that_is_not_there_is_named(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        "import pytest\n"
        "def test_it(lamtop):\n    raise SystemError\n"
        f"@pytest.mark.lamtop(template={str(HANDLERS / 'template.yaml')!r}, sede=1)\n"
        "def test_another(lamtop):\n    raise SystemError\n"
    )
    done = pytester.runpytest("-p", "no:xdist")
    done.assert_outcomes(errors=2)
    done.stdout.fnmatch_lines(["*/template.yaml: there is no such template; name it with lamtop_template in*"])
    done.stdout.fnmatch_lines(["*sede: is not known; use template, seed or parameters"])
