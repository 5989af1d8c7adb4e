"""Stages that run at the same time."""

from __future__ import annotations

import itertools
import threading
import time

import pytest

from keras_segformer.video.overlap import overlap


def test_order_and_completeness():
    results = []
    assert overlap(range(100), str, results.append) == 0
    assert results == [str(item) for item in range(100)]


def test_stages_run_at_the_same_time():
    read, worked, met = threading.Event(), threading.Event(), []

    def items():
        yield from (0, 1)
        read.set()
        yield 2

    def work(item):
        if item == 1:
            worked.set()
        return item

    def write(item):
        if item == 0:  # one after the other, neither would come before this has returned
            met.extend([read.wait(30), worked.wait(30)])

    overlap(items(), work, write)
    assert met == [True, True]


def test_queues_are_bounded():
    read, worked = itertools.count(), []
    ahead = []

    def items():
        for item in range(50):
            next(read)
            yield item

    def work(item):
        time.sleep(0.002)
        worked.append(item)
        ahead.append(read.__reduce__()[1][0] - len(worked))

    overlap(items(), work, lambda result: None)
    assert max(ahead) <= 8


@pytest.mark.parametrize("stage", ["items", "work", "finish"])
def test_a_failure_of_any_stage_ends_the_others(stage):
    def fail(*_):
        raise OSError("disk full")

    def items():
        yield from range(20)
        if stage == "items":
            fail()

    before = threading.active_count()
    with pytest.raises(OSError, match="disk full"):
        overlap(items(), fail if stage == "work" else str, fail if stage == "finish" else [].append)
    assert threading.active_count() == before


def test_items_that_come_too_fast_are_left_out():
    results = []
    skipped = overlap(
        range(100), lambda item: time.sleep(0.001) or item, results.append, may_skip=lambda item: item % 10 > 0
    )
    assert skipped + len(results) == 100
    assert skipped > 0
    assert results == sorted(results)
    assert {item for item in range(100) if item % 10 == 0} <= set(results)
