"""Press i: it lists the files of a folder, here its own, and has one invocation count the words of each, all at once.
Watch In-flight fill, one cold start for each file; press i again: now they are warm. Edit MANY and see it grow."""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from invoke import invoke

MANY = 10  # at the same time


# On AWS the folder would be a prefix in a bucket, and this function would pay for its waiting: see chain-a.
def lambda_handler(event, context):
    folder = Path(event.get("folder", ".") if isinstance(event, dict) else ".").resolve()
    files = [{"file": str(path)} for path in sorted(folder.iterdir()) if path.is_file()]
    with ThreadPoolExecutor(MANY) as threads:
        counted = list(threads.map(partial(invoke, os.environ.get("FILE_FUNCTION", "folder-file")), files))
    print(f"{len(files)} files, {sum(each['words'] for each in counted)} words")
    return {"files": len(files), "words": sum(each["words"] for each in counted)}
