"""Versions and aliases, seen by boto3: which one answers, under which settings, and what the handler is told."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from engine.live import On, aside, until_awaited
from lamtop.engine import Engine
from lamtop.engine.core.arn import queue_arn
from lamtop.engine.core.function import EventInvokeConfig

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

ARN = "arn:aws:lambda:us-east-1:000000000000:function:orders"
CODE = """
    def handler(event, context):
        if event:
            raise ValueError("as was wished")
        return [context.invoked_function_arn, context.function_version]
"""
TEMPLATE = json.dumps(
    {
        "Transform": "AWS::Serverless-2016-10-31",
        "Resources": {
            "Failed": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "failed"}},
            "Orders": {
                "Type": "AWS::Serverless::Function",
                "Properties": {
                    "FunctionName": "orders", "Runtime": "python3.11", "CodeUri": ".", "Handler": "app.handler",
                    "EventInvokeConfig": {"MaximumRetryAttempts": 1},
                },
            },
        },
    }
)  # fmt: skip


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, On]]:
    folder = tmp_path_factory.mktemp("qualifiers")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(folder / "home"))
        files = {"app.py": CODE, "template.yaml": TEMPLATE}
        with aside(folder / "project", files, watch=False, speed=600.0) as (engine, on):
            on(publish(engine))
            yield engine, on


async def publish(engine: Engine) -> None:
    """Two versions and an alias with settings of its own."""
    configs = {"prod": EventInvokeConfig(0, on_failure=queue_arn("failed"))}
    orders = replace(
        engine.functions["orders"],
        versions=frozenset({"1", "2"}),
        aliases={"prod": "2"},
        qualified_configs=configs,
    )
    engine.dispatcher.configure({"orders": orders})


@pytest.fixture(scope="module")
def client(running: tuple[Engine, On]) -> "Iterator[LambdaClient]":
    made = boto3.client(
        "lambda", region_name="us-east-1", endpoint_url=running[0].server.url, aws_access_key_id="x",
        aws_secret_access_key="x", config=Config(retries={"total_max_attempts": 1}),
    )  # fmt: skip
    yield made
    made.close()


@pytest.mark.parametrize(
    ("name", "qualifier", "version", "arn"),
    [
        ("orders", "", "$LATEST", ARN),
        ("orders", "$LATEST", "$LATEST", f"{ARN}:$LATEST"),
        ("orders", "1", "1", f"{ARN}:1"),
        ("orders:1", "", "1", f"{ARN}:1"),
        ("orders", "prod", "2", f"{ARN}:prod"),
        ("orders:prod", "", "2", f"{ARN}:prod"),
        (f"{ARN}:prod", "prod", "2", f"{ARN}:prod"),
    ],
)
def test_93_94_a_qualifier_names_the_version_that_runs_and_the_handler_sees_how_it_was_called(
    client: "LambdaClient", name: str, qualifier: str, version: str, arn: str
) -> None:
    more: Any = {"Qualifier": qualifier} if qualifier else {}
    answer = client.invoke(FunctionName=name, LogType="Tail", **more)
    assert answer["ExecutedVersion"] == version
    # Every qualifier runs the code that is there now, in the same environments: so their version is always $LATEST.
    assert json.loads(answer["Payload"].read()) == [arn, "$LATEST"]


def test_the_start_line_names_the_version(running: tuple[Engine, On], client: "LambdaClient") -> None:
    request_id = client.invoke(FunctionName="orders:prod")["ResponseMetadata"]["RequestId"]
    life = running[1](running[0].life(request_id))
    assert life
    assert f"START RequestId: {request_id} Version: 2" in [line["text"] for line in life["lines"]]


@pytest.mark.parametrize("qualifier", ["3", "test", "latest"])
@pytest.mark.parametrize("kind", ["RequestResponse", "Event", "DryRun"])
def test_21_a_qualifier_that_is_not_there_is_a_404_that_names_it(
    client: "LambdaClient", qualifier: str, kind: Any
) -> None:
    with pytest.raises(ClientError, match=f"Function not found: {ARN}:{qualifier}$") as caught:
        client.invoke(FunctionName="orders", Qualifier=qualifier, InvocationType=kind)
    answer: Any = caught.value.response
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 404
    assert answer["Error"]["Code"] == "ResourceNotFoundException"


def test_77_settings_of_an_alias_are_for_invocations_under_it_alone(
    running: tuple[Engine, On], client: "LambdaClient"
) -> None:
    engine, on = running
    lives = {}
    for qualifier in ("$LATEST", "prod"):
        answer = client.invoke(FunctionName="orders", Qualifier=qualifier, InvocationType="Event", Payload=b"[1]")
        lives[qualifier] = on(ended(engine, answer["ResponseMetadata"]["RequestId"]))
    assert {qualifier: len(life["attempts"]) for qualifier, life in lives.items()} == {"$LATEST": 2, "prod": 1}
    assert {qualifier: life["tries"] for qualifier, life in lives.items()} == {"$LATEST": 2, "prod": 1}
    assert {qualifier: life["dropped"] for qualifier, life in lives.items()} == {"$LATEST": True, "prod": False}

    async def dead() -> dict[str, str]:
        rows = (await engine.page({"view": "dlq"}, None))["rows"]
        return {row["request_id"]: row["queue"] for row in rows} if len(rows) == 2 else {}

    assert on(until_awaited(dead, "both among the dead letters")) == {
        lives["$LATEST"]["id"]: None,
        lives["prod"]["id"]: "failed",
    }


async def ended(engine: Engine, request_id: str) -> dict[str, Any]:
    async def over() -> dict[str, Any] | None:
        life = await engine.life(request_id)
        return life if life and life["ended_at"] else None

    found = await until_awaited(over, "the end of the event")
    assert found
    return found
