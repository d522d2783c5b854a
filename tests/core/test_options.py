"""Transfer options."""

import pytest

from frogmove import Attribute, OnConflict, TransferOptions, UsageError, Verify


def test_a_choice_may_be_given_as_text() -> None:
    options = TransferOptions(on_conflict="keep-both", verify="strict", carry=frozenset({"acl"}))  # type: ignore[arg-type]
    assert options.on_conflict is OnConflict.KEEP_BOTH
    assert options.verify is Verify.STRICT
    assert options.carry == {Attribute.ACL}


@pytest.mark.parametrize("wrong", [{"on_conflict": "skipp"}, {"verify": 3}, {"carry": ["owner"]}])
def test_a_choice_that_there_is_not_is_refused_with_those_there_are(wrong: dict[str, str]) -> None:
    with pytest.raises(UsageError) as caught:
        TransferOptions(**wrong)  # type: ignore[arg-type]
    assert any(word in caught.value.remedy for word in ("skip", "strict", "acl"))
