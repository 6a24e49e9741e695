"""Dead letters and invocation records, to the letter."""

import json

from core.histories import ENDS, History, function
from lamtop.engine.core.event import Ended, Outcome
from lamtop.engine.core.function import EventInvokeConfig, Function
from lamtop.engine.core.record import deliveries

QUEUE = "arn:aws:sqs:us-east-1:000000000000:results"
FAILED = Outcome(
    Ended.FUNCTION_ERROR, b'{"errorMessage": "boom", "errorType": "Exception"}', "Exception", "b\u00f6\u00f6m" * 600
)


def configured(**changes: object) -> Function:
    config = EventInvokeConfig(0, on_success=QUEUE, on_failure=QUEUE)
    return Function("orders", "app.handler", "/x", event_invoke_config=config, **changes)  # type: ignore[arg-type]


def test_a_failure_goes_to_the_dead_letter_queue_and_to_the_destination() -> None:
    f = configured(dead_letter_queue=QUEUE)
    history = History(f)
    history.attempt("failed")
    letter, record = deliveries(history.event, FAILED, f, next_id=5, now=0.0)
    assert (letter.id, letter.kind, letter.body) == (5, "dead letter", b"{}")
    assert letter.attributes["RequestID"] == "id"
    assert letter.attributes["ErrorCode"] == "200"
    assert len(letter.attributes["ErrorMessage"].encode()) <= 1_024
    assert (record.id, record.kind) == (6, "on failure")


def test_the_record_has_the_keys_of_aws_in_its_order() -> None:
    f = configured()
    history = History(f)
    history.attempt("failed")
    [record] = deliveries(history.event, FAILED, f, next_id=1, now=1_573_755_365.568)
    assert list(json.loads(record.body).items()) == [
        ("version", "1.0"),
        ("timestamp", "2019-11-14T18:16:05.568Z"),
        (
            "requestContext",
            {
                "requestId": "id",
                "functionArn": "arn:aws:lambda:us-east-1:000000000000:function:orders:$LATEST",
                "condition": "RetriesExhausted",
                "approximateInvokeCount": 1,
            },
        ),
        ("requestPayload", {}),
        ("responseContext", {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"}),
        ("responsePayload", {"errorMessage": "boom", "errorType": "Exception"}),
    ]


def test_a_success_has_no_function_error_and_no_dead_letter() -> None:
    f = configured(dead_letter_queue=QUEUE)
    history = History(f)
    history.attempt("returned")
    [record] = deliveries(history.event, ENDS["returned"], f, next_id=1, now=0.0)
    assert record.kind == "on success"
    assert "functionError" not in json.loads(record.body)["responseContext"]


def test_an_event_that_was_never_tried_has_no_response_in_its_record() -> None:
    f = configured(reserved_concurrency=0)
    [record] = deliveries(History(f).event, None, f, next_id=1, now=0.0)
    told = json.loads(record.body)
    assert told["requestContext"]["condition"] == "ZeroReservedConcurrency"
    assert told["requestContext"]["approximateInvokeCount"] == 0
    assert "responseContext" not in told
    assert "responsePayload" not in told


def test_the_dead_letter_of_an_event_that_was_never_tried_says_429() -> None:
    f = function(reserved_concurrency=0, dead_letter_queue=QUEUE)
    [letter] = deliveries(History(f).event, None, f, next_id=1, now=0.0)
    assert letter.attributes == {"RequestID": "id", "ErrorCode": "429", "ErrorMessage": "ZeroReservedConcurrency"}


def test_a_result_that_is_no_json_is_recorded_as_text() -> None:
    f = configured()
    history = History(f)
    history.attempt("returned")
    for payload, recorded in ((b"\x89PNG", "\ufffdPNG"), (b"[NaN]", "[NaN]")):
        [record] = deliveries(history.event, Outcome(Ended.RETURNED, payload), f, next_id=1, now=0.0)
        assert json.loads(record.body)["responsePayload"] == recorded


def test_a_payload_goes_into_a_record_untouched_whatever_is_in_it() -> None:
    f = configured()
    deep = b"[" * 5_000 + b"]" * 5_000
    for payload in (b'"\\ud800"', deep, b"1" * 5_000):
        history = History(f)
        history.attempt("returned")
        event = history.event._replace(payload=payload)
        [record] = deliveries(event, Outcome(Ended.RETURNED, payload), f, next_id=1, now=0.0)
        assert record.body.count(b":" + payload) == 2


def test_half_a_character_in_an_error_does_not_break_a_dead_letter() -> None:
    f = function(0, dead_letter_queue=QUEUE)
    history = History(f)
    history.attempt("failed")
    outcome = Outcome(Ended.FUNCTION_ERROR, b"{}", "Exception", "half \ud800 of it")
    [letter] = deliveries(history.event, outcome, f, next_id=1, now=0.0)
    assert letter.attributes["ErrorMessage"] == "half ? of it"
