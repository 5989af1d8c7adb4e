"""The web application of `keras-segformer serve`."""

from __future__ import annotations

import asyncio
import dataclasses
import html
import io
import json
import queue
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, Any, Literal

import numpy as np
from PIL import Image, UnidentifiedImageError

from keras_segformer.cli.outputs import class_areas
from keras_segformer.cli.serve_queue import SegmentQueue
from keras_segformer.errors import InvalidImageError, MissingExtraError
from keras_segformer.image_formats import open_image
from keras_segformer.images import load_image
from keras_segformer.label_sets import LabelSet
from keras_segformer.mask_images import mask_image
from keras_segformer.visualization import overlay

try:
    import python_multipart  # noqa: F401 - FastAPI looks for it when the application is made
    from fastapi import FastAPI, File, HTTPException, Query, Request, Response, UploadFile
    from fastapi.responses import HTMLResponse
    from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
    from starlette.concurrency import run_in_threadpool
    from starlette.types import ASGIApp, Message, Receive, Scope, Send
except ImportError as error:
    raise MissingExtraError(str(error.name), "serve") from error

_FORM_BYTES = 10_000  # around a file in a form
_DECODERS = 4  # pictures that are decoded or drawn at the same time, each of which may take much memory
_RETRY = {"Retry-After": "1"}
_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{name}</title>
<style>body {{ font: 16px sans-serif; max-width: 40em; margin: 3em auto }} form {{ display: grid; gap: 1em }}</style>
<h1>{name}</h1>
<form action="segment" method="post" enctype="multipart/form-data"
onsubmit="this.action = 'segment?output=' + kind.value">
<label>Picture <input type="file" name="image" accept="image/*" required></label>
<label>Answer <select id="kind"><option>overlay<option>mask<option>json</select></label>
<button>Segment</button>
</form>
<p><a href="docs">API</a> · <a href="health">health</a> · <a href="metrics">metrics</a></p>
</html>
"""


@dataclasses.dataclass(frozen=True)
class Limits:
    """What the server takes on.

    Args:
        bytes: The largest request.
        pixels: The largest picture.
        queue: How many pictures may wait.
        batch: How many of those go to the model together at most.
        seconds: How long a picture may wait for its answer.
    """

    bytes: int = 20_000_000
    pixels: int = 25_000_000
    queue: int = 32
    batch: int = 8
    seconds: float = 30.0


def make_app(
    segment: Callable[[list[np.ndarray]], Sequence[np.ndarray]], label_set: LabelSet, name: str, limits: Limits
) -> FastAPI:
    """Makes the application.

    Args:
        segment: Finds the labels `(H, W)` of every picture `(H, W, 3)`, uint8, of a list.
        label_set: Names and colours of the classes.
        name: What the model is called.
        limits: What it takes on.

    Returns:
        An ASGI application.

    Example:

    ```python
    uvicorn.run(make_app(model.segment, model.label_set, "b0_camvid", Limits()))
    ```
    """
    metrics = _Metrics()
    waiting = SegmentQueue(segment, limits.queue, limits.batch, metrics.batches.observe)
    metrics.waiting.set_function(lambda: len(waiting))
    decoders = asyncio.Semaphore(_DECODERS)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        await run_in_threadpool(waiting.close)

    app = FastAPI(title=f"keras-segformer: {name}", lifespan=lifespan)
    app.add_middleware(_LimitedBody, limit=limits.bytes + _FORM_BYTES)

    @app.middleware("http")
    async def count(request: Request, call_next: Any) -> Any:
        begin = time.perf_counter()
        response = await call_next(request)
        if request.url.path == "/segment":
            metrics.requests.labels(str(response.status_code)).inc()
            metrics.seconds.observe(time.perf_counter() - begin)
        return response

    @app.post(
        "/segment",
        responses={
            200: {"content": {"image/png": {}, "application/json": {}}, "description": "What `output` asks for."},
            413: {"description": "The request or the picture is too large."},
            415: {"description": "The file is not a picture of a format that is read."},
            422: {"description": "The picture is broken."},
            429: {"description": "Too many pictures wait; try again later."},
            503: {"description": "The answer took too long."},
        },
    )
    async def segment_picture(
        image: Annotated[UploadFile, File(description="The picture, such as a JPEG or PNG file.")],
        output: Annotated[
            Literal["mask", "json", "overlay"],
            Query(description="A PNG of class indices with a palette, the areas of the classes, or a picture."),
        ] = "mask",
    ) -> Response:
        """Segment a picture."""
        if waiting.is_full:
            raise _too_many()
        async with decoders:
            pixels = await run_in_threadpool(_decode, image.file, limits.pixels)
        labels = await _labels(waiting, pixels, limits.seconds)
        async with decoders:
            return await run_in_threadpool(_answer, pixels, labels, label_set, output)

    @app.get("/health")
    async def health() -> dict[str, Any]:
        """Whether the server is up."""
        return {"status": "ok", "model": name, "classes": label_set.names, "waiting": len(waiting)}

    @app.get("/metrics", response_class=Response)
    async def show_metrics() -> Response:
        """Counters in the format of Prometheus."""
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    @app.get("/", response_class=HTMLResponse, include_in_schema=False)
    async def page() -> str:
        return _PAGE.format(name=html.escape(name))

    return app


class _Metrics:
    """What Prometheus collects, apart for every application."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.requests = Counter("segformer_requests", "Answers by their status", ["status"], registry=registry)
        self.seconds = Histogram("segformer_request_seconds", "Time to the answer", registry=registry)
        self.batches = Histogram(
            "segformer_batch_size", "Pictures taken together", buckets=(1, 2, 4, 8, 16, 32), registry=registry
        )
        self.waiting = Gauge("segformer_waiting", "Pictures that wait", registry=registry)


