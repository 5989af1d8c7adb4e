"""What the libraries and apps that read a file expect of it.

Source: MediaPipe 1.2.3 (mediapipe/tasks/cc/vision/image_segmenter) and tflite-support 0.4.4, both tried with files of
this package; the operations of the Edge TPU are listed at coral.ai/docs/edgetpu/models-intro.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from .choices import ClientName, OutputKind


@dataclasses.dataclass(frozen=True, kw_only=True)
class Client:
    """A reader of files.

    Args:
        title: What it is called in messages.
        settings: The arguments of `convert` that suit it.
        outputs: The kinds of output that it reads correctly.
        takes_batches: Whether it takes files for several images at once.
        reason: What it does with other kinds, or why no file suits it.
    """

    title: str
    settings: Mapping[str, Any]
    outputs: tuple[OutputKind, ...]
    takes_batches: bool = False
    reason: str = ""


_ANY: tuple[OutputKind, ...] = ("labels", "labels_full", "logits", "probabilities")

_NOT_FOR_MICROCONTROLLERS = (
    "enlarged labels take more memory than the whole network, and probabilities are one more operation"
)

CLIENTS: Mapping[ClientName, Client] = MappingProxyType(
    {
        "app": Client(
            title="the Android demo",
            settings={"output": "labels"},
            outputs=("labels", "labels_full", "logits"),
            reason="it reads labels or logits",
        ),
        "mediapipe": Client(
            title="MediaPipe Tasks",
            settings={"output": "probabilities"},
            outputs=("probabilities", "logits"),
            reason="it takes every output for masks of floats and shows garbage for labels",
        ),
        "task-library": Client(
            title="the Task Library",
            settings={"output": "probabilities", "runtime": "tflite-2.16"},
            outputs=("probabilities",),
            reason="it looks for the largest value above 0, so that negative logits never win, and reads no labels",
        ),
        "gpu": Client(
            title="a GPU delegate",
            settings={"precision": "float16", "input": "float32", "tiles": False},
            outputs=_ANY,
            takes_batches=True,
        ),
        "npu": Client(
            title="an NPU",
            settings={"precision": "int8_npu", "tiles": False},
            outputs=_ANY,
            takes_batches=True,
        ),
        "mcu": Client(
            title="a microcontroller",
            settings={"precision": "int8_mcu"},
            outputs=("labels", "logits"),
            reason=_NOT_FOR_MICROCONTROLLERS,
        ),
        "ethos-u": Client(
            title="an Ethos-U",
            settings={"precision": "int8_mcu", "runtime": "ethos-u"},
            outputs=("labels", "logits"),
            reason=_NOT_FOR_MICROCONTROLLERS,
        ),
        "coral": Client(
            title="the Edge TPU of Coral",
            settings={},
            outputs=(),
            reason="its compiler has no BATCH_MATMUL, GELU or RSQRT, so that almost nothing would run on it; convert "
            "for the CPU of the board, with --precision int8 --runtime tflite-2.16",
        ),
    }
)
"""The readers by the names that `--for` takes."""


def options_for(client: ClientName) -> dict[str, Any]:
    """Look up the arguments of `convert` for whatever will read the file.

    Args:
        client: A key of `CLIENTS`.

    Returns:
        Keyword arguments, among them the client itself, so that arguments that contradict it are refused.

    Raises:
        ValueError: There is no such client, or no file suits it.

    Example:

    >>> options_for("mediapipe")
    {'output': 'probabilities', 'client': 'mediapipe'}
    """
    if client not in CLIENTS:
        raise ValueError(f"There is no client {client!r}; choose one of {', '.join(CLIENTS)}.")
    found = CLIENTS[client]
    if not found.outputs:
        raise ValueError(f"No file suits {found.title}: {found.reason}.")
    return {**found.settings, "client": client}


def check_client(client: ClientName | None, output: OutputKind, batch_size: int = 1) -> None:
    """Refuse an output that the client would misread, and a batch that it does not take.

    Args:
        client: A key of `CLIENTS`, or `None` for any reader.
        output: The kind of output.
        batch_size: The number of images in the input.

    Raises:
        ValueError: The client does not read such a file, or no file suits the client.
    """
    if client is None:
        return
    options_for(client)
    found = CLIENTS[client]
    if output not in found.outputs:
        raise ValueError(
            f"{found.title[0].upper()}{found.title[1:]} does not read {output}: {found.reason}; choose the output "
            f"{' or '.join(found.outputs)}."
        )
    if batch_size > 1 and not found.takes_batches:
        raise ValueError(
            f"{found.title[0].upper()}{found.title[1:]} takes one image at a time; leave out the batch size of "
            f"{batch_size}."
        )
