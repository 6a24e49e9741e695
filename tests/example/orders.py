"""A shop: `orders` charges a card once for each order, and has `mail` thank the customer."""

import json
import os
import time
import urllib.request
from pathlib import Path


def handle(event, context):
    charged = Path(os.environ["LEDGER"])
    done = charged.read_text().split() if charged.exists() else []
    if event["card"] == "declined":
        raise ValueError(f"the card for order {event['id']} was declined")
    if event["id"] not in done:
        time.sleep(2)  # the bank takes its time
        charged.write_text(" ".join([*done, event["id"]]))
    send("mail", event)
    return {"charged": event["id"]}


def mail(event, context):
    print(f"thank you for order {event['id']}")


def send(function, event):
    """As boto3's `invoke` with InvocationType="Event" does, without boto3."""
    url = f"{os.environ['AWS_ENDPOINT_URL']}/2015-03-31/functions/{function}/invocations"
    headers = {"X-Amz-Invocation-Type": "Event"}
    with urllib.request.urlopen(urllib.request.Request(url, json.dumps(event).encode(), headers)) as answer:
        answer.read()
