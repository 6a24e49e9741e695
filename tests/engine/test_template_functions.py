"""Conditions, mappings and intrinsic functions give what they would give on AWS."""

from pathlib import Path

import pytest

from lamtop.engine.project.errors import ConfigurationError
from lamtop.engine.project.template import Contents, read_template

HEAD = """\
Parameters:
  Stage: {Type: String, Default: test, AllowedValues: [test, prod]}
  Zones: {Type: CommaDelimitedList, Default: 'a, b,c'}
  Secret: {Type: String}
Mappings:
  Sizes:
    test: {Memory: 256, Names: [one, two]}
    prod: {Memory: 1024, Names: [three]}
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
  IsTest: !Not [!Condition IsProd]
  Both: !And [!Condition IsTest, !Equals [1, '1']]
  Either: !Or [!Condition IsProd, !Condition Both]
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.lambda_handler
      Runtime: python3.13
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.py").touch()
    return tmp_path


def read(text: str, **parameters: str) -> Contents:
    Path("template.yaml").write_text(text, encoding="utf-8")
    return read_template(Path("template.yaml"), parameters)


def value(written: str, **parameters: str) -> str | None:
    """What `written` gives as a variable of a function."""
    text = f"{HEAD}      Environment: {{Variables: {{VALUE: {written}}}}}\n"
    return read(text, **parameters).functions["Orders"].environment.get("VALUE")


def error(text: str, **parameters: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        read(text, **parameters)
    return str(caught.value).removeprefix("template.yaml:")


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("!If [IsProd, a, b]", "b"),
        ("!If [IsTest, !Sub '${Stage}!', no]", "test!"),
        ("!If [Both, !If [Either, inner, b], c]", "inner"),
        ("!If [IsProd, !Ref Nothing, kept]", "kept"),
        ("!FindInMap [Sizes, !Ref Stage, Memory]", "256"),
        ("!Select [1, [a, b]]", "b"),
        ("!Select ['0', !Split [':', 'x:y']]", "x"),
        ("!Select [2, !Ref Zones]", "c"),
        ("!Select [1, !FindInMap [Sizes, test, Names]]", "two"),
        ("!Join ['+', !Ref Zones]", "a+b+c"),
        ("!Join ['-', !Split ['.', 'a.b.c']]", "a-b-c"),
        ("!Sub ['${Size}', {Size: !FindInMap [Sizes, prod, Memory]}]", "1024"),
    ],
)
def test_a_function_of_the_template_gives_what_it_gives_on_aws(written: str, text: str) -> None:
    assert value(written) == text


def test_a_branch_without_a_value_is_as_if_the_key_were_not_there() -> None:
    contents = read(HEAD + "      Timeout: !If [IsProd, 30, !Ref AWS::NoValue]\n")
    assert contents.functions["Orders"].timeout == 3.0
    assert contents.warnings == ()


def test_a_whole_block_may_depend_on_a_condition() -> None:
    text = HEAD + "      Environment: !If [IsTest, {Variables: {AB: 1}}, !Ref AWS::NoValue]\n"
    assert read(text).functions["Orders"].environment == {"AB": "1"}


def test_a_resource_whose_condition_is_false_is_not_there() -> None:
    queues = "".join(
        f"  {name}: {{Type: AWS::SQS::Queue, Condition: {name}}}\n" for name in ("IsProd", "IsTest", "Both", "Either")
    )
    assert sorted(read(HEAD + queues).queues) == ["Both", "Either", "IsTest"]
    assert sorted(read(HEAD + queues, Stage="prod").queues) == ["Either", "IsProd"]
    assert read(HEAD + queues).warnings == ()


def test_a_parameter_may_be_given_from_outside() -> None:
    assert value("!Ref Stage", Stage="prod") == "prod"
    assert value("!Join ['', !Ref Zones]", Zones="x,y") == "xy"


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (
            "      Timeout: !If [Never, 1, 2]\n",
            "20: Orders.Timeout: there is no condition 'Never' in this template",
        ),
        ("      Timeout: !If [IsProd, 1]\n", "20: Orders.Timeout: Fn::If: use the name of a condition and two values"),
        (
            "      CodeUri: !FindInMap [Sizes, dev, Memory]\n",
            "20: Orders.CodeUri: Fn::FindInMap: there is no 'Sizes.dev.Memory' in the Mappings of this template",
        ),
        (
            "      CodeUri: !FindInMap [Sizes, dev]\n",
            "20: Orders.CodeUri: Fn::FindInMap: use the name of a mapping and two keys",
        ),
        (
            "      CodeUri: !Select [3, [a]]\n",
            "20: Orders.CodeUri: Fn::Select: there is no item 3 in a list of 1; the first one is 0",
        ),
        ("      CodeUri: !Select 3\n", "20: Orders.CodeUri: Fn::Select: use a number and a list"),
        ("      CodeUri: !Split [a]\n", "20: Orders.CodeUri: Fn::Split: use a separator and a text"),
        ("      CodeUri: !Join [a, b]\n", "20: Orders.CodeUri: Fn::Join: 'b' is not allowed; use a list"),
        (
            "      CodeUri: !GetAtt Gone.Arn\n  Gone: {Type: AWS::SQS::Queue, Condition: IsProd}\n",
            "20: Orders.CodeUri: 'Gone' is not there, because its Condition 'IsProd' is false",
        ),
        (
            "  Queue: {Type: AWS::SQS::Queue, Condition: Never}\n",
            "20: Queue.Condition: there is no condition 'Never' in this template",
        ),
    ],
)
def test_a_wrong_use_is_refused_with_its_line(more: str, message: str) -> None:
    assert error(HEAD + more) == message


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("A: !Condition B, B: !Condition A", "Conditions.B: condition 'A' refers to itself"),
        ("A: !Condition C", "Conditions.A: there is no condition 'C' in this template"),
        (
            "A: !Equals [1]",
            "Conditions.A: a mapping is no condition; use Fn::Equals with two values, Fn::Not with one condition, "
            "Fn::And or Fn::Or with 2 to 10, or Condition with a name",
        ),
        ("A: !Equals [!Ref Queue, a]", "Conditions.A: there is no resource or parameter 'Queue' in this template"),
    ],
)
def test_a_wrong_condition_is_refused_even_if_nobody_uses_it(condition: str, message: str) -> None:
    resources = "Resources: {Queue: {Type: AWS::SQS::Queue}}\n"
    assert error(f"Conditions: {{{condition}}}\n{resources}").splitlines()[0] == f"1: {message}"


def test_a_condition_over_what_nobody_knows_here_is_false_and_told_once() -> None:
    text = HEAD.replace("!Equals [!Ref Stage, prod]", "!Equals [!Ref Secret, '']")
    contents = read(text + "      Timeout: !If [IsProd, 30, 20]\n")
    assert contents.functions["Orders"].timeout == 20
    assert contents.warnings == (
        "template.yaml:10: Conditions.IsProd: parameter 'Secret' has no Default; "
        "give it with --parameter-overrides Secret=…; the condition is taken as false",
    )


def test_a_value_given_for_a_parameter_must_be_an_allowed_one_of_an_existing_one() -> None:
    assert error(HEAD, Stage="dev") == "2: Parameters.Stage: 'dev' is not allowed; use one of 'test', 'prod'"
    assert error(HEAD, Stge="test") == (
        "1: --parameter-overrides: there is no parameter 'Stge' in this template; there are: 'Stage', 'Zones', 'Secret'"
    )
