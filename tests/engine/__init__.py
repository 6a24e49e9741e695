"""What the engine does. A package, so that `python -m pytest` does not find the folder at the top instead."""
