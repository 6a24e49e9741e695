"""A template becomes functions and queues, or a message that says what to change and where."""

import textwrap
from pathlib import Path

import pytest

from lamtop.engine.core.arn import function_arn, queue_arn
from lamtop.engine.core.function import EventInvokeConfig
from lamtop.engine.project.errors import ConfigurationError
from lamtop.engine.project.template import Contents, read_template

ORDERS = """\
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.lambda_handler
      Runtime: python3.13
"""
PLAIN = """\
Resources:
  Orders:
    Type: AWS::Lambda::Function
    Properties:
      Handler: app.lambda_handler
      Runtime: python3.13
"""
QUEUE = """\
  Dead:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: dead
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.py").write_text("def lambda_handler(event, context): ...\n")
    return tmp_path


def read(text: str) -> Contents:
    Path("template.yaml").write_text(text, encoding="utf-8")
    return read_template(Path("template.yaml"))


def orders(properties: str = "", rest: str = "") -> str:
    """A template whose properties start in line 7, and whose other resources follow."""
    return ORDERS + textwrap.indent(textwrap.dedent(properties), " " * 6) + rest


def plain(properties: str = "", rest: str = "") -> str:
    return PLAIN + textwrap.indent(textwrap.dedent(properties), " " * 6) + rest


def error(text: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        read(text)
    return str(caught.value)


# what is read


def test_a_function_that_sets_nothing_has_the_defaults_of_aws(project: Path) -> None:
    contents = read(orders())
    function = contents.functions["Orders"]
    assert (function.timeout, function.memory, function.reserved_concurrency) == (3.0, 128, None)
    assert function.event_invoke_config == EventInvokeConfig(2, 21_600.0, None, None)
    assert (function.code, function.handler, function.runtime) == (str(project), "app.lambda_handler", "python3.13")
    assert function.dead_letter_queue is None
    assert contents.warnings == ()


def test_every_setting_of_a_sam_function_is_read(project: Path) -> None:
    (project / "src").mkdir()
    (project / "src/app.py").touch()
    settings = """\
    FunctionName: orders
    CodeUri: src/
    Timeout: 900
    MemorySize: 10240
    ReservedConcurrentExecutions: 0
    Environment:
      Variables: {TEXT: a b, WHOLE: 8080, FRACTION: 1.10, SWITCH: true, DAY: 2012-10-17, EMPTY: ""}
    EventInvokeConfig:
      MaximumRetryAttempts: 0
      MaximumEventAgeInSeconds: 60
      DestinationConfig:
        OnSuccess: {Type: Lambda, Destination: !GetAtt Billing.Arn}
        OnFailure: {Type: SQS, Destination: !GetAtt Dead.Arn}
    DeadLetterQueue: {Type: SQS, TargetArn: !GetAtt Dead.Arn}
    """
    billing = ORDERS.replace("Resources:\n", "").replace("Orders", "Billing")
    contents = read(orders(settings, QUEUE + billing))
    function = contents.functions["orders"]
    assert (function.timeout, function.memory, function.reserved_concurrency) == (900.0, 10_240, 0)
    assert function.code == str(project / "src")
    assert function.environment == {
        "TEXT": "a b",
        "WHOLE": "8080",
        "FRACTION": "1.10",
        "SWITCH": "true",
        "DAY": "2012-10-17",
        "EMPTY": "",
    }
    assert function.event_invoke_config == EventInvokeConfig(0, 60.0, function_arn("Billing"), queue_arn("dead"))
    assert function.dead_letter_queue == queue_arn("dead")
    assert contents.warnings == ()


def test_a_queue_knows_whose_dead_letters_it_holds() -> None:
    contents = read(orders("DeadLetterQueue: {Type: SQS, TargetArn: !GetAtt Dead.Arn}\n", QUEUE))
    assert contents.queues["dead"].arn == queue_arn("dead")
    assert contents.queues["dead"].dead_letters_of == ("Orders",)


def test_a_plain_lambda_function_is_read_with_its_own_words(project: Path) -> None:
    (project / "src").mkdir()
    (project / "src/app.py").touch()
    config = """\
  Config:
    Type: AWS::Lambda::EventInvokeConfig
    Properties:
      FunctionName: !Ref Orders
      Qualifier: $LATEST
      MaximumRetryAttempts: 1
      DestinationConfig:
        OnFailure:
          Destination: !GetAtt Dead.Arn
