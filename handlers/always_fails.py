"""Press a: three attempts, about 1 and then 2 minutes apart, and the event ends in the dead-letter queue.
Watch Retries count down; the request id stays the same. Press i instead: the error goes to the caller, no retry."""


class OutOfStock(Exception):
    pass


def lambda_handler(event, context):
    item = event.get("item", "umbrella") if isinstance(event, dict) else "umbrella"
    print(f"looking for one {item}")
    raise OutOfStock(f"no {item} left")
