"""`SegFormer`: the network with presets and prediction."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Literal

import keras
import numpy as np

from keras_segformer import predict, presets
from keras_segformer.images import ImageSource
from keras_segformer.label_sets import LabelSet
from keras_segformer.models import SegFormerNetwork
from keras_segformer.serialization import register
from keras_segformer.training import defaults
from keras_segformer.training.schedule import WarmupPolynomial


@register
class SegFormer(SegFormerNetwork):
    """SegFormer (arXiv 2105.15203) for Keras 3: a `keras.Model` from RGB images to class logits.

    Normalisation is inside. The constructor's arguments are those of
    its base class; `from_preset` is the usual way to one.

    Example:

    >>> from keras_segformer import SegFormer                          # doctest: +SKIP
    >>> model = SegFormer.from_preset("b0_ade20k")                     # doctest: +SKIP
    >>> labels = model.segment("photo.jpg")                            # doctest: +SKIP
    """

    _default_schedule: WarmupPolynomial | None = None

    @classmethod
    def from_preset(
        cls,
        preset: str | os.PathLike[str],
        num_classes: int | None = None,
        output_stride: int = 1,
        load_weights: bool = True,
        label_set: LabelSet | None = None,
        dtype: Any = None,
        **overrides: Any,
    ) -> SegFormer:
        """Load a model.

        Args:
            preset: One of
                - a name of the catalogue (`keras-segformer presets` lists them), looked up in the folders of
                  the environment variable `KERAS_SEGFORMER_PRESETS` and then downloaded;
                - a folder written by `save_to_preset` or by transformers, or holding one checkpoint of the
                  original code or of timm; or such a file itself;
                - `"hf://org/repo"`, `"hf://org/repo@revision"` or `"kaggle://owner/model/framework/variation"`.
            num_classes: Another number of classes than the preset's. The encoder is kept, and the decoder
                where shapes agree; the classifier starts afresh, and the log says so. Presets that are
                encoders (`mit_*`, `pvt_v2_*`) need it.
            output_stride: 1 for logits at the size of the image, 4 for logits at a quarter of it.
            load_weights: `False` builds the architecture with random weights, for names without network.
            label_set: Names and colours of the classes, if not the preset's.
            dtype: Dtype policy, such as `"mixed_float16"`; the global one by default.
            **overrides: Other fields of `SegFormerConfig` or `MixTransformerConfig` to change.

        Returns:
            The model.

        Raises:
            PresetNotFoundError: There is no such preset, or it cannot be downloaded; the message lists the
                searched places.
            InvalidPresetError: Its files are broken, or tensors are missing, left over, of another shape or
                not finite.
            ValueError: An argument is out of range.

        Example:

        >>> SegFormer.from_preset("mit_b0_imagenet", num_classes=11, drop_path_rate=0.2)  # doctest: +SKIP
        """
        return presets.load_segmenter(
            cls,
            preset,
            num_classes=num_classes,
            output_stride=output_stride,
            load_weights=load_weights,
            label_set=label_set,
            dtype=dtype,
            **overrides,
        )

    def compile(
        self,
        optimizer: Any = None,
        loss: Any = None,
        *,
        metrics: Any = None,
        **kwargs: Any,
    ) -> None:
        """Configure training; without arguments, as the paper trains.

        Args:
            optimizer: As for every Keras model. By default `GroupedAdamW` with the paper's rate of 6e-5, ten times
                of it for the decoder, decay .01, and a schedule whose length is that of the next `fit` where that
                is known (warm-up of 1,500 steps, at most a tenth of the run, then linear decay).
            loss: By default cross-entropy over the pixels that carry a label.
            metrics: By default mean IoU and pixel accuracy; `[]` for none.
            **kwargs: The other arguments of `keras.Model.compile`.

        Example:

        >>> model.compile()                                                # doctest: +SKIP
        >>> model.fit(dataset, epochs=20, validation_data=validation)      # doctest: +SKIP
        """
        self._default_schedule = None
        if optimizer is None:
            self._default_schedule = defaults.default_schedule()
            optimizer = defaults.default_optimizer(self._default_schedule)
        loss = defaults.default_loss(self.label_set) if loss is None else loss
        metrics = defaults.default_metrics(self.config.num_classes, self.label_set) if metrics is None else metrics
        super().compile(optimizer, loss, metrics=metrics, **kwargs)

    def fit(self, x: Any = None, y: Any = None, **kwargs: Any) -> Any:
        """Train; the arguments are those of `keras.Model.fit`.

        Args:
            x: A dataset of (images, integer masks), or images `(B, H, W, 3)`.
            y: Integer masks `(B, H, W)` for images that are no dataset; 255 is ignored.
            **kwargs: The other arguments of `keras.Model.fit`.

        Returns:
            The history.
        """
        steps = defaults.steps_of_fit(x, kwargs)
        if self.compiled and self._default_schedule is not None and steps is not None:
            defaults.stretch_schedule(self._default_schedule, int(self.optimizer.iterations), steps)
            self.train_function = None  # traced with the numbers of the schedule before
        if self.compiled and not self.optimizer.built and keras.backend.backend() == "tensorflow":
            # Were they created during the first step, TensorFlow would trace the step a second time, without.
            with self.distribute_strategy.scope():
                self.optimizer.build(self.trainable_variables)
        if hasattr(x, "element_spec"):
            # Keras warns that it cannot shuffle a `tf.data.Dataset`, which is its default.
            kwargs.setdefault("shuffle", False)
        return super().fit(x, y, **kwargs)

    def compile_from_config(self, config: dict[str, Any]) -> None:
        # Keras' own refuses classes that override `compile`.
        self.compile(**keras.saving.deserialize_keras_object(config))
        self.optimizer.build(self.trainable_variables)

    def save_to_preset(
        self,
        folder: str | os.PathLike[str],
        overwrite: bool = False,
        weights_dtype: Literal["float32", "float16"] = "float32",
    ) -> None:
        """Write a folder that `from_preset` reads: `config.json`, `model.weights.h5`, `preprocessor.json` and
        `metadata.json`, as KerasHub names them.

        Args:
            folder: The folder to write, whole or not at all.
            overwrite: Whether a folder that already holds something is replaced.
            weights_dtype: Dtype of the weights on disk; float16 halves the file.

        Raises:
            FileExistsError: The folder holds something and `overwrite` is false.
            ValueError: A weight is too large for float16.
        """
        presets.save_keras_folder(self, folder, overwrite, weights_dtype)

    def save_to_transformers(self, folder: str | os.PathLike[str], overwrite: bool = False) -> None:
        """Write a folder that transformers' `SegformerForSemanticSegmentation.from_pretrained` reads.

        Args:
            folder: The folder to write, whole or not at all.
            overwrite: Whether a folder that already holds something is replaced.

        Raises:
            FileExistsError: The folder holds something and `overwrite` is false.
            InvalidPresetError: The model has parts that transformers' SegFormer lacks.
        """
        presets.save_transformers_folder(self, folder, overwrite)

    def segment(
        self,
        images: ImageSource | Sequence[ImageSource],
        size: predict.SizeChoice = "aligned",
        probabilities: bool = False,
        max_pixels: int = predict.MAX_PIXELS,
    ) -> np.ndarray | predict.Segmentation | list[np.ndarray] | list[predict.Segmentation]:
        """Find the class of every pixel of one picture or several; `keras_segformer.predict.segment` documents it.

        Args:
            images: A path, a PIL image, an array `(H, W, 3)` on the scale 0..255, or a list of them.
            size: The size at which the network sees a picture: `"aligned"` (the evaluation of the paper),
                `"square"`, `"native"`, or `(height, width)` in pixels.
            probabilities: Whether to return the probability of every label too.
            max_pixels: The most pixels that the network sees at once; larger pictures are cut into windows.

        Returns:
            A label map `(H, W)`, int32, of the picture's own size; with `probabilities`, a `Segmentation`; a list
            of them for a list of pictures.

        Raises:
            FileNotFoundError: There is no such file.
            InvalidImageError: A picture is broken, no picture, or too small.
            ValueError: An argument is out of range, or the logits are not finite.

        Example:

        >>> SegFormer.from_preset("b0_ade20k").segment("photo.jpg").shape  # doctest: +SKIP
        (480, 640)
        """
        return predict.segment(self, images, size, probabilities, max_pixels)
