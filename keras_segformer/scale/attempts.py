"""Runs that lose a worker are repeated with what is left."""

from __future__ import annotations

import contextlib
import dataclasses
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Sequence
from multiprocessing.connection import Connection, wait
from pathlib import Path

from keras_segformer.scale.models import LabelJob
from keras_segformer.scale.store import Results

_ATTEMPTS = 3


def run_direct(job: LabelJob, paths: Sequence[str], workers: int, options: Sequence[str]) -> None:
    """Labels pictures on this machine by Beam's DirectRunner with several worker processes.

    That runner waits for ever for a worker that has been killed. So it runs in a process of its own, which ends when
    one is lost, and another takes up what is left.

    Args:
        job: What is to be done; its list is written anew for every attempt.
        paths: The pictures.
        workers: How many processes there are.
        options: Further options of Beam.

    Raises:
        MissingExtraError: Apache Beam is not installed.
        RuntimeError: Workers were lost again and again, or Beam has given up.
    """
    from keras_segformer.scale.beam import run_pipeline

    options = ["--runner=DirectRunner", *options]
    if workers == 1:
        run_pipeline(job, options)
        return
    options += ["--direct_running_mode=multi_processing", f"--direct_num_workers={workers}"]
    results = Results(job.output)
    left = list(paths)
    for attempt in range(1, _ATTEMPTS + 1):
        if _finishes(job, options):
            return
        finished = results.finished()
        left = [path for path in left if path not in finished]
        print(f"a worker was lost; {len(left)} pictures are left (attempt {attempt} of {_ATTEMPTS})", file=sys.stderr)
        if not left:
            return
        job = dataclasses.replace(job, to_do=results.write_list(left))
    raise RuntimeError("workers were lost again and again; is there enough memory? Run it again with fewer --workers")


def _finishes(job: LabelJob, options: Sequence[str]) -> bool:
    """Runs the pipeline in a process of its own; false if a worker was lost."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_attempt, args=(job, list(options), sender))
    process.start()
    sender.close()
    try:
        process.join()
    finally:
        _kill_group(process.pid)  # its workers too, if it has not ended them
        process.join()
    with contextlib.suppress(EOFError):  # nothing was sent
        raise RuntimeError(f"Apache Beam has given up ({receiver.recv()}); run it again with --workers 1 to see more")
    return process.exitcode == 0


def _attempt(job: LabelJob, options: list[str], sender: Connection) -> None:
    from keras_segformer.scale.beam import run_pipeline

    if hasattr(os, "setpgrp"):
        os.setpgrp()
    _end_with_parent()
    threading.excepthook = lambda _: os._exit(1)  # the thread that waits for a worker has found it dead
    # Workers are new interpreters, which find this package where this process has found it.
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    with Path(os.devnull).open("w") as nothing:
        os.dup2(nothing.fileno(), 2)  # the logs of all workers
    try:
        run_pipeline(job, options)
    except Exception as error:
        sender.send(str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__)
        os._exit(2)
    os._exit(0)


def _end_with_parent() -> None:
    """Lets this process and its workers end when its parent is killed."""
    parent = multiprocessing.parent_process()

    def watch() -> None:
        wait([parent.sentinel])
        _kill_group(os.getpid())

    threading.Thread(target=watch, daemon=True).start()


def _kill_group(leader: int | None) -> None:
    if leader is not None and hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(leader, signal.SIGKILL)
