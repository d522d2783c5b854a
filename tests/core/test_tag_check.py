"""Only what carries the tag is copied, whatever replaces it during the check."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING

import pytest

from frogmove.core.models import Outcome
from frogmove.core.options import TransferOptions
from frogmove.core.plan import plan_move
from frogmove.core.required_tags import Tag, parse_tag
from frogmove.core.tag_check import TagChecker, hold_back_untagged
from frogmove.core.transfer import run
from frogmove.errors import UsageError
from frogmove.s3.capabilities import ALL_SUPPORTED
from frogmove.s3.errors import S3Error
from frogmove.s3.listing import list_prefix
from tests.factories import ROUTE
from tests.fake_s3 import FakeS3
from tests.fake_s3_state import FakeS3State
from tests.interceptors import RequestHook, no_interception

if TYPE_CHECKING:
    from collections.abc import Callable

    from frogmove.core.models import Result
    from tests.interceptors import Interceptor

CLEAN = {"scan": "clean"}
GOOD, EVIL = b"good", b"evil"


def state(*, versioned: bool) -> FakeS3State:
    return FakeS3State(
        {"external": {}, "internal": {}}, versioned={"external"} if versioned else set()
    )


def move(made: FakeS3State, interceptor: Interceptor = no_interception) -> list[Result]:
    """Move all of the source that is tagged."""
    s3 = FakeS3(made, interceptor)
    actions = hold_back_untagged(
        plan_move(list_prefix(s3, "external", ""), ROUTE),
        TagChecker(s3, "external", [Tag("scan", "clean")]),
        4,
        Event(),
    )
    return list(run(actions, s3, ROUTE, TransferOptions(ALL_SUPPORTED), Event()))


@pytest.mark.parametrize("versioned", [False, True])
def test_tag_check_lets_what_lacks_the_tag_wait_without_a_failure(versioned: bool) -> None:
    made = state(versioned=versioned)
    made.put("external", "clean", GOOD, tags=CLEAN)
    made.put("external", "none", GOOD)
    made.put("external", "other value", GOOD, tags={"scan": "Clean"})
    made.put("external", "other key", GOOD, tags={"Scan": "clean"})
    results = {result.key: result for result in move(made)}
    assert {key for key, result in results.items() if result.outcome is Outcome.MOVED} == {"clean"}
    assert {result.outcome for result in results.values()} == {Outcome.MOVED, Outcome.WAITING}
    assert not results["none"].outcome.needs_attention
    assert "does not have the tag scan=clean" in results["none"].reason
    assert made.bodies("internal") == {"clean": GOOD}
    assert set(made.bodies("external")) == {"none", "other value", "other key"}


def swaps(made: FakeS3State) -> dict[str, list[Callable[[], object]]]:
    """Return what somebody may put in the place of an object, again and again."""
    clean = lambda: made.put("external", "key", GOOD, tags=CLEAN)  # noqa: E731
    evil = lambda: made.put("external", "key", EVIL)  # noqa: E731
    return {"a clean one": [clean], "evil": [evil], "clean, then evil": [clean, evil]}


def in_turn(
    first: Callable[[], object] | None, second: Callable[[], object]
) -> Callable[[], object]:
    return second if first is None else lambda: (first(), second())


@pytest.mark.parametrize("versioned", [False, True])
@pytest.mark.parametrize("first", [GOOD, EVIL])
@pytest.mark.parametrize("kind", ["a clean one", "evil", "clean, then evil"])
def test_tag_check_lets_no_untagged_object_pass_in_any_schedule_of_replacements(
    versioned: bool, first: bytes, kind: str
) -> None:
    for moments in ((at, later) for at in range(8) for later in range(at, 8)):
        made = state(versioned=versioned)
        made.put("external", "key", first, tags=CLEAN if first == GOOD else None)
        deeds: dict[int, Callable[[], object]] = {}
        for moment, deed in zip(moments, swaps(made)[kind], strict=False):
            deeds[moment] = in_turn(deeds.get(moment), deed)
        move(made, RequestHook(deeds))
        assert made.bodies("internal").get("key", GOOD) == GOOD, (moments, made)


def test_tag_check_distinguishes_versions_of_one_etag() -> None:
    made = state(versioned=True)
    made.put("external", "key", GOOD, etag="collides", tags=CLEAN)
    # Right before the copy.
    hook = RequestHook(
        {0: lambda: made.put("external", "key", EVIL, etag="collides")}, "CopyObject"
    )
    move(made, hook)
    assert made.bodies("internal") == {"key": GOOD}


@pytest.mark.parametrize("is_replaced", [True, False])
def test_tag_check_knows_a_denied_delete_of_a_replaced_object(is_replaced: bool) -> None:
    """Permission to read, which a conditional delete needs too, may depend on the tag."""
    made = state(versioned=True)
    made.put("external", "key", GOOD, tags=CLEAN)

    def deny() -> None:
        if is_replaced:
            made.put("external", "key", EVIL)
        raise S3Error("DeleteObject", "AccessDenied", 403, "Access Denied")

    (result,) = move(made, RequestHook({0: deny}, "DeleteObject"))
    outcome = Outcome.SUPERSEDED if is_replaced else Outcome.FAILED
    assert result.outcome is outcome
    assert made.bodies("internal") == {"key": GOOD}
    assert made.bodies("external") == {"key": EVIL if is_replaced else GOOD}


def test_tag_check_skips_what_is_gone_by_then() -> None:
    made = state(versioned=False)
    made.put("external", "key", GOOD, tags=CLEAN)
    for operation in ("HeadObject", "GetObjectTagging"):
        hook = RequestHook({0: lambda: made.buckets["external"].clear()}, operation)
        assert [result.outcome for result in move(made, hook)] in ([Outcome.SKIPPED], [])


@pytest.mark.parametrize("text", ["", "key", "=value", "k" * 129 + "=", "k=" + "v" * 257])
def test_parse_tag_refuses_what_is_no_tag(text: str) -> None:
    with pytest.raises(UsageError, match="KEY=VALUE"):
        parse_tag(text)


def test_parse_tag_reads_a_value_with_an_equals_sign() -> None:
    assert parse_tag("a=b=c") == Tag("a", "b=c")
    assert parse_tag("a=") == Tag("a", "")
