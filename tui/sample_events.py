"""Short examples of the events that AWS services send (Lambda developer guide, "Integrating other services")."""

import json
from typing import Any

_REGION, _ACCOUNT = "us-east-1", "000000000000"

_S3 = {
    "eventVersion": "2.1",
    "eventSource": "aws:s3",
    "awsRegion": _REGION,
    "eventTime": "2026-03-01T08:30:00.000Z",
    "eventName": "ObjectCreated:Put",
    "userIdentity": {"principalId": "AWS:AIDAEXAMPLE"},
    "requestParameters": {"sourceIPAddress": "192.0.2.10"},
    "responseElements": {"x-amz-request-id": "0A1B2C3D4E5F6789", "x-amz-id-2": "EXAMPLE"},
    "s3": {
        "s3SchemaVersion": "1.0",
        "configurationId": "uploads",
        "bucket": {
            "name": "my-bucket",
            "ownerIdentity": {"principalId": "A1EXAMPLE"},
            "arn": "arn:aws:s3:::my-bucket",
        },
        "object": {
            "key": "folder/my+picture.jpg",
            "size": 1024,
            "eTag": "d41d8cd98f00b204e9800998ecf8427e",
            "sequencer": "0055AED6DCD90281E5",
        },
    },
}
_SQS = {
    "messageId": "11111111-2222-4333-8444-555555555555",
    "receiptHandle": "EXAMPLE",
    "body": '{"order": 7}',
    "attributes": {
        "ApproximateReceiveCount": "1",
        "SentTimestamp": "1772353800000",
        "SenderId": "AIDAEXAMPLE",
        "ApproximateFirstReceiveTimestamp": "1772353800005",
    },
    "messageAttributes": {},
    "md5OfBody": "7fa20081ee1217af020c02f44b6a3f91",
    "eventSource": "aws:sqs",
    "eventSourceARN": f"arn:aws:sqs:{_REGION}:{_ACCOUNT}:my-queue",
    "awsRegion": _REGION,
}
_SECOND = {
    "messageId": "11111111-2222-4333-8444-666666666666",
    "body": '{"order": 8}',
    "md5OfBody": "9d1ac9ce665960741ea1184564567483",
}
_TOPIC = f"arn:aws:sns:{_REGION}:{_ACCOUNT}:my-topic"
_SNS = {
    "EventVersion": "1.0",
    "EventSubscriptionArn": f"{_TOPIC}:11111111-2222-4333-8444-555555555555",
    "EventSource": "aws:sns",
    "Sns": {
        "Type": "Notification",
        "MessageId": "11111111-2222-4333-8444-555555555555",
        "TopicArn": _TOPIC,
        "Subject": "an order",
        "Message": '{"order": 7}',
        "Timestamp": "2026-03-01T08:30:00.000Z",
        "SignatureVersion": "1",
        "Signature": "EXAMPLE",
        "SigningCertUrl": "https://sns.us-east-1.amazonaws.com/example.pem",
        "UnsubscribeUrl": "https://sns.us-east-1.amazonaws.com/?Action=Unsubscribe",
        "MessageAttributes": {"kind": {"Type": "String", "Value": "order"}},
    },
}
_EVENTBRIDGE = {
    "version": "0",
    "id": "11111111-2222-4333-8444-555555555555",
    "detail-type": "Order placed",
    "source": "my.shop",
    "account": _ACCOUNT,
    "time": "2026-03-01T08:30:00Z",
    "region": _REGION,
    "resources": [],
    "detail": {"order": 7},
}
_SCHEDULE = _EVENTBRIDGE | {
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "resources": [f"arn:aws:events:{_REGION}:{_ACCOUNT}:rule/every-morning"],
    "detail": {},
}
_REST = {
    "resource": "/orders/{id}",
    "path": "/orders/7",
    "httpMethod": "POST",
    "headers": {"Content-Type": "application/json", "Host": "api.example.com"},
    "multiValueHeaders": {"Content-Type": ["application/json"], "Host": ["api.example.com"]},
    "queryStringParameters": {"page": "2"},
    "multiValueQueryStringParameters": {"page": ["2"]},
    "pathParameters": {"id": "7"},
    "stageVariables": None,
    "requestContext": {
        "accountId": _ACCOUNT,
        "apiId": "abcdefghij",
        "httpMethod": "POST",
        "identity": {"sourceIp": "192.0.2.10", "userAgent": "curl/8.5.0"},
        "path": "/Prod/orders/7",
        "requestId": "11111111-2222-4333-8444-555555555555",
        "resourcePath": "/orders/{id}",
        "stage": "Prod",
    },
    "body": '{"item": "umbrella"}',
    "isBase64Encoded": False,
}
_HTTP = {
    "version": "2.0",
    "routeKey": "POST /orders/{id}",
    "rawPath": "/orders/7",
    "rawQueryString": "page=2",
    "cookies": ["session=abc"],
    "headers": {"content-type": "application/json", "host": "api.example.com"},
    "queryStringParameters": {"page": "2"},
    "pathParameters": {"id": "7"},
    "requestContext": {
        "accountId": _ACCOUNT,
        "apiId": "abcdefghij",
        "domainName": "api.example.com",
        "domainPrefix": "api",
        "http": {
            "method": "POST",
            "path": "/orders/7",
            "protocol": "HTTP/1.1",
            "sourceIp": "192.0.2.10",
            "userAgent": "curl/8.5.0",
        },
        "requestId": "11111111-2222-4333-8444-555555555555",
        "routeKey": "POST /orders/{id}",
        "stage": "$default",
        "time": "01/Mar/2026:08:30:00 +0000",
        "timeEpoch": 1772353800000,
    },
    "body": '{"item": "umbrella"}',
    "isBase64Encoded": False,
}

_SAMPLES: dict[str, Any] = {
    "S3: an object was put": {"Records": [_S3]},
    "SQS: a batch of two messages": {"Records": [_SQS, _SQS | _SECOND]},
    "SNS: a notification": {"Records": [_SNS]},
    "EventBridge: an event of your own": _EVENTBRIDGE,
    "API Gateway: REST API (payload 1.0)": _REST,
    "API Gateway: HTTP API (payload 2.0)": _HTTP,
    "Schedule: a rule fired": _SCHEDULE,
    "empty": {},
}
SAMPLES = {name: json.dumps(event, indent=2) for name, event in _SAMPLES.items()}
"""Name -> JSON text."""
