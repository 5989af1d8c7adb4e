"""Maps a function over many items in threads, with bounded memory."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def parallel_map(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """Maps in threads and in order, a few items ahead of the consumer.

    `ThreadPoolExecutor.map` starts on all items at once and keeps every result until it is consumed; this function
    keeps at most four per thread.

    Args:
        function: What to do with an item; decoders of images and tensors let other threads run meanwhile.
        items: The items.

    Yields:
        The result of every item.

    Example:

    >>> list(parallel_map(str.upper, ["a", "b"]))
    ['A', 'B']
    """
    threads = os.cpu_count() or 1
    remaining = iter(items)
    with ThreadPoolExecutor(threads) as executor:
        waiting = deque(executor.submit(function, item) for item in islice(remaining, 4 * threads))
        try:
            while waiting:
                result = waiting.popleft().result()
                waiting.extend(executor.submit(function, item) for item in islice(remaining, 1))
                yield result
        finally:
            # Otherwise, leaving early would wait for results that are no longer needed.
            executor.shutdown(cancel_futures=True)
