"""Press a: it charges a card and fails as charges-again does, but the second attempt knows what the first has done.
Watch the retry say "charged already" and succeed: the request id is the same at every attempt, so it is the key."""

import os
from pathlib import Path

LEDGERS = Path(os.environ.get("LEDGERS", "/tmp"))
LEDGER = LEDGERS / "lamtop-charges-once.txt"  # what the card's bank sees: open it
CLAIMS = LEDGERS / "lamtop-charges-once"


# On AWS each environment has a /tmp of its own, so claim in a table all of them see: a DynamoDB put on condition
# attribute_not_exists(id). A caller who sends an order twice makes two request ids: then the order is the key.
def lambda_handler(event, context):
    order = event.get("order", 17) if isinstance(event, dict) else 17
    CLAIMS.mkdir(exist_ok=True)
    try:
        (CLAIMS / context.aws_request_id).open("x").close()  # succeeds once, however many try
    except FileExistsError:
        print(f"charged already: order {order}, nothing to do")
        return {"order": order, "paid": True}
    with LEDGER.open("a") as ledger:
        ledger.write(f"order {order} paid, request {context.aws_request_id}\n")
    print(f"charged: order {order}, see {LEDGER}")
    raise ConnectionError(f"order {order}: the shop did not hear that it was paid")
