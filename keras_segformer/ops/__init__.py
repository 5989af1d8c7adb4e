"""The computations behind layers, losses and metrics.

Each function picks the implementation for the backend, the device and the mode (training or inference) by itself, so
that callers only state the formula. What the choice depends on is in `_dispatch`, the gradients that TensorFlow trains
with in `_tensorflow_gradients`, and their kernels in `_xla_kernels`.
"""

from keras_segformer.ops.activations import activate, gelu
from keras_segformer.ops.attention import attend
from keras_segformer.ops.dropout import drop_maps
from keras_segformer.ops.labels import predicted_labels, with_channel_per_label
from keras_segformer.ops.linear import add_maps, linear_map
from keras_segformer.ops.losses import cross_entropy
from keras_segformer.ops.normalization import batch_norm, layer_norm
from keras_segformer.ops.pullback import pull_back
from keras_segformer.ops.replicas import global_mean, global_sum, num_replicas
from keras_segformer.ops.resize import resize_bilinear, spatial_shape

__all__ = [
    "activate",
    "add_maps",
    "attend",
    "batch_norm",
    "cross_entropy",
    "drop_maps",
    "gelu",
    "global_mean",
    "global_sum",
    "layer_norm",
    "linear_map",
    "num_replicas",
    "predicted_labels",
    "pull_back",
    "resize_bilinear",
    "spatial_shape",
    "with_channel_per_label",
]
