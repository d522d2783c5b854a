"""One thing is in the singular."""

from frogmove.plural import count_bytes, counted


def test_numbers_are_in_the_singular_only_for_one() -> None:
    assert [count_bytes(each) for each in (0, 1, 1000)] == ["0 bytes", "1 byte", "1,000 bytes"]
    assert counted(1, "message waits", "messages wait") == "1 message waits"
    assert counted(2000, "message waits", "messages wait") == "2,000 messages wait"
