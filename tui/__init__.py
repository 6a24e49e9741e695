"""The monitor: a Textual app that watches an engine and sends it wishes."""
