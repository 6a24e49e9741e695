"""Press i on chain-a, which asks this one and waits. Press i here: the same 2 seconds, paid once.
Watch Logs: the trace id that A was invoked with comes along, which is how anybody knows who called whom."""

import os
import time


def lambda_handler(event, context):
    seconds = event.get("seconds", 2) if isinstance(event, dict) else 2
    print(f"trace {os.environ.get('_X_AMZN_TRACE_ID', 'unknown')}")
    time.sleep(seconds)
    return {"worked_for": seconds}
