"""Press i: A asks B and waits 2 seconds for its answer; both are billed for the same 2 seconds.
Watch both In-flight at the same time, A with nothing to do. Waiting costs as much as working: pass on an event."""

import os
import time

from invoke import invoke


def lambda_handler(event, context):
    started = time.perf_counter()
    answer = invoke(os.environ.get("ASKS", "chain-b"), event)
    waited = time.perf_counter() - started
    print(f"B took {answer['worked_for']} s, and A waited {waited:.3f} s for it")
    return {"waited": waited, "answer": answer}
