"""Versions, aliases, layers and the other settings of functions, as a template gives them."""

from pathlib import Path

import pytest

from lamtop.engine.core.arn import function_arn
from lamtop.engine.core.function import EventInvokeConfig, Function, LoggingConfig
from lamtop.engine.project.errors import ConfigurationError
from lamtop.engine.project.template import Contents, read_template

ORDERS = """\
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Metadata: {lamtop: {}}
    Properties:
      Handler: app.lambda_handler
      Runtime: python3.13
"""
VERSION = "  %s: {Type: AWS::Lambda::Version, Properties: {FunctionName: %s}}\n"
ALIAS = "  Live: {Type: AWS::Lambda::Alias, Properties: {FunctionName: !Ref Orders, Name: %s, FunctionVersion: %s}}\n"
CONFIG = """\
  Config:
    Type: AWS::Lambda::EventInvokeConfig
    Properties: {FunctionName: !Ref Orders, Qualifier: %s, MaximumRetryAttempts: 0}
"""
NOT_KEPT = "lamtop keeps no old code: every version runs the code that is there now"


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.py").touch()
    return tmp_path


def read(text: str) -> Contents:
    Path("template.yaml").write_text(text, encoding="utf-8")
    return read_template(Path("template.yaml"))


def orders(setting: str = "", rest: str = "") -> str:
    """A template with this setting in line 8, and these resources below."""
    return ORDERS + (f"      {setting}\n" if setting else "") + rest


def function(setting: str = "", rest: str = "") -> Function:
    return read(orders(setting, rest)).functions["Orders"]


def error(text: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        read(text)
    return str(caught.value)


def lab(settings: str) -> str:
    return ORDERS.replace("lamtop: {}", f"lamtop: {{{settings}}}")


# versions and aliases


def test_versions_are_numbered_in_the_order_of_the_template() -> None:
    rest = VERSION % ("One", "!Ref Orders") + VERSION % ("Two", "!GetAtt Orders.Arn") + VERSION % ("Three", "Orders")
    variables = "Environment: {Variables: {NUMBER: !GetAtt Two.Version, ARN: !Ref Three}}"
    found = function(variables, rest)
    assert found.versions == {"1", "2", "3"}
    assert found.environment == {"NUMBER": "2", "ARN": function_arn("Orders", "3")}
    assert found.executed_version("2") == "2"
    assert found.executed_version("4") is None


def test_an_alias_names_a_version() -> None:
    rest = VERSION % ("One", "!Ref Orders") + ALIAS % ("live", "!GetAtt One.Version")
    found = function("Environment: {Variables: {ARN: !Ref Live}}", rest)
    assert found.aliases == {"live": "1"}
    assert found.environment == {"ARN": function_arn("Orders", "live")}
    assert function("", ALIAS % ("newest", "$LATEST")).aliases == {"newest": "$LATEST"}


def test_auto_publish_alias_makes_a_version_and_an_alias_that_can_be_referred_to() -> None:
    variables = "Environment: {Variables: {AA: !Ref Orders.Alias, VV: !Ref Orders.Version, GG: !Ref OrdersAliaslive}}"
    found = function(f"AutoPublishAlias: live\n      {variables}")
    assert (found.versions, found.aliases) == ({"1"}, {"live": "1"})
    live = function_arn("Orders", "live")
    assert found.environment == {"AA": live, "VV": function_arn("Orders", "1"), "GG": live}


def test_the_event_invoke_config_of_sam_belongs_to_the_alias_that_it_publishes() -> None:
    found = function("EventInvokeConfig: {MaximumRetryAttempts: 0}\n      AutoPublishAlias: live")
    assert found.config("live").maximum_retry_attempts == 0
    assert found.config("") == found.config("1") == EventInvokeConfig()


@pytest.mark.parametrize("qualifier", ["live", "'1'", "!GetAtt One.Version"])
def test_an_event_invoke_config_may_belong_to_a_version_or_an_alias(qualifier: str) -> None:
    rest = VERSION % ("One", "!Ref Orders") + ALIAS % ("live", "'1'") + CONFIG % qualifier
    found = function("", rest)
    assert [name for name in ("", "1", "live") if found.config(name).maximum_retry_attempts == 0] == [
        "live" if qualifier == "live" else "1"
    ]


def test_that_versions_keep_no_old_code_is_told_once() -> None:
    two = orders("AutoPublishAlias: live", VERSION % ("Two", "!Ref Orders"))
    assert read(two).warnings == (f"template.yaml:8: Orders.AutoPublishAlias: {NOT_KEPT}",)
    one = orders("", VERSION % ("One", "!Ref Orders"))
    assert read(one).warnings == (f"template.yaml:8: One.FunctionName: {NOT_KEPT}",)


def test_weights_of_an_alias_are_told_and_not_used() -> None:
    weights = "RoutingConfig: {AdditionalVersionWeights: [{FunctionVersion: '2', FunctionWeight: 0.1}]}"
    rest = (ALIAS % ("live", "$LATEST")).replace("FunctionVersion: $", f"{weights}, FunctionVersion: $")
    assert read(orders("", rest)).warnings == (
        "template.yaml:8: Live.RoutingConfig: lamtop does not use weights; all invocations go to FunctionVersion",
    )


def test_a_result_may_go_to_an_alias_and_keeps_its_qualifier() -> None:
    target = "EventInvokeConfig: {DestinationConfig: {OnSuccess: {Type: Lambda, Destination: !Ref Billing.Alias}}}"
    billing = ORDERS.replace("Resources:\n", "").replace("Orders", "Billing") + "      AutoPublishAlias: live\n"
    assert function(target, billing).event_invoke_config.on_success == function_arn("Billing", "live")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            orders("", VERSION % ("One", "gone")),
            "8: One.FunctionName: there is no function 'gone' in this template; use one of 'Orders'",
        ),
        (
            orders("", ALIAS % ("live", "'1'")),
            "8: Live.FunctionVersion: there is no version '1' of 'Orders' in this template; use one of '$LATEST'",
        ),
        (
            orders("", ALIAS % ("'12'", "$LATEST")),
            "8: Live.Name: '12' is not allowed; use 1 to 128 letters, digits, '-' and '_', not digits alone",
        ),
        (
            orders("AutoPublishAlias: live", ALIAS % ("live", "$LATEST")),
            "9: Live.Name: 'Orders' has an alias 'live' already; use one alias for each name",
        ),
        (
            orders("", CONFIG % "live"),
            "10: Config.Qualifier: there is no version or alias 'live' of 'Orders' in this template; "
            "use one of '$LATEST'",
        ),
        (
            orders("EventInvokeConfig: {MaximumRetryAttempts: 1}\n      AutoPublishAlias: live", CONFIG % "live"),
            "12: Config.FunctionName: 'Orders' has an EventInvokeConfig for live already, in line 8; keep one of them",
        ),
    ],
)
def test_a_wrong_version_or_alias_is_refused_with_its_line(text: str, message: str) -> None:
    assert error(text) == f"template.yaml:{message}"


