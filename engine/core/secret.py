"""Which environment variables must not be shown: those whose name or value looks like a secret."""

import re

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")  # of DB_PASSWORD and of dbPassword
_SECRET = frozenset({"pass", "pgpass", "pwd", "passcode", "credential", "credentials", "private", "dsn", "salt"})
_ENDS = ("password", "passwd", "passphrase", "secret", "token", "apikey")  # "PGPASSWORD" is one word
_LAST = frozenset({"key", "auth", "cert", "certificate", "signature"})
_OPEN_KEYS = frozenset({"public", "partition", "sort", "primary", "hash", "range", "object", "s3"})
_VALUES = re.compile(
    r"(?:AKIA|ASIA)[A-Z0-9]{16}"  # AWS access keys
    r"|gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{20,}"  # GitHub, GitLab
    r"|xox[abeoprs]-[\w-]{10,}"  # Slack
    r"|(?:sk|rk|pk)[-_](?:live|test|proj|ant)[-_][\w-]{10,}"  # payment and model providers
    r"|eyJ[\w-]{8,}\.[\w-]{8,}\."  # JSON web tokens
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----"
    r"|://[^/\s:@]*:[^/\s@]+@"  # a password in a URL
)
HIDDEN = "<hidden>"
"""What stands for a value that was not written down."""


def is_secret(name: str, value: str) -> bool:
    """Should a variable's value be hidden? By its name ("DB_PASSWORD", "STRIPE_API_KEY") or by a known shape."""
    return (
        value == HIDDEN
        or _is_secret_name([word.lower() for word in _WORDS.findall(name)])
        or bool(_VALUES.search(value))
    )


def _is_secret_name(words: list[str]) -> bool:
    if any(word in _SECRET or word.endswith(_ENDS) for word in words):
        return True
    words = [word for word in words if not word.isdigit()]
    return bool(words) and words[-1] in _LAST and not _OPEN_KEYS.intersection(words)
