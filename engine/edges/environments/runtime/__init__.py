"""What runs in the processes, under the interpreter of whoever wrote the handlers: programs, started by their path.

`bootstrap` loads a handler and runs it; `zygote` forks bootstraps. Both need Python 3.9 and the standard library alone.
The engine imports neither, they import nothing of the engine, and nothing else may lie in this folder: for a moment it
is the first that their interpreter searches.
"""

from pathlib import Path

BOOTSTRAP = Path(__file__).with_name("bootstrap.py")
ZYGOTE = Path(__file__).with_name("zygote.py")
