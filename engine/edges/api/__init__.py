"""The HTTP endpoint: Lambda's API for its clients, and the monitor's own calls."""

from .server import Server

__all__ = ["Server"]