# layers


LAYERS = """\
  First: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: first}}
  Second: {Type: AWS::Lambda::LayerVersion, Properties: {Content: second, LayerName: tools}}
"""


def test_layers_are_folders_in_the_order_of_the_template(project: Path) -> None:
    (project / "first").mkdir()
    (project / "second").mkdir()
    (project / ".aws-sam/build/First").mkdir(parents=True)
    found = read(orders("Layers: [!Ref First, !Ref Second]", LAYERS))
    assert found.functions["Orders"].layers == (
        str(project / ".aws-sam/build/First"),
        str(project / "first"),
        str(project / "second"),
    )
    assert found.warnings == ()


def test_a_layer_may_depend_on_a_condition(project: Path) -> None:
    (project / "first").mkdir()
    (project / "second").mkdir()
    text = orders("Layers: [!If [Never, !Ref First, !Ref AWS::NoValue], !Ref Second]", LAYERS)
    assert read("Conditions: {Never: !Equals [1, 2]}\n" + text).functions["Orders"].layers == (str(project / "second"),)


def test_a_layer_that_is_not_here_is_one_warning() -> None:
    arn = "arn:aws:lambda:us-east-1:017000801446:layer:AWSLambdaPowertoolsPythonV3-python313-x86_64:4"
    assert read(orders(f"Layers: ['{arn}']")).warnings == (
        f"template.yaml:8: Orders.Layers: layer '{arn}' is not in this template; it is left out: "
        "make it a folder of your own",
    )
    layer = "  First: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: 's3://a/b'}}\n"
    found = read(orders("Layers: [!Ref First]", layer))
    assert found.functions["Orders"].layers == ()
    assert found.warnings == (
        "template.yaml:9: First.ContentUri: lamtop takes layers from a folder only; the layer is left out",
    )


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ("Layers: [a, b, c, d, e, f]", "6 layers are not allowed; AWS takes 5 at most: join some of them"),
        ("Layers: a", "'a' is not allowed; use a list of layers, such as [!Ref MyLayer]"),
        ("Layers: [[a]]", "a list is not allowed; use a list of layers, such as [!Ref MyLayer]"),
    ],
)
def test_wrong_layers_are_refused(layers: str, message: str) -> None:
    assert error(orders(layers)) == f"template.yaml:8: Orders.Layers: {message}"


def test_a_layer_without_a_folder_is_refused() -> None:
    assert error(orders("", LAYERS)) == (
        "template.yaml:8: First.ContentUri: 'first' does not exist; use a folder, as seen from the template\n"
        "template.yaml:9: Second.Content: 'second' does not exist; use a folder, as seen from the template"
    )