"""
    contents = read(plain("Code: src\nDeadLetterConfig: {TargetArn: !GetAtt Dead.Arn}\n", QUEUE + config))
    function = contents.functions["Orders"]
    assert function.code == str(project / "src")
    assert function.dead_letter_queue == queue_arn("dead")
    assert function.event_invoke_config == EventInvokeConfig(1, 21_600.0, None, queue_arn("dead"))
    assert contents.warnings == ()


def test_globals_hold_for_every_sam_function_until_it_says_otherwise() -> None:
    shared = """\
Globals:
  Function:
    Timeout: 20
    MemorySize: 256
    Environment: {Variables: {STAGE: test, LEVEL: info}}
"""
    function = read(shared + orders("Timeout: 5\nEnvironment: {Variables: {LEVEL: debug}}\n")).functions["Orders"]
    assert (function.timeout, function.memory) == (5.0, 256)
    assert function.environment == {"STAGE": "test", "LEVEL": "debug"}


def test_lists_of_globals_come_before_those_of_a_function_but_there_is_one_architecture(project: Path) -> None:
    for name in ("first", "second"):
        (project / name).mkdir()
    layers = "".join(
        f"  {name.title()}: {{Type: AWS::Serverless::LayerVersion, Properties: {{ContentUri: {name}}}}}\n"
        for name in ("first", "second")
    )
    shared = "Globals: {Function: {Layers: [!Ref First], Architectures: [x86_64], Timeout: !Ref AWS::NoValue}}\n"
    own = "Layers: [!Ref Second]\nArchitectures: [arm64]\nTimeout: 5\n"
    function = read(shared + orders(own, layers)).functions["Orders"]
    assert function.layers == (str(project / "first"), str(project / "second"))
    assert (function.architecture, function.timeout) == ("arm64", 5.0)


def test_an_intrinsic_in_globals_is_not_joined_with_what_a_function_says() -> None:
    shared = """\
Conditions: {Never: !Equals [1, 2]}
Globals:
  Function:
    Environment:
      Variables: !If [Never, {A1: a}, {A2: b}]
"""
    assert read(shared + orders()).functions["Orders"].environment == {"A2": "b"}
    own = orders("Environment: {Variables: {A3: c}}\n")
    assert read(shared + own).functions["Orders"].environment == {"A3": "c"}


def test_a_mistake_in_globals_is_told_once() -> None:
    two = ORDERS + ORDERS.replace("Resources:\n", "").replace("Orders", "Billing")
    assert error("Globals: {Function: {Timeout: 0}}\n" + two).count("\n") == 0


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("!Ref Stage", "test"),
        ("!Ref Port", "8080"),
        ("{Ref: Stage}", "test"),
        ("!Ref AWS::Region", "us-east-1"),
        ("!Ref AWS::AccountId", "000000000000"),
        ("!Ref Orders", "Orders"),
        ("!Ref Topic", "arn:aws:sns:us-east-1:000000000000:news"),
        ("!Ref Table", "Table"),
        ("!Ref Cache", "Cache"),
        ("!GetAtt Orders.Arn", function_arn("Orders")),
        ("{Fn::GetAtt: [Dead, Arn]}", queue_arn("dead")),
        ("!GetAtt Dead.QueueName", "dead"),
        ("!Ref Dead", "https://sqs.us-east-1.amazonaws.com/000000000000/dead"),
        ("!Sub '${Stage}-${Dead.Arn}-${AWS::Region}-${!kept}'", f"test-{queue_arn('dead')}-us-east-1-${{kept}}"),
        ("!Sub ['${What}-${Stage}', {What: !Ref Port}]", "8080-test"),
        ("!Join ['/', [a, !Ref Stage, 3]]", "a/test/3"),
    ],
)
def test_an_intrinsic_becomes_what_it_would_be_on_aws(written: str, text: str) -> None:
    parameters = "Parameters: {Stage: {Type: String, Default: test}, Port: {Type: Number, Default: 8080}}\n"
    others = """\
  Topic: {Type: AWS::SNS::Topic, Properties: {TopicName: news}}
  Table: {Type: AWS::DynamoDB::Table}
  Cache: {Type: AWS::ElastiCache::ReplicationGroup}
