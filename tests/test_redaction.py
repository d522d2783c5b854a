import pytest

from frogmove.errors import UsageError
from frogmove.redaction import redact
from frogmove.s3.errors import S3Error

SECRETS = [
    "http://user:hidden@host:9000/",
    "https://user:hi@hidden@host/bucket",
    "HTTP://:hidden@[::1]:80",
    "no answer from http://u%40x:hidden@host: refused",
    'Failed to connect to proxy URL: "http://u:hidden@127.0.0.1:3128"',
    "proxy u:hidden@proxy.example:3128",
    "https://host/bucket?x=hidden",
    "'https://host/?X-Amz-Signature=hidden&b=hidden' was refused",
    "https://host/#hidden",
    "http://u:hid/hidden@host:9000",
    "Invalid endpoint: http://u:a#hidden@host",
    "http://u:?hidden@host/",
    "http://u:it's-hidden@host/",
]

PLAIN = [
    "s3://bucket/a?b=c",
    "in/mail@example.com:80",
    "no answer from http://127.0.0.1:9000: refused",
    "arn:aws:s3:eu-central-1:123456789012:accesspoint/x",
    "what? a@b",
    "no answer from http://127.0.0.1:9000/bucket/mail@example.com",
    'to "http://localhost:9000" or "http://[::1]:9000/x@y"',
    "s3://bucket:x/a@b",
]


@pytest.mark.parametrize("text", SECRETS)
def test_redact_hides_the_secrets_of_urls(text: str) -> None:
    assert "hidden" not in redact(text)
    assert "hidden" not in str(UsageError(text, text))
    assert "hidden" not in str(S3Error("HeadObject", "", None, text))


@pytest.mark.parametrize("text", PLAIN)
def test_redact_leaves_everything_else_unchanged(text: str) -> None:
    assert redact(text) == text
