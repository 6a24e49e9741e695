"""Press i or a: it works for 10 seconds, but template.yaml sets no Timeout, and AWS's default is 3 seconds.
Watch Logs stop in the middle of the work: the process is ended, and nothing after that line runs."""

import time

STEPS = 10


def lambda_handler(event, context):
    seconds = event.get("seconds", 10) if isinstance(event, dict) else 10
    for step in range(1, STEPS + 1):
        time.sleep(seconds / STEPS)
        print(f"step {step} of {STEPS}, {context.get_remaining_time_in_millis()} ms left")
    return "done in time"
