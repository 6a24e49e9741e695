"""The monitor's two clients say the same: the same stories over HTTP and in the same process, with real handlers."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from engine.live import live, stopped, until, until_awaited
from lamtop.engine import Engine
from lamtop.tui.client import Client, EngineUnreachable, HttpClient, LocalClient, wait_until_gone

Row = dict[str, Any]
Story = Callable[[Engine, Client], Awaitable[None]]
Tell = Callable[..., None]

CODE = """
    import json

    def handler(event, context):
        print("hello", event)
        return {"got": event}

    def fails(event, context):
        raise KeyError(event["why"])
"""


def template(**functions: Row) -> str:
    """A template with these functions, each with its properties."""
    resources: dict[str, Any] = {"Dead": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "dead"}}}
    for name, properties in functions.items():
        common = {"FunctionName": name, "Runtime": "python3.11", "CodeUri": ".", "Handler": "app.handler"}
        resources[name.title()] = {"Type": "AWS::Serverless::Function", "Properties": {**common, **properties}}
    return json.dumps({"Transform": "AWS::Serverless-2016-10-31", "Resources": resources})


TEMPLATE = template(
    greets={},
    fails={
        "Handler": "app.fails",
        "EventInvokeConfig": {"MaximumRetryAttempts": 0},
        "DeadLetterQueue": {"Type": "SQS", "TargetArn": {"Fn::GetAtt": ["Dead", "Arn"]}},
    },
    off={"ReservedConcurrentExecutions": 0},
)
FILES = {"app.py": CODE, "template.yaml": TEMPLATE}


@pytest.fixture(autouse=True)
def _own_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home"))


@pytest.fixture(params=["http", "local"])
def tell(request: pytest.FixtureRequest, tmp_path: Path) -> Tell:
    """Plays a story with an engine and one of the two clients."""

    def run(story: Story, **settings: Any) -> None:
        async def play() -> None:
            async with live(tmp_path / "project", FILES, watch=False, **settings) as engine:
                client: Client = (
                    HttpClient(engine.server.url, engine.token) if request.param == "http" else LocalClient(engine)
                )
                try:
                    await asyncio.wait_for(story(engine, client), 20)
                finally:
                    await client.close()

        asyncio.run(play())

    return run


def plain(values: Any) -> Any:
    """The same values, after they were checked to cross a wire unchanged."""
    assert json.loads(json.dumps(values)) == values
    return values


async def next_frame(client: Client) -> Row:
    return await asyncio.wait_for(anext(aiter(client.frames())), 10)


# -- who is there ------------------------------------------------------------------------------------------------------


def test_hello_says_which_engine_this_is(tell: Tell, tmp_path: Path) -> None:
    async def story(engine: Engine, client: Client) -> None:
        found = plain(await client.hello())
        assert found["project"] == str(tmp_path / "project" / "template.yaml")
        assert found["url"] == engine.server.url
        assert found["state"] == str(tmp_path / "project" / ".lamtop")
        assert (found["owned"], found["notice"], found["warnings"]) == (False, None, [])
        assert set(found) >= {"interpreter", "python", "version", "pid"}

    tell(story)


def test_status_has_totals_functions_queues_and_how_the_disk_is_used(tell: Tell) -> None:
    async def story(engine: Engine, client: Client) -> None:
        found = plain(await client.status())
        assert [row["id"] for row in found["functions"]] == ["fails", "greets", "off"]
        assert found["queues"] == {"dead": 0}
        assert (found["synchronous"], found["journal_mode"]) == (2, "wal")
        assert found["totals"]["invocations"] == 0

    tell(story)


# -- invocations -------------------------------------------------------------------------------------------------------


def test_a_synchronous_invocation_gives_the_result_and_the_log(tell: Tell) -> None:
    async def story(engine: Engine, client: Client) -> None:
        found = plain(await client.invoke("greets", b'{"n":"\xc3\xbc"}', asynchronous=False))
        assert (found["status"], found["error"]) == (200, None)
        assert json.loads(found["payload"]) == {"got": {"n": "ü"}}
        assert found["took"] > 0
        assert len(found["request_id"]) == 36
        log = found["log"].splitlines()
        assert any(line.startswith(f"START RequestId: {found['request_id']}") for line in log)
        assert "hello {'n': 'ü'}" in log

    tell(story)


def test_a_synchronous_invocation_that_fails_says_how(tell: Tell) -> None:
    async def story(engine: Engine, client: Client) -> None:
        found = plain(await client.invoke("fails", b'{"why":"card"}', asynchronous=False))
        assert (found["status"], found["error"]) == (200, "KeyError: 'card'")
        assert json.loads(found["payload"])["errorType"] == "KeyError"

    tell(story)


def test_a_function_that_is_switched_off_throttles(tell: Tell) -> None:
    async def story(engine: Engine, client: Client) -> None:
        found = plain(await client.invoke("off", b"{}", asynchronous=False))
        assert found["status"] == 429
        assert "Rate Exceeded" in found["error"]
        assert "ReservedFunctionConcurrentInvocationLimitExceeded" in found["error"]
        status = await client.status()
        assert [row["throttles"] for row in status["functions"] if row["id"] == "off"] == [1]

    tell(story)


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_function_that_does_not_exist_is_a_404_in_words(tell: Tell, asynchronous: bool) -> None:
    async def story(engine: Engine, client: Client) -> None:
        found = plain(await client.invoke("nobody", b"{}", asynchronous=asynchronous))
        assert found["status"] == 404
        assert "Function not found" in found["error"]
        assert "nobody" in found["error"]

    tell(story)


@pytest.mark.parametrize("asynchronous", [False, True])
def test_an_event_that_is_no_json_is_a_400_in_words(tell: Tell, asynchronous: bool) -> None:
    async def story(engine: Engine, client: Client) -> None:
        found = plain(await client.invoke("greets", b"{oops", asynchronous=asynchronous))
        assert found["status"] == 400
        assert "Could not parse request body into json" in found["error"]
        assert (await client.status())["totals"]["invocations"] == 0

    tell(story)


def test_no_event_is_an_empty_object(tell: Tell) -> None:
    async def story(engine: Engine, client: Client) -> None:
        found = await client.invoke("greets", b"", asynchronous=False)
        assert json.loads(found["payload"]) == {"got": {}}

    tell(story)


def test_an_asynchronous_invocation_is_accepted_and_lives(tell: Tell) -> None:
    async def story(engine: Engine, client: Client) -> None:
        found = plain(await client.invoke("greets", b'{"n":1}', asynchronous=True))
        assert (found["status"], found["error"], found["payload"], found["log"]) == (202, None, "", "")

        async def ended() -> Row | None:
            life = await client.life(found["request_id"])
            return life if life and life["ended_at"] else None

        life = await until_awaited(ended, "the end of the event")
        assert plain(life) is not None
        assert (life["state"], life["source"], life["payload"]) == ("succeeded", "lamtop", '{"n":1}')
        assert json.loads(life["attempts"][0]["result"]) == {"got": {"n": 1}}
        assert [line["text"] for line in life["lines"] if line["kind"] == "output"] == ["hello {'n': 1}"]

    tell(story)


def test_the_life_of_a_synchronous_invocation_is_known(tell: Tell) -> None:
    async def story(engine: Engine, client: Client) -> None:
        found = await client.invoke("fails", b'{"why":"card"}', asynchronous=False)
        life = plain(await client.life(found["request_id"]))
        assert (life["kind"], life["source"], life["errors"]) == ("synchronous", "lamtop", 1)
        assert life["attempts"][0]["error"] == "KeyError: 'card'"

    tell(story)


@pytest.mark.parametrize("request_id", ["nobody", "a b", "../status", "x?y=1#z", "ü/%2e%2e"])
def test_an_unknown_request_has_no_life(tell: Tell, request_id: str) -> None:
    async def story(engine: Engine, client: Client) -> None:
        assert await client.life(request_id) is None

    tell(story)


# -- dead letters ------------------------------------------------------------------------------------------------------


async def dead(client: Client, count: int) -> list[Row]:
    async def there() -> list[Row]:
        rows: list[Row] = (await client.page({"view": "dlq"}))["rows"]
        return rows if len(rows) == count else []

    return await until_awaited(there, f"{count} dead letters")


def test_a_dead_letter_is_purged_brought_back_and_redriven_with_another_payload(tell: Tell) -> None:
    async def story(engine: Engine, client: Client) -> None:
        await client.invoke("fails", b'{"why":"card"}', asynchronous=True)
        [letter] = await dead(client, 1)
        told = await client.life(letter["request_id"])
        assert told is not None
        assert told["answered"]["after"] > 0
        [whole] = plain(await client.letters([letter["id"], "nonsense"]))
        assert (whole["payload"], whole["function"], len(whole["attempts"])) == ('{"why":"card"}', "fails", 1)
        gone = plain(await client.purge([letter["id"], "nonsense"]))
        assert (gone["purged"], [id_ for id_, _ in gone["refused"]]) == ([letter["id"]], ["nonsense"])
        assert (await client.page({"view": "dlq"}))["rows"] == []
        assert await client.undo(gone["undo"]) == {"restored": 1}
        assert await client.undo(gone["undo"]) == {"restored": 0}
        [back] = await dead(client, 1)
        assert back == letter
        with pytest.raises(ValueError, match="is not JSON"):
            await client.redrive([letter["id"]], {letter["id"]: "{no"})
        with pytest.raises(ValueError, match="none of the ids"):
            await client.redrive([letter["id"]], {"other": "{}"})
        found = await client.redrive([letter["id"]], {letter["id"]: '{"why": "other"}'})
        [[_, new]] = found["redriven"]
        life = await client.life(new)
        assert life is not None
        assert (life["payload"], life["redriven_from"]) == ('{"why": "other"}', letter["request_id"])

    tell(story)


def test_a_dead_letter_is_redriven_once_and_others_are_refused_with_a_reason(tell: Tell) -> None:
    async def story(engine: Engine, client: Client) -> None:
        sent = await client.invoke("fails", b'{"why":"card"}', asynchronous=True)
        [letter] = await dead(client, 1)
        assert (letter["request_id"], letter["error"], letter["queue"]) == (
            sent["request_id"], "KeyError: 'card'", "dead",
        )  # fmt: skip
        found = plain(await client.redrive([letter["id"], "nonsense", letter["id"]]))
        [[old, new]] = found["redriven"]
        assert old == sent["request_id"]
        assert [id_ for id_, _ in found["refused"]] == ["nonsense"]
        assert "no such dead letter" in found["refused"][0][1]
        life = await client.life(new)
        assert life is not None
        assert life["redriven_from"] == old
        [again] = await dead(client, 1)
        assert again["request_id"] == new

    tell(story)


# -- panes -------------------------------------------------------------------------------------------------------------


def test_a_subscription_shows_what_there_is_and_then_what_changes(tell: Tell) -> None:
    async def story(engine: Engine, client: Client) -> None:
        await client.subscribe({"f": {"view": "functions"}, "l": {"view": "logs", "filter": "hello"}})
        frames = aiter(client.frames())
        first = plain(await anext(frames))
        assert [row["id"] for row in first["views"]["f"]["rows"]] == ["fails", "greets", "off"]
        assert first["logs"]["l"]["lines"] == []
        assert first["time"]["mode"] == "real"
        await client.invoke("greets", b'{"n":1}', asynchronous=False)
        invocations, lines = 0, []
        while not (invocations and lines):
            frame = plain(await anext(frames))
            for row in frame["views"].get("f", {"rows": []})["rows"]:
                assert row["id"] == "greets"
                invocations = row["invocations"]
            lines += frame["logs"].get("l", {"lines": []})["lines"]
        assert invocations == 1
        assert [line["text"] for line in lines] == ["hello {'n': 1}"]

    tell(story)


def test_who_listens_first_and_subscribes_afterwards_gets_frames(tell: Tell) -> None:
    async def story(engine: Engine, client: Client) -> None:
        listening = asyncio.create_task(next_frame(client))
        await client.subscribe({"f": {"view": "functions"}})
        assert set((await listening)["views"]) == {"f"}

    tell(story)


@pytest.mark.parametrize("wish", [{"view": "quue"}, {"view": "queue", "limit": -1}, {"view": "queue", "limit": 501}])
def test_a_bad_view_is_a_value_error_that_says_what_is_allowed(tell: Tell, wish: Row) -> None:
    async def story(engine: Engine, client: Client) -> None:
        with pytest.raises(ValueError, match=r"(quue|-1|501).*use"):  # noqa: PT012 - at once, or with the frames
            await client.subscribe({"pane": wish})
            await next_frame(client)
        with pytest.raises(ValueError, match=r"(quue|-1|501).*use"):
            await client.page(wish)

    tell(story)


def test_a_cursor_that_nobody_gave_out_is_a_value_error(tell: Tell) -> None:
    async def story(engine: Engine, client: Client) -> None:
        with pytest.raises(ValueError, match="'nonsense' is not a cursor"):
            await client.page({"view": "queue"}, "nonsense")

    tell(story)


def test_pages_follow_each_other_to_the_end(tell: Tell) -> None:
    async def story(engine: Engine, client: Client) -> None:
        for n in range(7):
            engine.history.line("greets", f"r{n}", 1, engine.clock.now(), "output", f"line {n}")
        texts: list[str] = []
        cursor = None
        while True:
            found = plain(await client.page({"view": "logs", "limit": 3}, cursor))
            texts = [line["text"] for line in found["rows"]] + texts
            cursor = found["cursor"]
            if cursor is None:
                break
        assert texts == [f"line {n}" for n in range(7)]

    tell(story)


# -- new code, and the end ---------------------------------------------------------------------------------------------


def test_reload_says_which_functions_run_new_code_and_which_do_not(tell: Tell) -> None:
    async def story(engine: Engine, client: Client) -> None:
        app = engine.project.root / "app.py"
        app.write_text(app.read_text().replace("def fails", "def wins"))
        found = plain(await client.reload())
        assert found["error"] is None
        by_name = {each["function"]: each for each in found["reloaded"]}
        assert {name: each["version"] for name, each in by_name.items()} == {"greets": 2, "off": 2, "fails": 1}
        assert by_name["greets"]["error"] is None
        assert "Handler 'fails' missing on module 'app'" in by_name["fails"]["error"]

    tell(story)


def test_stop_asks_the_engine_to_end(tell: Tell) -> None:
    async def story(engine: Engine, client: Client) -> None:
        await client.stop()
        assert await asyncio.wait_for(engine.ended, 5)

    tell(story)


async def follow(client: Client) -> None:
    async for _ in client.frames():
        pass


def test_frames_end_with_a_connection_error_when_the_engine_ends(tell: Tell) -> None:
    async def story(engine: Engine, client: Client) -> None:
        await client.subscribe({"f": {"view": "functions"}})
        await next_frame(client)
        following = asyncio.create_task(follow(client))
        engine.end("the test says so")
        await stopped(engine)
        with pytest.raises(EngineUnreachable, match="the engine has"):
            await asyncio.wait_for(following, 3)

    tell(story)


def test_two_clients_watch_side_by_side(tmp_path: Path) -> None:
    async def play() -> None:
        async with live(tmp_path / "project", FILES, watch=False) as engine:
            clients: list[Client] = [HttpClient(engine.server.url, engine.token), LocalClient(engine)]
            views = {"f": {"view": "functions"}, "d": {"view": "dlq"}}
            for client in clients:
                await client.subscribe(views)
            first, second = [await next_frame(client) for client in clients]
            assert first["views"] == second["views"]
            assert first["totals"] == second["totals"]
            for client in clients:
                await client.close()
            assert engine.history.listeners == [] or await until(lambda: not engine.history.listeners, "silence")

    asyncio.run(play())


# -- over HTTP alone ---------------------------------------------------------------------------------------------------


def test_with_a_wrong_token_every_call_says_that_it_needs_the_token(tmp_path: Path) -> None:
    async def play() -> None:
        async with live(tmp_path / "project", FILES, watch=False) as engine:
            client = HttpClient(engine.server.url, "wrong")
            calls: list[Callable[[], Awaitable[Any]]] = [
                client.hello, client.status, client.reload, client.stop, lambda: client.life("x"),
                lambda: client.redrive(["x"]), lambda: client.purge(["x"]), client.undo, lambda: client.letters(["x"]),
                lambda: client.page({"view": "queue"}),
            ]  # fmt: skip
            for call in calls:
                with pytest.raises(EngineUnreachable, match="needs the engine's token") as refused:
                    await call()
                assert engine.server.url in str(refused.value)
            with pytest.raises(EngineUnreachable, match="401"):
                await next_frame(client)
            with pytest.raises(EngineUnreachable, match="401"):
                await client.subscribe({"f": {"view": "functions"}})
            assert not engine.ended.done()
            await client.close()

    asyncio.run(play())


def test_when_the_engine_has_gone_every_call_says_so_in_words(tmp_path: Path) -> None:
    async def play() -> None:
        async with live(tmp_path / "project", FILES, watch=False) as engine:
            url, token = engine.server.url, engine.token
            connected = HttpClient(url, token)
            await connected.hello()
        for client in (connected, HttpClient(url, token)):
            calls: list[Callable[[], Awaitable[Any]]] = [
                client.hello, client.status, client.reload, client.stop, lambda: client.life("x"),  # noqa: B023
                lambda: client.invoke("greets", b"{}", asynchronous=False),  # noqa: B023
                lambda: client.subscribe({"f": {"view": "functions"}}),  # noqa: B023
                lambda: next_frame(client),  # noqa: B023
            ]  # fmt: skip
            for call in calls:
                with pytest.raises(EngineUnreachable) as gone:
                    await call()
                assert f"{url} does not answer" in str(gone.value)
                assert isinstance(gone.value, ConnectionError)
            assert await wait_until_gone(client, 1)
            await client.close()

    asyncio.run(play())


def test_something_else_on_the_port_is_not_taken_for_an_engine() -> None:
    async def play() -> None:
        async def rude(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readline()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(rude, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        client = HttpClient(url, "token")
        with pytest.raises(EngineUnreachable, match="does not answer as an engine"):
            await client.hello()
        await client.close()
        server.close()
        await server.wait_closed()

    asyncio.run(play())


@pytest.mark.parametrize("asynchronous", [False, True])
def test_half_a_character_in_an_error_does_not_stop_the_engine(tmp_path: Path, asynchronous: bool) -> None:
    """JSON can hold a lone surrogate, UTF-8 and SQLite cannot. The runtime dies of it, as AWS's does."""
    code = 'def handler(event, context):\n    raise ValueError("half \\ud800")\n'

    async def play() -> None:
        async with live(tmp_path / "project", {"app.py": code, "template.yaml": TEMPLATE}, watch=False) as engine:
            client = HttpClient(engine.server.url, engine.token)
            sent = await client.invoke("greets", b"{}", asynchronous=asynchronous)

            async def attempts() -> list[Row]:
                life = await client.life(sent["request_id"])
                return life["attempts"] if life else []

            [attempt] = await until_awaited(attempts, "the first attempt", 5)
            assert attempt["error_type"] == "Runtime.ExitError"
            assert not engine.ended.done()
            await client.close()

    asyncio.run(play())
