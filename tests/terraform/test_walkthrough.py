"""terraform/LAMBDA.md shows what its commands print."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from cogapp import Cog  # type: ignore[import-untyped]

ROOT = Path(__file__).parents[2]


@pytest.mark.matrix
@pytest.mark.skipif(
    importlib.util.find_spec("ministack") is None, reason="ministack is not installed"
)
def test_commands_print_what_the_page_shows(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    try:
        code = Cog().main(["cog", "--check", "--diff", "terraform/LAMBDA.md"])
    except RuntimeError as error:
        if "lambda package" not in str(error):
            raise
        pytest.skip(f"the layer cannot be made here: {error}")
    assert code == 0, capsys.readouterr().out
