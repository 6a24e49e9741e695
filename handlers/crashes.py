"""Press i or a: the process dies in the middle of the work, without an exception that could be caught.
Watch for Runtime.ExitError instead of a stack trace, and for the next invocation starting cold."""

import os


def lambda_handler(event, context):
    status = event.get("status", 1) if isinstance(event, dict) else 1
    print("about to leave without a word", flush=True)  # os._exit drops what is still in the buffer
    os._exit(status)