def test_what_sam_has_built_is_behind_the_code(project: Path) -> None:
    (project / ".aws-sam/build/Orders").mkdir(parents=True)
    found = read(orders("FunctionName: another")).functions["another"]
    assert found.code == str(project)
    assert found.packages == (str(project / ".aws-sam/build/Orders"),)


# other settings


def test_the_settings_of_a_function_that_are_not_its_limits() -> None:
    logging = "LoggingConfig: {LogFormat: JSON, ApplicationLogLevel: DEBUG, SystemLogLevel: WARN, LogGroup: /shop/all}"
    found = function(f"{logging}\n      RecursiveLoop: Allow\n      Architectures: [arm64]")
    assert found.logging == LoggingConfig("JSON", "DEBUG", "WARN", "/shop/all")
    assert found.log_group == "/shop/all"
    assert (found.recursive_loop, found.architecture) == ("Allow", "arm64")


def test_a_log_group_may_be_a_resource() -> None:
    group = "  Group: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: /shop}}\n"
    assert function("LoggingConfig: {LogGroup: !Ref Group}", group).log_group == "/shop"


def test_a_level_of_text_logs_is_told_because_it_does_not_count() -> None:
    assert read(orders("LoggingConfig: {SystemLogLevel: WARN}")).warnings == (
        "template.yaml:8: Orders.LoggingConfig.SystemLogLevel: counts with LogFormat: JSON only; it is ignored",
    )


def test_ephemeral_storage_is_checked_and_told() -> None:
    assert read(orders("EphemeralStorage: {Size: 1024}")).warnings == (
        "template.yaml:8: Orders.EphemeralStorage is not used by lamtop "
        "(the folder for temporary files is this machine's own); it is ignored",
    )


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("RecursiveLoop: Never", "RecursiveLoop: 'Never' is not allowed; use Terminate or Allow"),
        ("Architectures: [sparc]", "Architectures: 'sparc' is not allowed; use a list of one: x86_64 or arm64"),
        (
            "Architectures: [arm64, x86_64]",
            "Architectures: 2 of them are not allowed; use a list of one: x86_64 or arm64",
        ),
        (
            "EphemeralStorage: {Size: 511}",
            "EphemeralStorage.Size: '511' is not allowed; use a whole number of MB from 512 to 10240",
        ),
        ("LoggingConfig: {LogFormat: XML}", "LoggingConfig.LogFormat: 'XML' is not allowed; use Text or JSON"),
        (
            "LoggingConfig: {LogGroup: 'a b'}",
            "LoggingConfig.LogGroup: 'a b' is not allowed; use 1 to 512 letters, digits and '.', '-', '_', '/', '#'",
        ),
    ],
)
def test_a_wrong_setting_is_refused_with_its_line_and_what_is_allowed(setting: str, message: str) -> None:
    assert error(orders(setting)) == f"template.yaml:8: Orders.{message}"


# the lab


def test_the_lab_may_retry_more_often_and_sooner_under_every_qualifier() -> None:
    found = read(lab("Retries: 10, RetryDelays: [0, 0.5, '3'], Scaling: aws") + "      AutoPublishAlias: live\n")
    function = found.functions["Orders"]
    assert function.scaling == "aws"
    for qualifier in ("", "$LATEST", "1", "live"):
        assert function.config(qualifier) == EventInvokeConfig(10, retry_delays=(0.0, 0.5, 3.0))
    where = "template.yaml:4: Orders.Metadata.lamtop"
    assert found.warnings[:2] == (
        f"{where}.Retries: 10 is for the laptop only: AWS does not read it, and makes 2 retries at most",
        f"{where}.RetryDelays: 0, 0.5, 3 s are for the laptop only: "
        "AWS does not read them, and waits about 1 and 2 minutes",
    )


def test_the_lab_keeps_what_the_template_says_otherwise() -> None:
    text = lab("Retries: 4") + "      EventInvokeConfig: {MaximumEventAgeInSeconds: 60}\n"
    assert read(text).functions["Orders"].event_invoke_config == EventInvokeConfig(4, 60.0)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("Retries: 11", "Retries: '11' is not allowed; use a whole number from 0 to 10"),
        ("Scaling: fast", "Scaling: 'fast' is not allowed; use lazy or aws"),
        (
            "RetryDelays: []",
            "RetryDelays: 0 delays are not allowed; use a list of 1 to 10 numbers of seconds, from 0 to 21600",
        ),
        (
            "RetryDelays: [1, -1]",
            "RetryDelays: '-1' is not allowed; use a list of 1 to 10 numbers of seconds, from 0 to 21600",
        ),
        (
            "RetryDelays: [nan]",
            "RetryDelays: 'nan' is not allowed; use a list of 1 to 10 numbers of seconds, from 0 to 21600",
        ),
    ],
)
def test_a_wrong_setting_of_the_lab_is_refused(settings: str, message: str) -> None:
    assert error(lab(settings)) == f"template.yaml:4: Orders.Metadata.lamtop.{message}"
