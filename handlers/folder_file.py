"""Press i on folder, which invokes this one for each file of a folder; here it counts the words of one file.
Watch the colours of In-flight: as many environments as files that are read at the same time, none knows another."""

import time
from pathlib import Path


def lambda_handler(event, context):
    path = Path(event.get("file", __file__) if isinstance(event, dict) else __file__)
    time.sleep(0.3)  # or nobody would see it
    words = len(path.read_bytes().split())
    print(f"{path.name}: {words} words")
    return {"file": path.name, "words": words}
