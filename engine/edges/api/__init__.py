"""The HTTP endpoint: Lambda's API for its clients, and the monitor's own calls."""

from .answers import Answer
from .lambda_api import call
from .server import Server

__all__ = ["Answer", "Server", "call"]
