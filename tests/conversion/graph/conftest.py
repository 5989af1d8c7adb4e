"""Traced networks, computed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from keras_segformer.conversion.graph.network import Network
from keras_segformer.conversion.graph.trace import trace_network


@pytest.fixture
def traced_logits(photograph) -> Callable[..., np.ndarray]:
    """The logits of the graph of a network, with options of `trace_network`, for `photograph(height, width)`."""

    def compute(network: Network, height: int, width: int, **options: Any) -> np.ndarray:
        function = trace_network(network, (height, width), **options).function
        images = keras.ops.convert_to_tensor(photograph(height, width).astype("float32"))
        return function(images)["logits"].numpy()

    return compute
