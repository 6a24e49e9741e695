"""Press a a few times: the seed decides whether an event succeeds at once, after retries, or never.
Watch some rows leave Retries for success and others for the dead-letter queue; SEED is in template.yaml."""

import os
import random
import tempfile
from pathlib import Path


def lambda_handler(event, context):
    failures = random.Random(f"{os.environ.get('SEED')}:{context.aws_request_id}").randrange(4)
    attempt = count_attempt(context.aws_request_id)
    print(f"attempt {attempt}: this event fails {failures} times")
    if attempt <= failures:
        raise ConnectionError(f"attempt {attempt} of a request that fails {failures} times")
    return {"succeeded_at_attempt": attempt}


# Lambda never tells a handler which attempt this is, so a file in /tmp counts. On AWS each execution environment
# has a /tmp of its own: a retry that lands in another one starts at 1 again, and such an event may fail more often.
def count_attempt(request_id):
    file = Path(tempfile.gettempdir(), f"flaky-{request_id}")
    with file.open("a") as marks:
        marks.write("x")
    return file.stat().st_size
