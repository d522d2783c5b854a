from threading import Event, get_ident

from frogmove.s3.clock import Clock


def test_clock_calls_first_what_is_due_first() -> None:
    clock = Clock()
    called: list[str] = []
    done = Event()

    def last() -> None:
        called.append("late")
        done.set()

    clock.call_later(0.05, last)
    clock.call_later(0.0, lambda: called.append("soon"))
    assert done.wait(5)
    assert called == ["soon", "late"]


def test_clock_calls_on_another_thread() -> None:
    clock = Clock()
    called = Event()
    idents: list[int] = []

    def call() -> None:
        idents.append(get_ident())
        called.set()

    clock.call_later(0.0, call)
    assert called.wait(5)
    assert idents != [get_ident()]


def test_clock_does_not_go_back() -> None:
    clock = Clock()
    assert clock.now() <= clock.now()
