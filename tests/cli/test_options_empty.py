"""An option whose value is empty, as that of a shell variable that is not set."""

import pytest

from tests.cli.cli_runner import run


@pytest.mark.parametrize(
    "option",
    [
        *("--route", "--source", "--destination", "--profile", "--region", "--endpoint-url"),
        *("--expected-bucket-owner", "--kms-key-id"),
    ],
)
@pytest.mark.parametrize("command", ["move a", "copy a", "sync", "resume"])
def test_option_with_an_empty_value_is_refused(command: str, option: str) -> None:
    if command == "resume" and option in {"--route", "--source", "--destination"}:
        pytest.skip("resume has no such option")
    ran = run(*command.split(), option, "")
    assert ran.code == 2
    assert f"Invalid value for '{option}': It must not be empty." in ran.err
