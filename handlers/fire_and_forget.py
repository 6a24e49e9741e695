"""Press a: the caller has its 202 at once, and the work of 5 seconds goes on without it.
Watch the event leave Queue for In-flight; what it returns goes to the queue lamtop-results, not to the caller."""

import time

STEPS = 5


def lambda_handler(event, context):
    seconds = event.get("seconds", 5) if isinstance(event, dict) else 5
    print(f"nobody waits for {context.aws_request_id}")
    for step in range(1, STEPS + 1):
        time.sleep(seconds / STEPS)
        print(f"step {step} of {STEPS}")
    return {"worked_for": seconds}
