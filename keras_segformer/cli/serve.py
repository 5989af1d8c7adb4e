"""`keras-segformer serve`: segmentation over HTTP."""

from __future__ import annotations

import argparse
import functools
import socket
from collections.abc import Callable

import numpy as np

from keras_segformer.cli.predict import Model, check_seen_size, label_set_of, labelling
from keras_segformer.cli.serve_app import Limits, make_app
from keras_segformer.errors import MissingExtraError
from keras_segformer.evaluation import TFLiteModel
from keras_segformer.segformer import SegFormer

_CONNECTIONS_PER_PICTURE = 4


def run(args: argparse.Namespace) -> int:
    """Serves until it is interrupted or terminated; what waits then is still answered.

    Args:
        args: What the parser returns.

    Returns:
        0.

    Raises:
        FileNotFoundError: There is no such TF Lite file.
        InvalidPresetError: The preset's files are broken.
        MissingExtraError: FastAPI or uvicorn is not installed.
        OSError: The port is taken or may not be used.
        PresetNotFoundError: There is no such preset.
        ValueError: An option does not fit.
    """
    try:
        import uvicorn
    except ImportError as error:
        raise MissingExtraError("uvicorn", "serve") from error
    check_seen_size(args)
    with _listening(args.host, args.port) as listener:
        model = TFLiteModel(args.model) if args.model else SegFormer.from_preset(args.preset)
        limits = Limits(
            bytes=args.max_megabytes * 1_000_000,
            pixels=args.max_image_pixels or Limits.pixels,
            queue=args.queue,
            batch=args.batch or Limits.batch,
            seconds=args.timeout,
        )
        name = str(args.model or args.preset)
        app = make_app(_labelling_lists(model, args), label_set_of(model), name, limits)
        config = uvicorn.Config(
            app,
            log_level="warning",
            limit_concurrency=_CONNECTIONS_PER_PICTURE * args.queue + 16,
            timeout_keep_alive=5,
        )
        host, port = listener.getsockname()[:2]
        print(f"serving {name} at http://{host}:{port} (Ctrl+C ends it)", flush=True)
        uvicorn.Server(config).run(sockets=[listener])
    return 0


def _labelling_lists(model: Model, args: argparse.Namespace) -> Callable[[list[np.ndarray]], list[np.ndarray]]:
    segment = labelling(model, args)
    if isinstance(model, TFLiteModel):  # whose input is one picture
        return lambda pictures: list(map(segment, pictures))
    return functools.partial(segment, batch_size=args.batch)


def _listening(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), backlog=2048)
    except OSError as error:
        raise OSError(
            error.errno,
            f"cannot listen at {host}:{port} ({error.strerror}); choose another --host or --port",
        ) from error
