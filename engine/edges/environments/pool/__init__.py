"""The environments of one function: which one takes the next invocation, and how many there are."""

from .pool import IDLE_MAX, Pool, Setting

__all__ = ["IDLE_MAX", "Pool", "Setting"]