"""
    contents = read(parameters + orders(f"Environment: {{Variables: {{VALUE: {written}}}}}\n", QUEUE + others))
    assert contents.functions["Orders"].environment == {"VALUE": text}


def test_a_name_may_be_made_of_parameters() -> None:
    parameters = "Parameters: {Stage: {Type: String, Default: test}}\n"
    assert list(read(parameters + orders("FunctionName: !Sub '${Stage}-orders'\n")).functions) == ["test-orders"]


def test_no_value_is_as_if_the_key_were_not_there() -> None:
    contents = read(orders("Timeout: !Ref AWS::NoValue\n"))
    assert contents.functions["Orders"].timeout == 3.0
    assert contents.warnings == ()


def test_digits_in_quotes_are_a_number_as_on_aws() -> None:
    assert read(orders("Timeout: '30'\n")).functions["Orders"].timeout == 30.0


def test_an_alias_and_a_merge_key_are_followed() -> None:
    text = orders("Environment: &shared {Variables: {AB: 1}}\n")
    other = ORDERS.replace("Resources:\n", "").replace("Orders", "Billing") + "      Environment: {<<: *shared}\n"
    assert read(text + other).functions["Billing"].environment == {"AB": "1"}


def test_a_json_template_is_read_as_well() -> None:
    function = '{"Type": "AWS::Serverless::Function", "Properties": {"Handler": "app.f", "Runtime": "python3.12"}}'
    assert read(f'{{"Resources": {{"A": {function}}}}}').functions["A"].handler == "app.f"


def test_the_interpreter_of_a_function_is_a_path_from_the_template_and_stays_a_link(project: Path) -> None:
    (project / "real").touch()
    (project / "python").symlink_to("real")
    text = ORDERS.replace("    Properties:", "    Metadata: {lamtop: {Python: ./python}}\n    Properties:")
    assert read(text).functions["Orders"].python == str(project / "python")


def test_code_outside_the_project_is_allowed(project: Path) -> None:
    (project / "in").mkdir()
    (project / "in/template.yaml").write_text(orders("CodeUri: ..\n"))
    assert read_template(project / "in/template.yaml").functions["Orders"].code == str(project)


# what is refused: one message each, word for word


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("Timeout: 4000", "Timeout: '4000' is not allowed; use a whole number of seconds from 1 to 900"),
        ("Timeout: 2.5", "Timeout: '2.5' is not allowed; use a whole number of seconds from 1 to 900"),
        ("Timeout: true", "Timeout: 'true' is not allowed; use a whole number of seconds from 1 to 900"),
        ("Timeout:", "Timeout: an empty value is not allowed; use a whole number of seconds from 1 to 900"),
        ("Timeout: [3]", "Timeout: a list is not allowed; use a whole number of seconds from 1 to 900"),
        ("MemorySize: 64", "MemorySize: '64' is not allowed; use a whole number of MB from 128 to 10240"),
        (
            "ReservedConcurrentExecutions: -1",
            "ReservedConcurrentExecutions: '-1' is not allowed; use a whole number, 0 or more",
        ),
        (
            "FunctionName: my orders",
            "FunctionName: 'my orders' is not allowed; use 1 to 64 letters, digits, '-' and '_'",
        ),
        ("CodeUri: src", "CodeUri: 'src' does not exist; use a folder, as seen from the template"),
        ("CodeUri: app.py", "CodeUri: 'app.py' is a file; use a folder, as seen from the template"),
        (f"CodeUri: {'a' * 300}", f"CodeUri: '{'a' * 300}' does not exist; use a folder, as seen from the template"),
        ("Timeout: !Ref Nothing", "Timeout: there is no resource or parameter 'Nothing' in this template"),
        (
            "Timeout: !GetAtt Orders",
            "Timeout: Fn::GetAtt: 'Orders' is not allowed; use a resource and an attribute, such as Orders.Arn",
        ),
        (
            "CodeUri: !ImportValue a",
            "CodeUri: 'Fn::ImportValue' is not evaluated by lamtop; write the value itself",
        ),
        ("PackageType: Tar", "PackageType: 'Tar' is not allowed; use Zip or Image"),
        ("FunctionName: !Ref Orders", "FunctionName: the name of 'Orders' refers to itself"),
        ("Environment: 3", "Environment: '3' is not allowed; use a mapping of keys and values"),
        (
            "Environment: {Variables: {LIST: [1]}}",
            "Environment.Variables.LIST: a list is not allowed; use a text, a number, true or false",
        ),
        (
            "Environment: {Variables: {AWS_REGION: x}}",
            "Environment.Variables.AWS_REGION: is set by Lambda itself; use another name",
        ),
        (
            "Environment: {Variables: {MY-NAME: x}}",
            "Environment.Variables.MY-NAME: is not allowed as a name; "
            "use two or more letters, digits and '_', a letter first",
        ),
        (
            f"Environment: {{Variables: {{BIG: {'x' * 4096}}}}}",
            "Environment.Variables: more than 4 KB together, which AWS does not allow; make them smaller",
        ),
        (
            "EventInvokeConfig: {MaximumRetryAttempts: 3}",
            "EventInvokeConfig.MaximumRetryAttempts: '3' is not allowed; use a whole number from 0 to 2",
        ),
        (
            "EventInvokeConfig: {MaximumEventAgeInSeconds: 59}",
            "EventInvokeConfig.MaximumEventAgeInSeconds: '59' is not allowed; "
            "use a whole number of seconds from 60 to 21600",
        ),
        ("DeadLetterQueue: {TargetArn: !GetAtt Dead.Arn}", "DeadLetterQueue.Type: is missing; use SQS or SNS"),
        (
            "DeadLetterQueue: {Type: SQS}",
            "DeadLetterQueue.TargetArn: is missing; use an ARN, such as !GetAtt MyQueue.Arn",
        ),
        (
            "DeadLetterQueue: {Type: SES, TargetArn: !GetAtt Dead.Arn}",
            "DeadLetterQueue.Type: 'SES' is not allowed; use SQS or SNS",
        ),
        (
            "DeadLetterQueue: {Type: SNS, TargetArn: !GetAtt Dead.Arn}",
            "DeadLetterQueue.TargetArn: 'arn:aws:sqs:us-east-1:000000000000:dead' does not fit the Type 'SNS'; "
            "change one of them",
        ),
        (
            "DeadLetterQueue: {Type: SQS, TargetArn: !Ref Dead}",
            "DeadLetterQueue.TargetArn: 'https://sqs.us-east-1.amazonaws.com/000000000000/dead' is not allowed; "
            "use the ARN of a queue or a topic, such as !GetAtt MyQueue.Arn",
        ),
        (
            "DeadLetterQueue: {Type: SQS, TargetArn: 'arn:aws:sqs:us-east-1:000000000000:gone'}",
            "DeadLetterQueue.TargetArn: there is no queue 'gone' in this template; use one of 'dead'",
        ),
        (
            "EventInvokeConfig: {DestinationConfig: {OnSuccess: {Type: Lambda, Destination: !GetAtt Orders.Arn}}}",
            "EventInvokeConfig.DestinationConfig.OnSuccess.Destination: "
            "a function cannot be its own destination; use another target",
        ),
        (
            "EventInvokeConfig: {DestinationConfig: {OnSuccess: {Type: S3Bucket, Destination: 'arn:aws:s3:::b'}}}",
            "EventInvokeConfig.DestinationConfig.OnSuccess.Destination: 'arn:aws:s3:::b' is not allowed; "
            "use the ARN of a queue, a topic, a function or an event bus, such as !GetAtt MyQueue.Arn",
        ),
        (
            "EventInvokeConfig: {DestinationConfig: {OnFailure: "
            "{Type: Lambda, Destination: 'arn:aws:lambda:us-east-1:000000000000:function:gone'}}}",
            "EventInvokeConfig.DestinationConfig.OnFailure.Destination: "
            "there is no function 'gone' in this template; use one of 'Orders'",
        ),
        (
            "EventInvokeConfig: {DestinationConfig: {OnFailure: {Type: Lambda}}}",
            "EventInvokeConfig.DestinationConfig.OnFailure.Destination: is missing; "
            "use an ARN, such as !GetAtt MyQueue.Arn",
        ),
    ],
)
def test_a_wrong_value_is_refused_with_its_line_and_what_is_allowed(setting: str, message: str) -> None:
    assert error(orders(setting + "\n", QUEUE)) == f"template.yaml:7: Orders.{message}"


def test_a_queue_that_is_missing_from_a_template_without_queues_asks_for_one() -> None:
    text = orders("DeadLetterQueue: {Type: SQS, TargetArn: 'arn:aws:sqs:us-east-1:000000000000:gone'}\n")
    assert error(text) == (
        "template.yaml:7: Orders.DeadLetterQueue.TargetArn: there is no queue 'gone' in this template; "
        "there are none: add an AWS::SQS::Queue"
    )


def test_a_fifo_queue_cannot_hold_dead_letters() -> None:
    fifo = "  Dead: {Type: AWS::SQS::Queue, Properties: {QueueName: dead.fifo, FifoQueue: true}}\n"
    assert error(orders("DeadLetterQueue: {Type: SQS, TargetArn: !GetAtt Dead.Arn}\n", fifo)) == (
        "template.yaml:7: Orders.DeadLetterQueue.TargetArn: 'dead.fifo' is a FIFO queue, "
        "which Lambda cannot send to; use a standard queue"
    )


def test_a_handler_that_names_no_function_in_a_module_is_refused() -> None:
    assert error(ORDERS.replace("app.lambda_handler", "app")) == (
        "template.yaml:5: Orders.Handler: 'app' is not allowed; use module.function, such as app.lambda_handler"
    )


def test_a_handler_longer_than_aws_takes_is_refused() -> None:
    assert "use module.function" in error(ORDERS.replace("app.lambda_handler", f"app.{'x' * 125}"))
    assert read(ORDERS.replace("app.lambda_handler", f"app.{'x' * 124}")).functions


def test_a_missing_handler_is_told_where_the_function_begins() -> None:
    assert error(ORDERS.replace("      Handler: app.lambda_handler\n", "")) == (
        "template.yaml:2: Orders.Handler: is missing; use module.function, such as app.lambda_handler"
    )


def test_two_functions_of_one_name_are_refused() -> None:
    other = ORDERS.replace("Resources:\n", "").replace("Orders:", "Billing:") + "      FunctionName: Orders\n"
    assert error(ORDERS + other) == (
        "template.yaml:12: Billing.FunctionName: 'Orders' is given twice, first in line 2; "
        "use one function for each name"
    )


def test_two_queues_of_one_name_are_refused() -> None:
    assert error(orders("", QUEUE + QUEUE.replace("Dead", "More"))) == (
        "template.yaml:14: More.QueueName: 'dead' is given twice, first in line 10; use one queue for each name"
    )


def test_a_queue_name_has_the_letters_that_aws_allows() -> None:
    assert error(orders("", QUEUE.replace(": dead", ": de/ad"))) == (
        "template.yaml:10: Dead.QueueName: 'de/ad' is not allowed; use 1 to 80 letters, digits, '-' and '_'"
    )


CONFIG = """\
  Config:
    Type: AWS::Lambda::EventInvokeConfig
    Properties: {FunctionName: %s, Qualifier: %s, MaximumRetryAttempts: 0}
