"""The pictures that wait for the model of `keras-segformer serve`."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future

import numpy as np

Job = tuple[np.ndarray, "Future[np.ndarray]"]


class SegmentQueue:
    """Gives a model pictures that arrive one by one, as many together as wait.

    The model runs in a thread of its own, so that it is never called twice at the same time.

    Args:
        segment: Finds the labels `(H, W)` of every picture `(H, W, 3)`, uint8, of a list.
        limit: How many pictures may wait.
        batch: How many of them are taken together at most.
        on_batch: Called with the number of pictures that are taken together.

    Example:

    >>> waiting = SegmentQueue(lambda pictures: [picture[..., 0] for picture in pictures], limit=2, batch=2)
    >>> waiting.submit(np.zeros((1, 2, 3), np.uint8)).result().tolist()
    [[0, 0]]
    >>> waiting.close()
    """

    def __init__(
        self,
        segment: Callable[[list[np.ndarray]], Sequence[np.ndarray]],
        limit: int,
        batch: int,
        on_batch: Callable[[int], None] = lambda count: None,
    ) -> None:
        self._segment, self._batch, self._on_batch = segment, batch, on_batch
        self._jobs: queue.Queue[Job | None] = queue.Queue(limit)
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def __len__(self) -> int:
        return self._jobs.qsize()

    @property
    def is_full(self) -> bool:
        """Whether the next picture would be refused."""
        return self._jobs.full()

    def submit(self, pixels: np.ndarray) -> Future[np.ndarray]:
        """Lets a picture wait.

        Args:
            pixels: `(H, W, 3)`, uint8.

        Returns:
            Its labels to come; one that is cancelled is left out.

        Raises:
            queue.Full: As many as may wait are waiting.
        """
        future: Future[np.ndarray] = Future()
        self._jobs.put_nowait((pixels, future))
        return future

    def close(self) -> None:
        """Ends the thread, after all that wait."""
        self._jobs.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            jobs = [job]
            while len(jobs) < self._batch:
                try:
                    following = self._jobs.get_nowait()
                except queue.Empty:
                    break
                if following is None:
                    self._answer(jobs)
                    return
                jobs.append(following)
            self._answer(jobs)

    def _answer(self, jobs: list[Job]) -> None:
        jobs = [(pixels, future) for pixels, future in jobs if future.set_running_or_notify_cancel()]
        if not jobs:
            return
        self._on_batch(len(jobs))
        try:
            results = self._segment([pixels for pixels, _ in jobs])
        except Exception as error:
            if len(jobs) == 1:
                jobs[0][1].set_exception(error)
            else:  # one by one, so that a picture that cannot be segmented harms no other
                for pixels, future in jobs:
                    self._answer_one(pixels, future)
            return
        for (_, future), labels in zip(jobs, results, strict=True):
            future.set_result(labels)

    def _answer_one(self, pixels: np.ndarray, future: Future[np.ndarray]) -> None:
        try:
            future.set_result(self._segment([pixels])[0])
        except Exception as error:
            future.set_exception(error)
