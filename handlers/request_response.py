"""Press i: the caller waits 3 seconds, then has the answer in its hands.
Watch In-flight count the time and Logs fill line by line; nothing enters the queue, nothing is retried."""

import json
import time

STEPS = 3


def lambda_handler(event, context):
    seconds = event.get("seconds", 3) if isinstance(event, dict) else 3
    for step in range(1, STEPS + 1):
        time.sleep(seconds / STEPS)
        print(f"step {step} of {STEPS}")
    return {"statusCode": 200, "body": json.dumps({"worked_for": seconds, "request_id": context.aws_request_id})}
