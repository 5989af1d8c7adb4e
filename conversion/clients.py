"""What the libraries and apps that read a file expect of it.

Source: MediaPipe 1.2.3 (mediapipe/tasks/cc/vision/image_segmenter) and tflite-support 0.4.4, both tried with files of
this package; the operations of the Edge TPU are listed at coral.ai/docs/edgetpu/models-intro.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from .choices import AnyPrecision, ClientName, OutputKind


@dataclasses.dataclass(frozen=True, kw_only=True)
class Client:
    """A reader of files.

    Args:
        title: What it is called in messages.
        settings: The arguments of `convert` that suit it.
        outputs: The kinds of output that it reads correctly.
        takes_batches: Whether it takes files for several images at once.
        reason: What it does with other kinds, or why no file suits it.
        max_labels: How many labels it tells apart; `None` for any number.
    """

    title: str
    settings: Mapping[str, Any]
    outputs: tuple[OutputKind, ...]
    takes_batches: bool = False
    reason: str = ""
    max_labels: int | None = None


_ANY: tuple[OutputKind, ...] = ("labels", "labels_full", "logits", "probabilities")

MASK_VALUES = 256
"""The values of a pixel in the category masks of MediaPipe Tasks and the Task Library, which are bytes."""

_FOR_MICROCONTROLLERS = "int8_mcu"

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
            max_labels=MASK_VALUES,
        ),
        "task-library": Client(
            title="the Task Library",
            settings={"output": "probabilities", "runtime": "tflite-2.16"},
            outputs=("probabilities",),
            reason="it looks for the largest value above 0, so that negative logits never win, and reads no labels",
            max_labels=MASK_VALUES,
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
            settings={"precision": _FOR_MICROCONTROLLERS},
            outputs=("labels", "logits"),
            reason=_NOT_FOR_MICROCONTROLLERS,
        ),
        "ethos-u": Client(
            title="an Ethos-U",
            settings={"precision": _FOR_MICROCONTROLLERS, "runtime": "ethos-u"},
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


def check_client(
    client: ClientName | None, output: OutputKind, batch_size: int = 1, precision: AnyPrecision = "float32"
) -> None:
    """Refuse an output that the client would misread, and a batch or a precision that it does not take.

    Args:
        client: A key of `CLIENTS`, or `None` for any reader.
        output: The kind of output.
        batch_size: The number of images in the input.
        precision: The precision of the file.

    Raises:
        ValueError: The client does not read such a file, or no file suits the client.
    """
    if client is None:
        return
    settings, found = options_for(client), CLIENTS[client]
    if output not in found.outputs:
        raise ValueError(
            f"{_capitalized(found.title)} does not read {output}: {found.reason}; choose the output "
            f"{' or '.join(found.outputs)}."
        )
    if batch_size > 1 and not found.takes_batches:
        raise ValueError(
            f"{_capitalized(found.title)} takes one image at a time; leave out the batch size of {batch_size}."
        )
    is_microcontroller = settings.get("precision") == _FOR_MICROCONTROLLERS
    if is_microcontroller and precision != _FOR_MICROCONTROLLERS:
        raise ValueError(
            f"{_capitalized(found.title)} takes files of the precision {_FOR_MICROCONTROLLERS}, not of {precision}; "
            "leave the precision out."
        )
    if precision == _FOR_MICROCONTROLLERS and not is_microcontroller:
        raise ValueError(
            f"{_capitalized(found.title)} does not take files of the precision {precision}, whose pictures have a "
            "border and are int8; choose another precision."
        )


def check_classes(client: ClientName | None, output: OutputKind, num_classes: int) -> None:
    """Refuse a network of more classes than the client tells apart, and a single logit that it would misread.

    Args:
        client: A key of `CLIENTS`, or `None` for any reader.
        output: The kind of output.
        num_classes: The number of logits.

    Raises:
        ValueError: The client does not read the output of such a network.

    Example:

    >>> check_classes("mediapipe", "probabilities", 150)
    """
    if client is None:
        return
    found = CLIENTS[client]
    if found.max_labels is not None and num_classes > found.max_labels:
        raise ValueError(
            f"{_capitalized(found.title)} tells {found.max_labels} classes apart, and the network has {num_classes}; "
            "leave the client (--for) out, and read the output yourself."
        )
    if client == "mediapipe" and output == "logits" and num_classes == 1:
        raise ValueError(
            "MediaPipe Tasks takes a single logit for that of class 0, and swaps foreground and background; choose the "
            "output probabilities."
        )


def _capitalized(title: str) -> str:
    return f"{title[0].upper()}{title[1:]}"
