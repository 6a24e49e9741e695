"""Press i on batch, which queues 1,000 events for this one; press i here meanwhile: 429, no place is free.
Watch Concurrency: 10 are reserved in template.yaml. They are always there for it, and it never gets more."""

import time


def lambda_handler(event, context):
    asked = event if isinstance(event, dict) else {}
    item, seconds = asked.get("item", 0), asked.get("seconds", 0.05)
    time.sleep(seconds)
    print(f"item {item} is done")
    return {"item": item}
