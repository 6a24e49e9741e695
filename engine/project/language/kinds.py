"""The resource types whose names and ARNs a template may refer to, as if the stack were deployed here."""

from dataclasses import dataclass

from ...core.arn import ACCOUNT, REGION
from .yaml_source import Value

SAM = "AWS::Serverless::Function"
FUNCTIONS = (SAM, "AWS::Lambda::Function")
LAYERS = ("AWS::Serverless::LayerVersion", "AWS::Lambda::LayerVersion")
STACK = "lamtop"
#: Pseudo parameters that have a value here.
PSEUDO = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::StackName": STACK,
    "AWS::URLSuffix": "amazonaws.com",
}


@dataclass(frozen=True, slots=True)
class Kind:
    """A resource type: the property that names it, and what Ref and the ARN look like once it has a name."""

    name: str
    arn: str
    ref: str = "{name}"

    def written(self, form: str, name: str) -> str:
        """One of the forms "name", "arn" and "ref" of the resource called `name`."""
        return {"name": "{name}", "arn": self.arn, "ref": self.ref}[form].replace("{name}", name)


def _regional(service: str, resource: str = "{name}") -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


_LAYER = _regional("lambda", "layer:{name}:1")

KINDS = {
    **dict.fromkeys(FUNCTIONS, Kind("FunctionName", _regional("lambda", "function:{name}"))),
    **dict.fromkeys(LAYERS, Kind("LayerName", _LAYER, _LAYER)),
    "AWS::SQS::Queue": Kind("QueueName", _regional("sqs"), f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{{name}}"),
    "AWS::SNS::Topic": Kind("TopicName", _regional("sns"), _regional("sns")),
    "AWS::Events::EventBus": Kind("Name", _regional("events", "event-bus/{name}")),
    "AWS::S3::Bucket": Kind("BucketName", "arn:aws:s3:::{name}"),
    "AWS::DynamoDB::Table": Kind("TableName", _regional("dynamodb", "table/{name}")),
    "AWS::Serverless::SimpleTable": Kind("TableName", _regional("dynamodb", "table/{name}")),
    "AWS::Logs::LogGroup": Kind("LogGroupName", _regional("logs", "log-group:{name}:*")),
}
#: Attributes of Fn::GetAtt -> the form of the resource that they give.
ATTRIBUTES = {
    "Arn": "arn",
    "TopicArn": "arn",
    "LayerVersionArn": "arn",
    "QueueUrl": "ref",
    "QueueName": "name",
    "TopicName": "name",
}


def resource_type(resource: Value) -> str:
    """The Type of a resource or parameter, or an empty text."""
    kind = member(resource, "Type")
    return kind.data if kind and isinstance(kind.data, str) else ""


def member(value: Value | None, key: str) -> Value | None:
    """The value under `key`, if `value` is a mapping that has it."""
    return value.data.get(key) if value and isinstance(value.data, dict) else None


def is_intrinsic(value: Value) -> bool:
    """Whether a value is a function call: a mapping of one key, which is Ref or begins with "Fn::"."""
    if not isinstance(value.data, dict) or len(value.data) != 1:
        return False
    (key,) = value.data
    return key == "Ref" or key.startswith("Fn::")


def written(data: object) -> str:
    """A scalar as CloudFormation writes it into a text."""
    return str(data).lower() if isinstance(data, bool) else "" if data is None else str(data)