"""


def test_an_event_invoke_config_of_an_unknown_function_is_refused() -> None:
    assert error(orders("", CONFIG % ("gone", "$LATEST"))) == (
        "template.yaml:9: Config.FunctionName: there is no function 'gone' in this template; use one of 'Orders'"
    )


def test_a_function_has_one_event_invoke_config() -> None:
    text = orders("EventInvokeConfig: {MaximumRetryAttempts: 1}\n", CONFIG % ("!Ref Orders", "$LATEST"))
    assert error(text) == (
        "template.yaml:10: Config.FunctionName: 'Orders' has an EventInvokeConfig for $LATEST already, in line 7; "
        "keep one of them"
    )


def test_an_interpreter_that_does_not_exist_is_refused() -> None:
    text = ORDERS.replace("    Properties:", "    Metadata: {lamtop: {Python: .venv/bin/python}}\n    Properties:")
    assert error(text) == (
        "template.yaml:4: Orders.Metadata.lamtop.Python: '.venv/bin/python' does not exist; "
        "use the path of a Python interpreter"
    )


def test_all_mistakes_are_told_together_in_the_order_of_their_lines() -> None:
    assert error(orders("MemorySize: 1\nTimeout: 0\nTimeout: 3\n")) == (
        "template.yaml:7: Orders.MemorySize: '1' is not allowed; use a whole number of MB from 128 to 10240\n"
        "template.yaml:8: Orders.Timeout: '0' is not allowed; use a whole number of seconds from 1 to 900\n"
        "template.yaml:9: 'Timeout' is given twice, first in line 8; keep one of them"
    )


def test_a_resource_without_a_type_is_refused() -> None:
    assert error(orders("", "  Thing: {}\n")) == (
        "template.yaml:7: Thing: a resource needs a Type, such as AWS::Serverless::Function"
    )


@pytest.mark.parametrize("section", ["Resources", "Parameters", "Globals"])
def test_a_section_that_is_no_mapping_is_refused(section: str) -> None:
    text = f"{section}: 3\n" + (ORDERS if section != "Resources" else "")
    assert error(text) == f"template.yaml:1: {section}: '3' is not allowed; use a mapping of keys and values"


def test_globals_for_functions_are_a_mapping() -> None:
    assert error("Globals: {Function: [a]}\n" + ORDERS) == (
        "template.yaml:1: Globals.Function: a list is not allowed; use a mapping of keys and values"
    )


def test_a_template_without_functions_says_what_to_add_and_what_was_left_out() -> None:
    assert error("Resources:\n  Alerts:\n    Type: AWS::SNS::Topic\n") == (
        "template.yaml: there is no function that lamtop can run; add an AWS::Serverless::Function under Resources\n"
        "template.yaml:2: AWS::SNS::Topic 'Alerts' is not run by lamtop; it is ignored"
    )


@pytest.mark.parametrize("text", ["", "hello", "- a"])
def test_a_file_that_is_no_mapping_is_no_template(text: str) -> None:
    assert error(text) == "template.yaml:1: this is no template; it needs a mapping with 'Resources' in it"


# YAML itself


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: [1\n", "template.yaml:3:1: this is no valid YAML: "),
        ("a:\n\tb: 1\n", "template.yaml:2:1: this is no valid YAML: "),
        ("a: *b\n", "template.yaml:1:4: this is no valid YAML: found undefined alias 'b'"),
        ("a: 1\n---\nb: 1\n", "template.yaml:2:1: this is no valid YAML: "),
        ("a: 1\nb: \x1b[31m\n", "template.yaml:2:4: '\\x1b' is not allowed in YAML; remove it"),
        ("[" * 1000, "template.yaml: the YAML is nested too deeply"),
        ("a: &a [*a]\n", "template.yaml: the YAML is nested too deeply"),
        ("#" * (1024 * 1024 + 1), "template.yaml: is larger than 1 MB, the most that CloudFormation takes"),
    ],
)
def test_broken_yaml_is_told_with_line_and_column(text: str, message: str) -> None:
    assert error(text).startswith(message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\na: 2\n", "template.yaml:2: 'a' is given twice, first in line 1; keep one of them"),
        (
            "a: !!python/object:os.system {}\n",
            "template.yaml:1: the tag '!!python/object:os.system' is not allowed; write a plain value",
        ),
        ("? [a]\n: 1\n", "template.yaml:1: a list or a mapping is not allowed as a key; use a name"),
        ("a: {<<: 3}\n", "template.yaml:1: <<: '3' is not allowed; use an alias of a mapping"),
    ],
)
def test_yaml_that_a_template_cannot_use_is_refused(text: str, message: str) -> None:
    assert error(text) == message


def test_text_that_is_not_utf_8_is_told_with_its_line(project: Path) -> None:
    (project / "template.yaml").write_bytes(b"a: 1\nb: \xff\n")
    with pytest.raises(ConfigurationError, match=r"^template.yaml:2: is not UTF-8 text; save it as UTF-8$"):
        read_template(project / "template.yaml")


def test_a_template_that_cannot_be_read_says_why(project: Path) -> None:
    (project / "template.yaml").mkdir()
    with pytest.raises(ConfigurationError, match=r"^template.yaml: cannot be read: Is a directory$"):
        read_template(project / "template.yaml")


def test_aliases_cannot_multiply() -> None:
    levels = [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 40)]
    assert read("\n".join(["a0: &a0 [x, x]", *levels, ""]) + ORDERS).functions


def test_no_name_in_a_file_can_steer_the_terminal() -> None:
    message = error(orders("", '  "\\e[31mThing": {}\n'))
    assert message.isprintable()
    assert "\\x1b[31mThing" in message


# what is left out: a warning each


@pytest.mark.parametrize(
    ("setting", "warning"),
    [
        ("FileSystemConfigs: [x]", "Orders.FileSystemConfigs is not used by lamtop; it is ignored"),
        ("Timout: 3", "Orders.Timout is not used by lamtop (did you mean 'Timeout'?); it is ignored"),
        (
            "EventInvokeConfig: {MaximumRetries: 1}",
            "Orders.EventInvokeConfig.MaximumRetries is not used by lamtop; it is ignored",
        ),
        (
            "Environment: {Variables: {KEY: !ImportValue x}}",
            "Orders.Environment.Variables.KEY: 'Fn::ImportValue' is not evaluated by lamtop; it is left out",
        ),
        (
            "Environment: {Variables: {KEY: !GetAtt Dead.Tags}}",
            "Orders.Environment.Variables.KEY: 'Dead.Tags' is known on AWS only; it is left out",
        ),
        (
            "Timeout: !Ref Secret",
            "Orders.Timeout: parameter 'Secret' has no Default; "
            "give it with --parameter-overrides Secret=…; it is left out",
        ),
        ("Timeout: !Ref Stored", "Orders.Timeout: parameter 'Stored' is stored on AWS; it is left out"),
        ("Timeout: !Ref AWS::StackId", "Orders.Timeout: 'AWS::StackId' is known on AWS only; it is left out"),
        (
            "DeadLetterQueue: {Type: SNS, TargetArn: 'arn:aws:sns:us-east-1:000000000000:news'}",
            "Orders.DeadLetterQueue.TargetArn: lamtop does not deliver to SNS topics yet; it keeps what is sent there",
        ),
        (
            "EventInvokeConfig: {DestinationConfig: {OnFailure: {Type: S3Bucket, Destination: 'arn:aws:s3:::b'}}}",
            "Orders.EventInvokeConfig.DestinationConfig.OnFailure.Destination: "
            "lamtop does not deliver to S3 buckets yet; it keeps what is sent there",
        ),
        (
            "EventInvokeConfig: {DestinationConfig: {OnFailure: {Type: SQS}}}",
            "Orders.EventInvokeConfig.DestinationConfig.OnFailure: SAM would create its own target, "
            "lamtop does not; add a Destination: an ARN, such as !GetAtt MyQueue.Arn",
        ),
    ],
)
def test_what_lamtop_does_not_do_is_a_warning(setting: str, warning: str) -> None:
    stored = "AWS::SSM::Parameter::Value<String>"
    parameters = f"Parameters: {{Secret: {{Type: String}}, Stored: {{Type: {stored}, Default: /a}}}}\n"
    assert read(parameters + orders(setting + "\n", QUEUE)).warnings == (f"template.yaml:8: {warning}",)


def test_the_arn_of_a_target_that_is_not_delivered_to_yet_is_kept() -> None:
    topic = "arn:aws:sns:us-east-1:000000000000:news"
    contents = read(orders(f"DeadLetterQueue: {{Type: SNS, TargetArn: '{topic}'}}\n"))
    assert contents.functions["Orders"].dead_letter_queue == topic


def test_a_key_that_many_functions_set_is_one_warning() -> None:
    two = orders("FileSystemConfigs: []\n", ORDERS.replace("Resources:\n", "").replace("Orders", "Billing"))
    assert read(two + "      FileSystemConfigs: []\n").warnings == (
        "template.yaml:7: Orders.FileSystemConfigs is not used by lamtop; it is ignored, here and in 1 more place",
    )


@pytest.mark.parametrize(
    ("rest", "warning"),
    [
        ("  Alerts: {Type: AWS::SNS::Topic}\n", "7: AWS::SNS::Topic 'Alerts' is not run by lamtop; it is ignored"),
        (
            "  Dead: {Type: AWS::SQS::Queue, Properties: {DelaySeconds: 1}}\n",
            "7: Dead.DelaySeconds is not used by lamtop; it is ignored",
        ),
        (
            "  Dead: {Type: AWS::SQS::Queue, Connectors: {}}\n",
            "7: Dead.Connectors is not used by lamtop; it is ignored",
        ),
        (
            "  Dead: {Type: AWS::SQS::Queue, Properties: {QueueName: d.fifo, FifoQueue: true}}\n",
            "7: FIFO queue 'Dead' is not run by lamtop; it is ignored",
        ),
        ("Resorces: {}\n", "7: 'Resorces' is no section of a template; it is ignored"),
        ("Globals: {Api: {}}\n", "7: Globals.Api is not used by lamtop; it is ignored"),
    ],
)
def test_a_resource_or_section_that_is_left_out_is_a_warning(rest: str, warning: str) -> None:
    assert read(orders("", rest)).warnings == (f"template.yaml:{warning}",)


@pytest.mark.parametrize(
    ("setting", "warning"),
    [
        ("CodeUri: s3://bucket/key", "CodeUri: lamtop runs code in a folder only; the function is ignored"),
        ("CodeUri: {Bucket: a, Key: b}", "CodeUri: lamtop runs code in a folder only; the function is ignored"),
        ("InlineCode: pass", "InlineCode: lamtop runs code in a folder only; the function is ignored"),
        ("PackageType: Image", "PackageType: lamtop runs code in a folder only; the function is ignored"),
    ],
)
def test_a_function_whose_code_is_elsewhere_is_ignored_with_a_warning(setting: str, warning: str) -> None:
    other = ORDERS.replace("Resources:\n", "").replace("Orders", "Billing")
    contents = read(orders(setting + "\n", other))
    assert list(contents.functions) == ["Billing"]
    assert contents.warnings == (f"template.yaml:7: Orders.{warning}",)


def test_another_language_is_kept_with_a_warning() -> None:
    contents = read(ORDERS.replace("python3.13", "nodejs22.x").replace("app.lambda_handler", "bootstrap"))
    assert contents.functions["Orders"].runtime == "nodejs22.x"
    assert contents.warnings == (
        "template.yaml:6: Orders.Runtime: 'nodejs22.x' is not run by lamtop yet: it runs Python only",
    )


def test_a_missing_runtime_is_a_warning() -> None:
    contents = read(ORDERS.replace("      Runtime: python3.13\n", ""))
    assert contents.functions["Orders"].runtime == "python3.13"
    assert contents.warnings == (
        "template.yaml:2: Orders.Runtime: is missing, and AWS needs it; lamtop takes python3.13",
    )


def test_a_missing_handler_file_is_a_warning_because_it_may_come_back(project: Path) -> None:
    (project / "app.py").unlink()
    assert read(ORDERS).warnings == (
        "template.yaml:5: Orders.Handler: app.py does not exist; the function fails until it does",
    )


def test_a_handler_in_a_package_is_found(project: Path) -> None:
    (project / "shop/orders").mkdir(parents=True)
    (project / "shop/orders/__init__.py").touch()
    (project / "shop/billing.py").touch()
    assert read(ORDERS.replace("app.", "shop.orders.")).warnings == ()
    assert read(ORDERS.replace("app.", "shop/billing.")).warnings == ()
