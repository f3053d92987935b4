"""Threads that meet at a counter, and what stops one of them."""

import signal
import threading

import numpy as np
import pytest
from numba import njit

from neostriatum.engines.numba_engine.meeting import Crew, meet


@njit(nogil=True)
def take_turns(part, meeting, rounds, numbers, agreed):
    """Write this part's number and, after a meeting, add up everybody's."""
    parts = len(agreed)
    for n in range(rounds):
        numbers[n % 2, part] = part + n
        if not meet(meeting, parts, n + 1):
            return
        agreed[part] += numbers[n % 2].sum() == parts * n + parts * (parts - 1) // 2


@pytest.mark.parametrize("parts", [1, 2, 3, 8])
def test_what_others_wrote_before_a_meeting_is_seen_after_it(parts):
    agreed = np.zeros(parts, np.int64)
    with Crew(parts) as crew:
        crew.run(take_turns, 500, np.zeros((2, parts), np.int64), agreed)
        crew.run(take_turns, 500, np.zeros((2, parts), np.int64), agreed)
    assert agreed.tolist() == [1000] * parts


@pytest.mark.parametrize("late", [0, 1, 2])
def test_nobody_waits_for_a_part_that_failed_and_its_error_is_raised(late):
    agreed = np.zeros(3, np.int64)

    def job(part, meeting):
        if part == late:
            raise MemoryError(part)
        take_turns(part, meeting, 5, np.zeros((2, 3), np.int64), agreed)

    with Crew(3) as crew, pytest.raises(MemoryError, match=str(late)):
        crew.run(job)
    assert agreed.tolist() == [0] * 3


def test_nobody_waits_for_a_thread_that_can_not_be_started(monkeypatch):
    start, started = threading.Thread.start, []

    def limited(thread):
        if started:
            msg = "can't start new thread"
            raise RuntimeError(msg)
        started.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", limited)
    agreed = np.zeros(3, np.int64)
    with Crew(3) as crew, pytest.raises(RuntimeError, match="can't start"):
        crew.run(take_turns, 5, np.zeros((2, 3), np.int64), agreed)
    assert agreed.tolist() == [0] * 3
    assert not started[0].is_alive()


def test_an_interrupt_at_any_moment_is_an_interrupt_and_nobody_waits_for_ever():
    def interrupted(delay):
        agreed = np.zeros(2, np.int64)
        with Crew(2) as crew:
            signal.setitimer(signal.ITIMER_REAL, delay)
            for _ in range(10**9):
                crew.run(take_turns, 20, np.zeros((2, 2), np.int64), agreed)

    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        for n in range(30):
            with pytest.raises(KeyboardInterrupt):
                interrupted(0.01 + 0.0007 * n)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
