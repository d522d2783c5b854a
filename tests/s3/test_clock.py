from threading import Event, get_ident

from frogmove.s3.clock import Clock
from tests.fault_proxy import SECONDS_TO_WAIT


def test_clock_calls_first_what_is_due_first() -> None:
    clock = Clock()
    called: list[str] = []
    done = Event()

    def soon() -> None:
        called.append("soon")
        done.set()

    clock.call_later(SECONDS_TO_WAIT, lambda: called.append("late"))
    clock.call_later(0.0, soon)
    assert done.wait(SECONDS_TO_WAIT)
    assert called == ["soon"]


def test_clock_calls_on_another_thread() -> None:
    clock = Clock()
    called = Event()
    idents: list[int] = []

    def call() -> None:
        idents.append(get_ident())
        called.set()

    clock.call_later(0.0, call)
    assert called.wait(SECONDS_TO_WAIT)
    assert idents != [get_ident()]


def test_clock_does_not_go_back() -> None:
    clock = Clock()
    assert clock.now() <= clock.now()
