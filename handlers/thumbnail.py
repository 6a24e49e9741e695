"""Press a: a picture was put into a bucket, and S3 says so with an event like the one in thumbnail.json.
Watch what the handler makes of it: an event is a list, names come URL-encoded, and its own results must not count."""

import json
from pathlib import Path
from urllib.parse import unquote_plus

EXAMPLE = json.loads(Path(__file__).with_name("thumbnail.json").read_text())  # for {}; press e to paste your own
DONE = "thumbnails/"


def lambda_handler(event, context):
    records = (event if isinstance(event, dict) and event else EXAMPLE)["Records"]
    return [made for record in records if (made := thumbnail(record["s3"], record["eventName"]))]


def thumbnail(s3, what):
    key = unquote_plus(s3["object"]["key"])
    if not what.startswith("ObjectCreated:") or key.startswith(DONE):
        print(f"{what} of {key}: nothing to do")  # else each thumbnail would make another one, for ever
        return None
    print(f"{key}: {s3['object']['size']} bytes in {s3['bucket']['name']}, would be resized here")
    return {"bucket": s3["bucket"]["name"], "key": f"{DONE}{key}"}
