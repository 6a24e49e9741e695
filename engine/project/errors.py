"""What is raised when a project cannot be run."""


class ConfigurationError(Exception):
    """The project cannot be run as it is written.

    The message has one line for each mistake: file and line, the key, its value, and what would be allowed.
    """
