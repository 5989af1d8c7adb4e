"""Downloads from the hubs, in a process of their own that gives up when too little arrives.

The hubs' libraries limit how long a server may be silent, but not how slowly it may send, and they download in threads
that nothing can end. A process can be ended; what it leaves in the cache, the libraries resume or discard.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

HUGGING_FACE = "hf://"
KAGGLE = "kaggle://"

SECONDS_VARIABLE = "KERAS_SEGFORMER_HUB_SECONDS"
"""The environment variable that sets for how many seconds next to nothing may arrive."""

DEFAULT_SECONDS = 60
LEAST_BYTES_PER_SECOND = 1024

_DESCRIPTIONS = ["config.json", "preprocessor.json", "metadata.json", "*.safetensors.index.json"]
_SAFE_WEIGHTS = ["*.safetensors", "model.weights.h5"]
_COMMIT = re.compile("[0-9a-f]{40}")
_PICKLED_WEIGHTS = ["pytorch_model.bin", "*.pth"]


class HubError(OSError):
    """A hub cannot be reached, refuses, or sends too little."""


def download(source: str) -> Path:
    """Downloads a preset, or finds it in the cache of its hub's library.

    Args:
        source: `"hf://org/repo"` with `@revision` or without, or `"kaggle://owner/model/framework/variation"` with
            `/version` or without.

    Returns:
        The folder in the cache.

    Raises:
        HubError: It cannot be downloaded, or fewer than `LEAST_BYTES_PER_SECOND` arrive over as many seconds as the
            environment variable `KERAS_SEGFORMER_HUB_SECONDS` says, 60 by default.
        ValueError: The environment variable is not a positive number.

    Example:

    ```python
    folder = download("hf://nvidia/segformer-b0-finetuned-ade-512-512")
    ```
    """
    seconds = os.environ.get(SECONDS_VARIABLE, str(DEFAULT_SECONDS))
    if not seconds.isdecimal() or int(seconds) < 1:
        raise ValueError(f"{SECONDS_VARIABLE} must be a positive number of seconds; got {seconds!r}")
    # The transfers of Hugging Face's own protocol keep their data elsewhere, where `_watch` does not look.
    environment = os.environ | {"HF_HUB_DISABLE_XET": "1"}
    command = [sys.executable, "-P", __file__, source, seconds]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=environment) as process:
        try:
            answer, _ = process.communicate()
        except BaseException:  # Ctrl-C
            process.kill()
            raise
    try:
        found = json.loads(answer)
    except ValueError:
        raise HubError(f"the process that downloads ended with status {process.returncode}") from None
    if "error" in found:
        raise HubError(found["error"])
    return Path(found["folder"])


def fetch(source: str) -> Path:
    """Downloads a preset in this process, as slowly as its hub sends; see `download`.

    Args:
        source: As for `download`.

    Returns:
        The folder in the cache.

    Raises:
        Exception: The hubs' libraries and the transports below them raise errors of no common base.
    """
    if source.startswith(KAGGLE):
        from kagglehub import model_download

        return Path(model_download(source.removeprefix(KAGGLE)))
    repository, _, revision = source.removeprefix(HUGGING_FACE).partition("@")
    return _fetch_from_hugging_face(repository, revision or None)


def is_cached(source: str) -> bool:
    """Whether the cache of the Hugging Face hub has the weights of a preset.

    Args:
        source: As for `download`.

    Returns:
        True if `download` needs no network; always False for Kaggle.
    """
    if not source.startswith(HUGGING_FACE):
        return False
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    repository, _, revision = source.removeprefix(HUGGING_FACE).partition("@")
    try:
        folder = snapshot_download(repository, revision=revision or None, local_files_only=True)
    except LocalEntryNotFoundError:
        return False
    return any(any(Path(folder).glob(pattern)) for pattern in _SAFE_WEIGHTS + _PICKLED_WEIGHTS)


def _fetch_from_hugging_face(repository: str, revision: str | None) -> Path:
    """The cached snapshot of a repository: its safe weights, or its pickled ones where it has no others."""
    from huggingface_hub import HfApi, snapshot_download

    # The library looks at the variable only once, when it is imported.
    endpoint = os.environ.get("HF_ENDPOINT") or None
    if _COMMIT.fullmatch(revision or "") and not is_cached(f"{HUGGING_FACE}{repository}@{revision}"):
        # Fails at once where there is no network; listing the files of a commit tries for half a minute.
        HfApi(endpoint).repo_info(repository, revision=revision)
    for weights in (_SAFE_WEIGHTS, _PICKLED_WEIGHTS):
        folder = snapshot_download(
            repository,
            revision=revision,
            allow_patterns=_DESCRIPTIONS + weights,
            endpoint=endpoint,
        )
        if any(any(Path(folder).glob(pattern)) for pattern in weights):
            return Path(folder)
    raise FileNotFoundError(f"the repository has no file {', '.join(_SAFE_WEIGHTS + _PICKLED_WEIGHTS)}")


def _cache_of(source: str) -> Path:
    """Where the library keeps the files of a source, complete or not."""
    if source.startswith(KAGGLE):
        from kagglehub.config import get_cache_folder

        return Path(get_cache_folder(), "models", *source.removeprefix(KAGGLE).split("/")[:4])
    from huggingface_hub import constants

    repository = source.removeprefix(HUGGING_FACE).partition("@")[0]
    return Path(constants.HF_HUB_CACHE, f"models--{repository.replace('/', '--')}")


def _bytes_in(folder: Path) -> int:
    total = 0
    for file in folder.rglob("*"):
        with contextlib.suppress(OSError):  # renamed in the meantime
            total += file.lstat().st_size
    return total


def _watch(source: str, seconds: int, answers: int) -> None:
    """Ends this process once too little has arrived for too long."""
    folder, least = _cache_of(source), LEAST_BYTES_PER_SECOND * seconds
    while True:
        before = _bytes_in(folder)
        time.sleep(seconds)
        arrived = _bytes_in(folder) - before
        if arrived < least:
            reason = f"{max(arrived, 0)} bytes arrived in {seconds} s, and {least} are the least; try again later, or"
            _answer(answers, {"error": f"{reason} allow more time with the environment variable {SECONDS_VARIABLE}"})
            os._exit(1)


def _answer(descriptor: int, content: dict[str, str]) -> None:
    os.write(descriptor, json.dumps(content).encode())


def _main(source: str, seconds: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # What the libraries print must not get between the answer.
    answers = os.dup(1)
    os.dup2(2, 1)
    threading.Thread(target=_watch, args=(source, seconds, answers), daemon=True).start()
    try:
        content = {"folder": str(fetch(source))}
    except Exception as error:
        content = {"error": " ".join(f"{type(error).__name__}: {error}".split())}
    _answer(answers, content)
    os._exit(0)  # threads of the libraries may wait for a server still


if __name__ == "__main__":
    _main(sys.argv[1], int(sys.argv[2]))
