"""Three stages that run at the same time, in threads with short queues between them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

_AHEAD = 4  # items in a queue: enough to even out the stages, and little memory for frames of any size
_WAIT = 0.1  # seconds after which a waiting stage looks whether another has failed
_END = object()


def overlap(
    items: Iterable[Item],
    work: Callable[[Item], Result],
    finish: Callable[[Result], None],
    may_skip: Callable[[Item], bool] = lambda item: False,
) -> int:
    """Reads items, works on them and finishes the results, each in a thread of its own and in order.

    The work is done in the calling thread, where networks run and interrupts arrive. Where a stage fails, the others
    end, and its exception is raised.

    Args:
        items: The items, read in a thread.
        work: What to do with one.
        finish: What to do with a result, in another thread.
        may_skip: Whether an item that comes while the queue is full is left out rather than waited for.

    Returns:
        How many items were left out.

    Example:

    >>> results = []
    >>> overlap(range(3), lambda item: item * 2, results.append)
    0
    >>> results
    [0, 2, 4]
    """
    stages = _Stages(items, finish, may_skip)
    try:
        while (item := stages.take(stages.read)) is not _END:
            stages.hand_on(stages.worked, work(item))
        stages.hand_on(stages.worked, _END)
        return stages.wait()
    except BaseException:
        stages.stop.set()
        raise
    finally:
        stages.join()


class _Stages:
    """The threads before and behind the work, and their queues."""

    def __init__(self, items: Iterable[Any], finish: Callable[[Any], None], may_skip: Callable[[Any], bool]) -> None:
        self.read: queue.Queue[Any] = queue.Queue(_AHEAD)
        self.worked: queue.Queue[Any] = queue.Queue(_AHEAD)
        self.stop = threading.Event()
        self._failures: list[BaseException] = []
        self._skipped = 0
        targets = (lambda: self._produce(items, may_skip), lambda: self._consume(finish))
        self._threads = [threading.Thread(target=self._guarded, args=(target,)) for target in targets]
        for thread in self._threads:
            thread.start()

    def take(self, source: queue.Queue[Any]) -> Any:
        """The next item of a queue, or `_END` where a stage has failed."""
        while not self.stop.is_set():
            try:
                return source.get(timeout=_WAIT)
            except queue.Empty:
                continue
        return _END

    def hand_on(self, target: queue.Queue[Any], item: Any) -> None:
        """Puts an item into a queue, unless a stage has failed."""
        while not self.stop.is_set():
            try:
                return target.put(item, timeout=_WAIT)
            except queue.Full:
                continue
        return None

    def join(self) -> None:
        for thread in self._threads:
            thread.join()

    def wait(self) -> int:
        """Waits until all is finished, and returns the number of skipped items."""
        self.join()
        if self._failures:
            raise self._failures[0]
        return self._skipped

    def _produce(self, items: Iterable[Any], may_skip: Callable[[Any], bool]) -> None:
        for item in items:
            if self.stop.is_set():
                return
            if self.read.full() and may_skip(item):
                self._skipped += 1
            else:
                self.hand_on(self.read, item)
        self.hand_on(self.read, _END)

    def _consume(self, finish: Callable[[Any], None]) -> None:
        while (result := self.take(self.worked)) is not _END:
            finish(result)

    def _guarded(self, target: Callable[[], None]) -> None:
        try:
            target()
        except BaseException as error:
            self._failures.append(error)
            self.stop.set()
