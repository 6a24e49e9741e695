"""What a form can begin with: examples, the project's files, and what was sent before."""

import base64
import hashlib
import json
import stat
from pathlib import Path

import pytest

from lamtop.tui.drafts import Draft, Drafts
from lamtop.tui.payload_history import KEPT, KEPT_MAX, PayloadHistory, Sent
from lamtop.tui.sample_events import SAMPLES
from lamtop.tui.saved_events import BYTES_MAX, read_event, saved_events

SHAPES = {
    "S3": ("Records", {"eventSource": "aws:s3", "eventVersion": "2.1", "eventName": "ObjectCreated:Put"}),
    "SQS": ("Records", {"eventSource": "aws:sqs", "messageAttributes": {}}),
    "SNS": ("Records", {"EventSource": "aws:sns", "EventVersion": "1.0"}),
}


@pytest.mark.parametrize("source", SHAPES)
def test_the_examples_of_services_that_send_records_name_their_source(source: str) -> None:
    key, fields = SHAPES[source]
    event = next(json.loads(text) for name, text in SAMPLES.items() if name.startswith(source))
    assert fields.items() <= event[key][0].items()


def test_the_other_examples_have_what_handlers_look_for() -> None:
    own, rest, http, rule, empty = (json.loads(text) for text in list(SAMPLES.values())[3:])
    assert own.keys() == rule.keys()
    assert rule["source"] == "aws.events"
    assert rest["httpMethod"] == http["requestContext"]["http"]["method"] == "POST"
    assert empty == {}


def test_an_sqs_example_is_true_to_its_own_digest() -> None:
    for record in json.loads(SAMPLES["SQS: a batch of two messages"])["Records"]:
        assert record["md5OfBody"] == hashlib.md5(record["body"].encode(), usedforsecurity=False).hexdigest()


def test_the_events_of_a_project_are_the_files_beside_its_template(tmp_path: Path) -> None:
    (tmp_path / "events").mkdir()
    for name in ("events/b.json", "events/a.json", "orders.json", "package.json", "events/a.txt"):
        (tmp_path / name).write_text("{}")
    found = saved_events(str(tmp_path / "template.yaml"), ["orders", "missing", "../orders"])
    assert [str(path.relative_to(tmp_path)) for path in found] == ["events/a.json", "events/b.json", "orders.json"]
    assert saved_events(str(tmp_path), ["orders"]) == found
    assert saved_events("", ["orders"]) == []


def test_a_file_that_is_no_event_is_told_by_name(tmp_path: Path) -> None:
    (tmp_path / "big.json").write_bytes(b" " * (BYTES_MAX + 1))
    (tmp_path / "latin.json").write_bytes(b'"\xfc"')
    for name, said in [("big", "larger than 6 MB"), ("latin", "not UTF-8"), ("gone", "No such file")]:
        with pytest.raises(ValueError, match=rf"{name}\.json .*{said}"):
            read_event(tmp_path / f"{name}.json")
    (tmp_path / "good.json").write_bytes(b'\xef\xbb\xbf{"a": "\xc2\x9b"}')
    assert read_event(tmp_path / "good.json") == '{"a": "\\u009b"}'


def test_the_last_20_payloads_are_kept_in_a_private_file(tmp_path: Path) -> None:
    file = tmp_path / "payloads.json"
    history = PayloadHistory(file)
    for number in range(30):
        history.add("orders", f'{{"n": {number}}}')
    history.add("orders", '{"n": 25}')
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    again = PayloadHistory(file)
    assert len(again.entries) == KEPT
    assert again.entries[0] == Sent("orders", '{"n": 25}')
    assert again.entries.count(Sent("orders", '{"n": 25}')) == 1
    assert again.last("orders") == '{"n": 25}'
    assert again.last("other") is None
    assert [path.name for path in tmp_path.iterdir()] == ["payloads.json"]


def test_two_monitors_keep_what_the_other_one_sent(tmp_path: Path) -> None:
    one, two = PayloadHistory(tmp_path / "payloads.json"), PayloadHistory(tmp_path / "payloads.json")
    one.add("orders", "1")
    two.add("orders", "2")
    assert PayloadHistory(tmp_path / "payloads.json").entries == [Sent("orders", "2"), Sent("orders", "1")]


def test_a_very_long_payload_stays_in_memory(tmp_path: Path) -> None:
    history = PayloadHistory(tmp_path / "payloads.json")
    long = json.dumps(base64.b64encode(bytes(KEPT_MAX)).decode())
    history.add("orders", long)
    assert history.last("orders") == long
    assert PayloadHistory(tmp_path / "payloads.json").entries == []


@pytest.mark.parametrize("text", ["", "{", "7", '{"a": 1}', "[[1, 2]]", '[["a"]]', "null"])
def test_a_damaged_history_is_an_empty_one(tmp_path: Path, text: str) -> None:
    file = tmp_path / "payloads.json"
    file.write_text(text)
    history = PayloadHistory(file)
    assert history.entries == []
    history.add("orders", "1")
    assert PayloadHistory(file).last("orders") == "1"


def test_a_folder_that_cannot_be_written_loses_nothing_but_the_file(tmp_path: Path) -> None:
    history = PayloadHistory(tmp_path / "gone" / "payloads.json")
    history.add("orders", "1")
    assert history.last("orders") == "1"


def test_what_is_sent_is_the_draft_if_it_is_json_else_what_was_sent_before() -> None:
    drafts = Drafts()
    assert drafts.payload("orders") == "{}"
    drafts.history.add("orders", '{"n": 1}')
    assert drafts.payload("orders") == '{"n": 1}'
    drafts.keep("orders", Draft('{"n": 2}'))
    assert drafts.payload("orders") == '{"n": 2}'
    for text in ("{", " "):
        drafts.keep("orders", Draft(text))
        assert drafts.payload("orders") == '{"n": 1}'
        assert drafts.draft("orders").text == text


def test_a_form_that_was_never_open_begins_with_what_was_sent_last_and_the_mode_of_the_one_before() -> None:
    drafts = Drafts()
    drafts.history.add("orders", '{"n":1}')
    like = Draft("x", "async", "live", "100", "20")
    assert drafts.draft("orders", like) == Draft('{\n  "n": 1\n}', "async", "", "100", "20")
