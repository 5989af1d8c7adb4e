"""The SegFormer network: normalisation, encoder, decoder (paper figure 2)."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Any

import keras

from keras_segformer.keywords import check_keywords
from keras_segformer.label_sets import LabelSet
from keras_segformer.layers import ResizeLike
from keras_segformer.licenses import License
from keras_segformer.models.config import MixTransformerConfig, SegFormerConfig, field_names
from keras_segformer.models.mix_transformer import MixTransformer, pyramid
from keras_segformer.models.mlp_decoder import MLPDecoder
from keras_segformer.models.refusals import check_backbone, check_channels_last, refuse_quantization
from keras_segformer.models.trainable import set_trainable_flags, trainable_flags
from keras_segformer.models.variants import resolve_config
from keras_segformer.serialization import register

MIN_IMAGE_SIZE = 32
"""Smallest height and width in pixels: the first stage reduces its keys by 8 after a stride of 4."""

_OWN_KEYWORDS = {"config", "backbone", "label_set", "license", "dtype", "name", "trainable"}
_KEYWORDS = _OWN_KEYWORDS | field_names(SegFormerConfig) | field_names(MixTransformerConfig)


@register
class SegFormerNetwork(keras.Model):
    """From RGB images to logits; `keras_segformer.SegFormer` adds presets and prediction.

    Args:
        config: The hyper-parameters: a `SegFormerConfig`, its dictionary, or a name such as `"b0"`. `config.encoder` is
            `None` if and only if a backbone is given.
        backbone: A model from `(B, H, W, 3)` to four feature maps, finest (stride 4) first; for example one of
            `keras.applications` cut at four layers. A `MixTransformer` of `config.encoder` by default.
        label_set: Names and colours of the classes; numbered ones by default.
        license: The terms of the weights, where they have any.
        dtype: Dtype policy of every layer, the global one by default. Under half-precision policies the
            logits are float32 all the same.
        name: Name of the model.
        trainable: Whether the variables are trained.
        **overrides: Fields of `SegFormerConfig` or `MixTransformerConfig` to change: `num_classes=11`,
            `output_stride=4`, `drop_path_rate=0.2`.

    Attributes:
        pyramid_outputs: The four feature maps as symbolic tensors of the functional model, by KerasHub's names: `"P2"`
            (stride 4) to `"P5"` (stride 32). `keras.Model(model.input, model.pyramid_outputs)` computes them from
            images.
        backbone: The encoder, which takes normalised images: `(images - image_mean) / image_std`.
        decoder: The `MLPDecoder`.

    Returns (of a call):
        For RGB images `(B, H, W, 3)` on the scale 0..255, uint8 or float, with H, W >= 32: logits
        `(B, H, W, num_classes)`, or `(B, ceil(H / 4), ceil(W / 4), num_classes)` at output stride 4.

    Raises:
        ValueError: Input of another rank, number of channels, dtype, or smaller than 32x32 pixels; or Keras' image data
            format is "channels_first".
        UnknownKeywordError: An override that is not a field; the message has the nearest one.

    Example:

    >>> model = SegFormerNetwork("b0", num_classes=11)
    >>> model(keras.ops.ones((1, 64, 96, 3), dtype="uint8")).shape
    TensorShape([1, 64, 96, 11])
    """

    distillation: Callable[..., Any] | None = None
    """What `keras_segformer.training.distill` adds to the loss of a training step."""

    def __init__(
        self,
        config: SegFormerConfig | Mapping[str, Any] | str,
        backbone: keras.Model | None = None,
        label_set: LabelSet | Mapping[str, Any] | None = None,
        license: License | Mapping[str, Any] | None = None,
        dtype: Any = None,
        name: str = "segformer",
        trainable: bool = True,
        **overrides: Any,
    ) -> None:
        check_channels_last()
        check_keywords(type(self).__name__, overrides, _KEYWORDS)
        config = resolve_config(config).replace(**overrides)
        label_set = LabelSet.from_dict(label_set) if isinstance(label_set, Mapping) else label_set
        license = License(**license) if isinstance(license, Mapping) else license
        policy = keras.dtype_policies.get(dtype or keras.config.dtype_policy())
        if backbone is not None:
            check_backbone(backbone)
        if (config.encoder is None) != (backbone is not None):
            raise ValueError("Give either an encoder in the config or a backbone of your own, and not both.")
        if label_set and not label_set.fits(config.num_classes):
            raise ValueError(
                f"The label set {label_set.name!r} names {label_set.num_classes} classes, the model has "
                f"{config.num_classes}; give one that fits, or none."
            )

        # === Layers ===
        scale = [1 / std for std in config.image_std]
        offset = [-mean / std for mean, std in zip(config.image_mean, config.image_std, strict=True)]
        # Half precision would round normalised bytes to three digits and logits before the loss sees them.
        full_precision = keras.backend.result_type(policy.compute_dtype, "float32")
        normalization = keras.layers.Rescaling(scale, offset, dtype=full_precision, name="normalization")
        encoder = MixTransformer(config.encoder, dtype=policy, name="backbone") if backbone is None else backbone
        decoder = MLPDecoder(
            config.num_classes,
            config.decoder_width,
            config.decoder_stages,
            config.decoder_dropout,
            dtype=policy,
            name="decoder",
        )

        # === Functional model ===
        images = keras.Input((None, None, 3), name="images", dtype="float32")
        normalised = normalization(images)
        features = encoder(normalised)
        logits = decoder(features)
        if config.output_stride == 1:
            logits = ResizeLike(dtype=full_precision, name="logits")([logits, images])
        elif policy.compute_dtype != full_precision:
            logits = keras.layers.Identity(dtype=full_precision, name="logits")(logits)
        super().__init__(inputs=images, outputs=logits, name=name)

        # === Config ===
        self.dtype_policy = policy
        self.config = config
        self.backbone = encoder
        if backbone is None:
            encoder.place = (normalised, tuple(features))
        self.decoder = decoder
        self.label_set = label_set or LabelSet.generic(config.num_classes)
        self.license = license
        self.pyramid_outputs = pyramid(features)
        if not trainable:
            self.trainable = False  # of every layer inside, which Keras' own argument is not

    def __call__(self, images: Any, *args: Any, **kwargs: Any) -> Any:
        _check_images(images)
        return super().__call__(images, *args, **kwargs)

    @functools.cached_property
    def quarter(self) -> keras.Model:
        """The same network with the same variables, its logits left at a quarter of the images' size."""
        # Keras does not track cached properties as attributes: the shared layers are saved once.
        return keras.Model(self.input, self.decoder.output, name="quarter")

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        loss = super().compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, training=training)
        if self.distillation is None or not training:
            return loss
        ignore_class = getattr(self.loss, "ignore_class", self.label_set.ignore_index)
        return loss + self.distillation(x, y, y_pred, sample_weight, ignore_class)

    def quantize(self, mode: Any = None, *args: Any, **kwargs: Any) -> None:
        """Refused: Keras would quantise none of the layers that this network is made of.

        Raises:
            NotImplementedError: Always; the message names `keras_segformer.conversion.convert`.
        """
        refuse_quantization(mode)

    def get_config(self) -> dict[str, Any]:
        own_backbone = self.config.encoder is None
        return {
            "config": self.config.to_dict(),
            "backbone": keras.saving.serialize_keras_object(self.backbone) if own_backbone else None,
            "label_set": self.label_set.to_dict(),
            "license": self.license and dataclasses.asdict(self.license),
            "dtype": keras.dtype_policies.serialize(self.dtype_policy),
            "name": self.name,
            "trainable": self.trainable,
            # Keras restores what is frozen inside of an own backbone.
            "trainable_flags": trainable_flags(self, opaque=self.backbone if own_backbone else None),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> SegFormerNetwork:
        backbone = config.get("backbone")
        if isinstance(backbone, Mapping):
            backbone = keras.saving.deserialize_keras_object(backbone, custom_objects=custom_objects)
        arguments = {**config, "backbone": backbone}
        flags = arguments.pop("trainable_flags", {})
        model = cls(**arguments)
        set_trainable_flags(model, flags)
        return model


def _check_images(images: Any) -> None:
    """Refuse what would otherwise fail deep inside a layer, or silently mean something else."""
    shape = getattr(images, "shape", None)
    if shape is None:
        raise ValueError(
            f"Images come as one array (B, H, W, 3), got {type(images).__name__}; stack them with `numpy.stack`, or "
            "use `segment()` for paths and pictures of different sizes."
        )
    shape = tuple(shape)
    if len(shape) == 3:
        raise ValueError(f"Images need a batch axis: got shape {shape}; pass `image[None]`, or use `segment(image)`.")
    if len(shape) != 4 or shape[3] not in (3, None):
        raise ValueError(f"Images need the shape (B, H, W, 3), RGB on the scale 0..255; got {shape}.")
    dtype = keras.backend.standardize_dtype(images.dtype)
    if not dtype.startswith(("float", "bfloat", "int", "uint")):
        raise ValueError(f"Images need a numeric dtype, RGB on the scale 0..255; got {dtype}.")
    known = [length for length in shape[1:3] if length is not None]
    if known and min(known) < MIN_IMAGE_SIZE:
        raise ValueError(
            f"Images need at least {MIN_IMAGE_SIZE}x{MIN_IMAGE_SIZE} pixels, got {shape[1]}x{shape[2]}; enlarge them "
            'first, or use `segment(image, size="aligned")`.'
        )
