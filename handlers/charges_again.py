"""Press a: it charges a card, then fails, and Lambda tries again: after three attempts the customer has paid 3 times.
Watch Logs say "charged again", and Retries: nothing is wrong with Lambda. Compare with charges-once."""

import os
from pathlib import Path

LEDGER = Path(os.environ.get("LEDGERS", "/tmp"), "lamtop-charges-again.txt")  # what the card's bank sees: open it


def lambda_handler(event, context):
    order = event.get("order", 17) if isinstance(event, dict) else 17
    charge(order, context.aws_request_id)
    raise ConnectionError(f"order {order}: the shop did not hear that it was paid")


def charge(order, request_id):
    with LEDGER.open("a") as ledger:
        ledger.write(f"order {order} paid, request {request_id}\n")
    times = LEDGER.read_text().count(request_id)
    print(f"charged again: order {order}, {times} times now" if times > 1 else f"charged: order {order}, see {LEDGER}")
