"""The bounded map."""

from __future__ import annotations

import os
import threading
import time

import pytest

from keras_segformer.data.parallel import parallel_map


def test_results_come_in_order():
    def wait_and_return(number: int) -> int:
        time.sleep(0.002 * (number % 3))
        return number

    assert list(parallel_map(wait_and_return, range(50))) == list(range(50))
    assert list(parallel_map(str, [])) == []


def test_it_runs_ahead_only_a_little():
    started = []
    results = parallel_map(lambda number: started.append(number) or number, range(10_000))
    assert next(results) == 0
    time.sleep(0.05)
    assert len(started) <= 4 * os.cpu_count() + 1
    results.close()


def test_it_uses_threads():
    barrier = threading.Barrier(2, timeout=10)
    if os.cpu_count() < 2:
        pytest.skip("one core")
    list(parallel_map(lambda _: barrier.wait(), range(2)))


def test_errors_reach_the_consumer():
    def fail_at_two(number: int) -> int:
        if number == 2:
            raise ValueError("two")
        return number

    results = parallel_map(fail_at_two, range(100))
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(ValueError, match="two"):
        next(results)
