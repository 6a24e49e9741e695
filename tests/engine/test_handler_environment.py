"""What a handler finds around it: its search path, its variables, a way to AWS; nothing of the engine."""

import asyncio
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.live import live, notices
from engine.running import Engine, Project, linux_only, until
from lamtop.engine.core.function import Function, LoggingConfig
from lamtop.engine.edges.environments import surroundings
from lamtop.engine.edges.environments.variables import variables

RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"
SITE_PACKAGES = f"python/lib/{RUNTIME}/site-packages"
SECRETS = [f"{name}_{number}" for number in range(5) for name in ("PASSWORD", "AWS_SECRET", "LAMTOP_X", "API_TOKEN")]
CODE = """
import importlib
import os
import subprocess

def variables(event, context):
    with open("/proc/self/environ") as file:
        return {"environ": dict(os.environ), "at_the_start": file.read().split("\\0")}

def found(event, context):
    return {name: importlib.import_module(name).WHERE for name in event}

def program(event, context):
    return subprocess.run([event], capture_output=True, text=True).stdout

def read(event, context):
    return os.environ.get(event)
"""


def template(functions: dict[str, dict[str, Any]]) -> str:
    """A template with two layers that these functions use."""
    resources: dict[str, Any] = {
        name: {"Type": "AWS::Serverless::LayerVersion", "Properties": {"ContentUri": name.lower()}}
        for name in ("First", "Second")
    }
    for name, properties in functions.items():
        resources[name] = {
            "Type": "AWS::Serverless::Function",
            "Properties": {"Handler": f"app.{name}", "Runtime": RUNTIME, "CodeUri": "src", **properties},
        }
    return json.dumps({"Resources": resources})


def put(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    folder = tmp_path_factory.mktemp("surroundings")
    marked = dict.fromkeys(SECRETS, "a secret")
    layers = {"Layers": [{"Ref": "First"}, {"Ref": "Second"}]}
    put(folder, "src/app.py", CODE)
    places = {
        "src": ("code",),
        ".lamtop/packages/src": ("code", "package"),
        ".aws-sam/build/found": ("code", "package", "built"),
        f"second/{SITE_PACKAGES}": ("package", "in_site_packages", "both"),
        "second/python": ("both", "second", "json"),
        f"first/{SITE_PACKAGES}": ("in_site_packages", "second", "first_site_packages"),
        "first/python": ("first", "both"),
    }
    for place, modules in places.items():
        for module in modules:
            put(folder, f"{place}/{module}_module.py", f"WHERE = {place!r}")
    for layer in ("first", "second"):
        put(folder, f"{layer}/bin/which-layer", f"#!/bin/sh\necho {layer}\n")
        (folder / layer / "bin/which-layer").chmod(0o755)
    put(folder, "first/bin/only-first", "#!/bin/sh\necho only\n")
    (folder / "first/bin/only-first").chmod(0o755)
    put(folder, "template.yaml", template({"variables": layers, "found": layers, "program": layers, "read": {}}))
    with Project(folder, {}, {}) as project:
        before = {name: os.environ.get(name) for name in marked}
        os.environ.update(marked)
        try:
            yield project.serve("--python", sys.executable)
        finally:
            for name, value in before.items():
                os.environ.pop(name, None) if value is None else os.environ.update({name: value})


@linux_only
def test_a_handler_sees_the_variables_of_lambda_and_no_secret_of_the_engine(engine: Engine) -> None:
    answer = engine.invoke("variables").json
    environ = answer["environ"]
    assert not set(SECRETS) & set(environ)
    assert not [entry for entry in answer["at_the_start"] if "secret" in entry]
    allowed = {"PATH", "HOME", "TMPDIR", "LANG", "LC_CTYPE", "TZ", "SHLVL", "PWD", "PYTHONPATH", "LD_LIBRARY_PATH",
               "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR", "_HANDLER", "_X_AMZN_TRACE_ID"}  # fmt: skip
    assert {name for name in environ if not name.lstrip("_").startswith("AWS_")} <= allowed
    assert environ["AWS_ENDPOINT_URL"] == engine.url
    assert environ["AWS_EXECUTION_ENV"] == f"AWS_Lambda_{RUNTIME}"
    assert environ["AWS_ACCESS_KEY_ID"].startswith("ASIA")


def test_modules_are_found_in_the_code_then_packages_then_layers_from_the_last(engine: Engine) -> None:
    expected = {
        "code_module": "src",
        "package_module": ".lamtop/packages/src",
        "built_module": ".aws-sam/build/found",
        "in_site_packages_module": f"second/{SITE_PACKAGES}",
        "both_module": f"second/{SITE_PACKAGES}",
        "second_module": f"first/{SITE_PACKAGES}",
        "first_site_packages_module": f"first/{SITE_PACKAGES}",
        "first_module": "first/python",
    }
    assert engine.invoke("found", list(expected)).json == expected


def test_programs_of_layers_are_found_and_the_later_layer_counts(engine: Engine) -> None:
    assert engine.invoke("program", "which-layer").json == "second\n"
    assert engine.invoke("program", "only-first").json == "only\n"


def test_a_saved_env_file_reaches_the_handlers(tmp_path: Path) -> None:
    put(tmp_path, "src/app.py", CODE)
    put(tmp_path, "first/python/x.py", "")
    put(tmp_path, "second/python/x.py", "")
    put(tmp_path, "template.yaml", template({"read": {"Environment": {"Variables": {"LEVEL": "info"}}}}))
    put(tmp_path, ".env", "LEVEL=debug\nAWS_ENDPOINT_URL_S3=http://127.0.0.1:9000\n")
    with Project(tmp_path, {}, {}) as project:
        engine = project.serve("--python", sys.executable, "--env-file", ".env")
        assert engine.invoke("read", "LEVEL").json == "debug"
        assert engine.invoke("read", "AWS_ENDPOINT_URL_S3").json == "http://127.0.0.1:9000"
        put(tmp_path, ".env", "LEVEL=error\n")
        until(lambda: engine.invoke("read", "LEVEL").json == "error", "the new value")
        put(tmp_path, ".env", "LEVEL='error\n")
        assert engine.control("POST", "reload")["error"].startswith(".env:1: LEVEL: the quotes do not match")
        assert engine.invoke("read", "LEVEL").json == "error"


BOTO = """
import boto3

clients = [boto3.client(name) for name in ("lambda", "s3")]
key = boto3.Session().get_credentials().access_key

def handler(event, context):
    return [client.meta.endpoint_url for client in clients] + [key]
"""


@pytest.mark.parametrize("passed", [False, True])
def test_a_real_sdk_reaches_this_engine_or_with_passed_credentials_aws(tmp_path: Path, passed: bool) -> None:
    own = {"AWS_ACCESS_KEY_ID": "AKIAMINE", "AWS_SECRET_ACCESS_KEY": "x", "AWS_REGION": "eu-west-1"}
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), **own}

    async def play() -> None:
        files = {"app.py": BOTO, "requirements.txt": "boto3\nnobody-has-this-one\n"}
        wishes = {"environ": environ, "python": sys.executable, "pass_credentials": passed, "watch": False}
        async with live(tmp_path, files, **wishes) as engine:
            answer = await engine.call("app", b"{}", {})
            here = engine.server.url
            *urls, key = json.loads(answer.body)
            if passed:
                assert (urls, key) == ([here, "https://s3.eu-west-1.amazonaws.com"], "AKIAMINE")
            else:
                assert (urls, key[:4]) == ([here, here], "ASIA")
            told = notices(engine, "warning")
            assert any(text.startswith("--pass-credentials: handlers reach the real") for text in told) == passed
            [missing] = [text for text in told if "requirements.txt" in text]
            assert "requirements.txt: nobody-has-this-one is not installed" in missing

    asyncio.run(play())


