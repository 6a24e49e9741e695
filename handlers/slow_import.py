"""Press i twice: the first call waits 2 seconds for an import, the second is answered in a millisecond.
Watch Init Duration in the first REPORT line, and Billed Duration: AWS has billed init too since August 2025."""

import itertools
import os
import time

time.sleep(float(os.environ.get("IMPORT_SECONDS", "2")))  # stands for `import pandas`, a model, a connection
IMPORTED_AT = time.time()
calls = itertools.count(1)


# What the module has made is kept for the next call. A call that comes while this environment is busy gets another
# one, which imports for itself: hold i and see.
def lambda_handler(event, context):
    call = next(calls)
    print(f"call {call} in this environment, {time.time() - IMPORTED_AT:.3f} s after its import")
    return {"call": call, "environment": context.log_stream_name}