class _LimitedBody:
    """Refuses requests that are too long, by their header or as they arrive."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app, self._limit = app, limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        stated = dict(scope["headers"]).get(b"content-length", b"0")
        if not stated.isdigit() or len(stated) > 18 or int(stated) > self._limit:
            response = Response(self._message(), status_code=413, media_type="text/plain")
            await response(scope, receive, send)
            return
        received = 0

        async def limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._limit:
                raise HTTPException(413, self._message())
            return message

        await self._app(scope, limited, send)

    def _message(self) -> str:
        return f"a request may have {self._limit / 1e6:.0f} MB; send a smaller picture"


def _decode(file: Any, max_pixels: int) -> np.ndarray:
    """Decodes an uploaded picture; the formats are those that are trusted."""
    try:
        with open_image(file) as image:
            if image.width * image.height > max_pixels:
                raise HTTPException(413, f"a picture may have {max_pixels} pixels; send a smaller one")
            return load_image(image)
    except Image.DecompressionBombError as error:
        raise HTTPException(413, f"a picture may have {max_pixels} pixels; send a smaller one") from error
    except UnidentifiedImageError as error:
        raise HTTPException(415, "the file is not an image of a format that is read; send PNG or JPEG") from error
    except (InvalidImageError, OSError, SyntaxError, ValueError) as error:
        raise HTTPException(422, str(error)) from error


async def _labels(waiting: SegmentQueue, pixels: np.ndarray, seconds: float) -> np.ndarray:
    try:
        future = waiting.submit(pixels)
    except queue.Full as error:
        raise _too_many() from error
    try:
        return await asyncio.wait_for(asyncio.wrap_future(future), seconds)
    except TimeoutError as error:
        raise HTTPException(503, f"the answer took longer than {seconds:g} s; try again later", _RETRY) from error
    except InvalidImageError as error:
        raise HTTPException(422, str(error)) from error


def _answer(pixels: np.ndarray, labels: np.ndarray, label_set: LabelSet, output: str) -> Response:
    if output == "json":
        counts = np.bincount(labels.ravel(), minlength=label_set.num_classes)
        facts = {"height": labels.shape[0], "width": labels.shape[1], "classes": class_areas(counts, label_set)}
        return Response(json.dumps(facts), media_type="application/json")
    image = mask_image(labels, label_set) if output == "mask" else Image.fromarray(overlay(pixels, labels, label_set))
    content = io.BytesIO()
    image.save(content, format="PNG")
    return Response(content.getvalue(), media_type="image/png")


def _too_many() -> HTTPException:
    return HTTPException(429, "too many pictures wait; try again later", _RETRY)