# the variables, without a process


def test_every_environment_has_credentials_of_its_own_that_open_nothing() -> None:
    one, other = (surroundings({}, "http://127.0.0.1:1", pass_credentials=False) for _ in range(2))
    assert one["AWS_ACCESS_KEY_ID"] != other["AWS_ACCESS_KEY_ID"]
    assert one["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"


def test_credentials_are_passed_only_when_asked_and_then_no_service_but_lambda_is_here() -> None:
    own = {"AWS_PROFILE": "work", "AWS_REGION": "eu-west-1", "AWS_CONFIG_FILE": "/c", "SECRET": "x", "HOME": "/h"}
    kept = surroundings(own, "http://127.0.0.1:1", pass_credentials=False)
    assert set(kept) == {"HOME", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"}
    assert surroundings(own, "http://127.0.0.1:1", pass_credentials=True) == {
        "HOME": "/h",
        "AWS_PROFILE": "work",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_CONFIG_FILE": "/c",
        "AWS_ENDPOINT_URL_LAMBDA": "http://127.0.0.1:1",
    }


def test_a_function_may_set_its_own_search_paths() -> None:
    own = {"PYTHONPATH": "/mine", "PATH": "/bin", "LD_LIBRARY_PATH": "/lib"}
    function = Function("f", "a.b", "/code", environment=own, layers=("/layer",), packages=("/packages",))
    found = variables(function, "stream", {}, "/runtime")
    assert found["PYTHONPATH"].split(":")[:2] == ["/mine", "/packages"]
    assert (found["PATH"], found["LD_LIBRARY_PATH"]) == ("/bin", "/lib")


def test_the_log_format_is_told_when_it_is_json() -> None:
    function = Function("f", "a.b", "/code", logging=LoggingConfig("JSON", "DEBUG"))
    found = variables(function, "stream", {}, "/runtime")
    assert (found["AWS_LAMBDA_LOG_FORMAT"], found["AWS_LAMBDA_LOG_LEVEL"]) == ("JSON", "DEBUG")
    assert "AWS_LAMBDA_LOG_FORMAT" not in variables(Function("f", "a.b", "/code"), "stream", {}, "/runtime")
