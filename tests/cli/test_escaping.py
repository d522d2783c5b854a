import shutil
import subprocess
import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from frogmove.cli.escaping import printable
from tests.strategies import CHARACTERS

PLAIN = [
    "reports/2026 été+1%.csv",
    "a//b/",
    "[bold]red[/bold]",
    "$HOME `id` \"x\" 'y' \\n",
    "蛙/🐸",
    "e\u0301 is not é",
]

HOSTILE = {
    "\x1b[31mred": r"$'\x1b[31mred'",
    "a\nb": r"$'a\x0ab'",
    "tab\t1": r"$'tab\x091'",
    "\x009": r"$'\x009'",
    "del\x7f": r"$'del\x7f'",
    "csi\x9b31m": r"$'csi\u009b31m'",
    "\u202egpj.exe": r"$'\u202egpj.exe'",
    "zero\u200bwidth": r"$'zero\u200bwidth'",
    "line\u2028end": r"$'line\u2028end'",
    "tag\U000e0041": r"$'tag\U000e0041'",
    "private\ue000": r"$'private\ue000'",
    "it's\\\n": r"$'it\x27s\\\x0a'",
    "soft\u00adhyphen": r"$'soft\u00adhyphen'",
    "bom\ufeff": r"$'bom\ufeff'",
    r"$'a\x0ab'": r"$'$\x27a\\x0ab\x27'",
}

# S3 keys in XML have no NUL in practice, and no shell can hold one.
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=30)


@pytest.mark.parametrize("key", PLAIN)
def test_printable_shows_a_key_that_can_be_seen_unchanged(key: str) -> None:
    assert printable(key) == key


@pytest.mark.parametrize(("key", "shown"), HOSTILE.items(), ids=[ascii(key) for key in HOSTILE])
def test_printable_escapes_what_cannot_be_seen(key: str, shown: str) -> None:
    assert printable(key) == shown


@given(st.text(CHARACTERS, max_size=30))
def test_printable_lets_no_text_act_on_a_terminal(key: str) -> None:
    categories = {unicodedata.category(char) for char in printable(key)}
    assert not categories & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@given(TEXT, TEXT)
def test_printable_shows_no_two_keys_alike(one: str, other: str) -> None:
    assert (printable(one) == printable(other)) is (one == other)
    # The likeliest lookalike: what another key is shown as.
    assert (printable(printable(one)) == printable(one)) is (printable(one) == one)


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash to paste into")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(TEXT, min_size=1, max_size=20))
def test_printable_key_pasted_into_bash_is_the_key_again(keys: list[str]) -> None:
    quoted = [shown for key in keys if (shown := printable(key)) != key]
    script = "".join(f"printf '%s\\0' {shown}\n" for shown in quoted)
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, check=True, env={"LC_ALL": "C.UTF-8"}
    )
    expected = [key.encode() for key in keys if printable(key) != key]
    assert done.stdout.split(b"\0")[:-1] == expected
