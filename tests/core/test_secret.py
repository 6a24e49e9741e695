"""Which environment variables are hidden."""

import pytest

from lamtop.engine.core.secret import is_secret


@pytest.mark.parametrize(
    "name",
    ["DB_PASSWORD", "PGPASS", "password", "StripeApiKey", "STRIPE_API_KEY", "TOKEN", "GITHUB_TOKEN_2", "CLIENT_SECRET",
     "AWS_SECRET_ACCESS_KEY", "SENTRY_DSN", "SECRET_ARN", "SSH_PRIVATE_KEY", "DB_PWD", "ENCRYPTION_KEY"],
)  # fmt: skip
def test_a_name_that_speaks_of_a_secret_hides_its_value(name: str) -> None:
    assert is_secret(name, "x")


@pytest.mark.parametrize(
    "value",
    ["AKIAIOSFODNN7EXAMPLE", "postgres://ann:pa55@db/orders", "eyJhbGciOiJIUzI1.eyJzdWIiOiIxMjM0.c2ln",
     "-----BEGIN RSA PRIVATE KEY-----\nMIIE", "ghp_0123456789abcdefghijABCDEFGHIJ"],
)  # fmt: skip
def test_a_value_of_a_known_shape_is_hidden_whatever_its_name(value: str) -> None:
    assert is_secret("SETTING", value)


@pytest.mark.parametrize(
    ("name", "value"),
    [("SEED", "1"), ("TABLE_NAME", "orders"), ("MAX_TOKENS", "4096"), ("PARTITION_KEY", "id"), ("AUTHOR", "ann"),
     ("URL", "https://example.com/a:b@c"), ("KEYBOARD", "qwerty"), ("COMPASS_MODE", "north")],
)  # fmt: skip
def test_an_ordinary_variable_is_shown(name: str, value: str) -> None:
    assert not is_secret(name, value)
