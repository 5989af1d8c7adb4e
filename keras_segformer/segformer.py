"""`SegFormer`: the network with presets and prediction."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from typing import Any, Literal

import keras
import numpy as np

from keras_segformer import predict, presets
from keras_segformer.images import ImageSource
from keras_segformer.label_sets import LabelSet
from keras_segformer.mask_rules import MaskRules
from keras_segformer.models import SegFormerNetwork
from keras_segformer.serialization import register
from keras_segformer.training import defaults
from keras_segformer.training.compile_checks import check_takes_logits
from keras_segformer.training.fit_checks import (
    check_callbacks,
    check_class_weight,
    check_masks,
    check_scale,
    check_validation_data,
)
from keras_segformer.training.losses import SegmentationLoss
from keras_segformer.training.schedule import FitLengthSchedule


@register
class SegFormer(SegFormerNetwork):
    """SegFormer (arXiv 2105.15203) for Keras 3: a `keras.Model` from RGB images to class logits.

    Normalisation is inside. `from_preset` is the usual way to one with weights; the constructor's are random.

    Args:
        config: The hyper-parameters: a name of `VARIANTS` such as `"b0"`, a `SegFormerConfig`, or its dictionary.
            `config.encoder` is `None` if and only if a backbone is given.
        backbone: A model from `(B, H, W, 3)` to four feature maps, finest (stride 4) first; for example one of
            `keras.applications` cut at four layers. A `MixTransformer` of `config.encoder` by default.
        label_set: Names and colours of the classes; numbered ones by default.
        license: The terms of the weights, where they have any.
        dtype: Dtype policy of every layer, the global one by default.
        name: Name of the model.
        trainable: Whether the variables are trained.
        **overrides: Fields of `SegFormerConfig` or `MixTransformerConfig` to change: `num_classes=11`,
            `output_stride=4`, `drop_path_rate=0.2`.

    Attributes:
        pyramid_outputs: The four feature maps for `keras.Model(model.input, model.pyramid_outputs)`, by KerasHub's
            names: `"P2"` (stride 4) to `"P5"` (stride 32).
        backbone: The encoder, which takes normalised images: `(images - config.image_mean) / config.image_std`.
        decoder: The `MLPDecoder`.

    Raises:
        ValueError: A value out of range, or Keras' image data format is "channels_first".
        UnknownKeywordError: An override that is not a field; the message has the nearest one.

    Example:

    >>> from keras_segformer import SegFormer
    >>> SegFormer("b0", num_classes=11).output_shape
    (None, None, None, 11)
    >>> # A preset has weights:
    >>> model = SegFormer.from_preset("b0_camvid")
    >>> model.segment(np.zeros((64, 96, 3), "uint8")).shape  # or the path of a picture
    (64, 96)
    """

    _default_schedule: FitLengthSchedule | None = None
    _trained: frozenset[str] | None = None

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

        >>> SegFormer.from_preset("b0_camvid", num_classes=3, drop_path_rate=0.2).output_shape
        (None, None, None, 3)
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
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: bool | Literal["auto"] = "auto",
        auto_scale_loss: bool = True,
        learning_rate: Any = None,
    ) -> None:
        """Configure training; without arguments, as the paper trains.

        Args:
            optimizer: As for every Keras model. By default `GroupedAdamW` with the paper's rate of 6e-5, ten times
                of it for the decoder, decay .01, and a schedule whose length is that of the next `fit` where that
                is known (warm-up of 1,500 steps, at most a tenth of the run, then linear decay).
            loss: By default cross-entropy over the pixels that carry a label.
            loss_weights: As for every Keras model.
            metrics: By default mean IoU and pixel accuracy over the pixels that the loss counts; `[]` for none.
            weighted_metrics: As for every Keras model. The metrics of this package count pixels and take no weights.
            run_eagerly: As for every Keras model.
            steps_per_execution: As for every Keras model.
            jit_compile: As for every Keras model.
            auto_scale_loss: As for every Keras model.
            learning_rate: A rate, constant or a schedule, for the default optimizer instead of the paper's. With a
                constant one the callbacks `ReduceLROnPlateau` and `LearningRateScheduler` can set it.

        Raises:
            ValueError: A learning rate beside an optimizer, which has its own; or a loss or metric of Keras' that takes
                probabilities or labels, where the model gives logits.

        Example:

        >>> model = SegFormer("b0", num_classes=3)
        >>> model.compile()
        >>> type(model.optimizer).__name__
        'GroupedAdamW'
        """
        if optimizer is not None and learning_rate is not None:
            raise ValueError("`learning_rate` is for the default optimizer; give it to yours when you make that.")
        if optimizer is None:
            rate = defaults.default_schedule() if learning_rate is None else learning_rate
            optimizer = defaults.default_optimizer(rate)
        if loss is None:
            loss = defaults.default_loss(self.label_set)
        if metrics is None:
            ignored = loss.ignore_class if isinstance(loss, SegmentationLoss) else self.label_set.ignore_index
            metrics = defaults.default_metrics(self.config.num_classes, ignored)
        given_metrics = [metrics, weighted_metrics]
        check_takes_logits(loss, given_metrics, self.config.num_classes, self.label_set.ignore_index)
        super().compile(
            optimizer,
            loss,
            loss_weights=loss_weights,
            metrics=metrics,
            weighted_metrics=weighted_metrics,
            run_eagerly=run_eagerly,
            steps_per_execution=steps_per_execution,
            jit_compile=jit_compile,
            auto_scale_loss=auto_scale_loss,
        )
        schedule = getattr(optimizer, "schedule", None)
        self._trained = None
        self._default_schedule = schedule if isinstance(schedule, FitLengthSchedule) else None

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: Any = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: Any = 1,
    ) -> keras.callbacks.History:
        """Train; the arguments are those of `keras.Model.fit`.

        With the loss of this package, masks are checked before the first step: arrays whole, the first batches of a
        data set. It warns where a class set makes no sense.

        Args:
            x: A dataset of (images, integer masks), or images `(B, H, W, 3)`.
            y: Integer masks `(B, H, W)` or `(B, H, W, 1)` if `x` is images rather than a dataset; 255 is ignored.
            batch_size: As for every Keras model.
            epochs: As for every Keras model.
            verbose: As for every Keras model.
            callbacks: As for every Keras model.
            validation_split: As for every Keras model.
            validation_data: As for every Keras model.
            shuffle: As for every Keras model.
            class_weight: Not taken, since a mask has pixels of many classes; use
                `compile(loss=SegmentationLoss(class_weights=[...]))`.
            sample_weight: One number per picture `(B,)` or per pixel `(B, H, W)`, not negative.
            initial_epoch: As for every Keras model.
            steps_per_epoch: As for every Keras model.
            validation_steps: As for every Keras model.
            validation_batch_size: As for every Keras model.
            validation_freq: As for every Keras model.

        Returns:
            The history.

        Raises:
            InvalidDatasetError: Masks have another shape or aspect ratio, or labels that are not a class.
            ValueError: `class_weight`, pictures or `validation_data` without masks, weights that are negative, not
                finite or all zero, or a callback that sets a learning rate which follows a schedule.
        """
        check_class_weight(class_weight, self.config.num_classes)
        check_callbacks(callbacks, self._default_schedule)
        check_validation_data(validation_data)
        x = self._checked(x, y, "The training masks", sample_weight)
        if isinstance(validation_data, list | tuple):
            images, masks, *weights = validation_data
            self._checked(images, masks, "The validation masks", *weights)
        else:
            validation_data = self._checked(validation_data, None, "The validation masks")
        self._prepare_optimizer(x, batch_size, epochs, initial_epoch, steps_per_epoch, validation_split)
        if y is None and not isinstance(x, keras.utils.PyDataset):
            shuffle = False  # Keras warns of its own default where it cannot shuffle
        return super().fit(
            x=x,
            y=y,
            batch_size=batch_size,
            epochs=epochs,
            verbose=verbose,
            callbacks=callbacks,
            validation_split=validation_split,
            validation_data=validation_data,
            shuffle=shuffle,
            class_weight=class_weight,
            sample_weight=sample_weight,
            initial_epoch=initial_epoch,
            steps_per_epoch=steps_per_epoch,
            validation_steps=validation_steps,
            validation_batch_size=validation_batch_size,
            validation_freq=validation_freq,
        )

    def evaluate(self, x: Any = None, y: Any = None, *args: Any, **kwargs: Any) -> Any:
        """Compute loss and metrics; the arguments are those of `keras.Model.evaluate`.

        Args:
            x: A dataset of (images, integer masks), or images `(B, H, W, 3)`.
            y: Integer masks `(B, H, W)` or `(B, H, W, 1)` if `x` is images rather than a dataset; 255 is ignored.
            *args: As for every Keras model.
            **kwargs: As for every Keras model.

        Returns:
            Loss and metrics.

        Raises:
            InvalidDatasetError: Masks have another shape or aspect ratio, or labels that are not a class.
        """
        if not kwargs.get("_use_cached_eval_dataset"):  # a call by `fit`, which has checked them
            x = self._checked(x, y, "The masks", kwargs.get("sample_weight"))
        return super().evaluate(x, y, *args, **kwargs)

    def train_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """Make one training step; the arguments are those of `keras.Model.train_on_batch`.

        Args:
            x: Images `(B, H, W, 3)`.
            y: Integer masks `(B, H, W)` or `(B, H, W, 1)`; 255 is ignored.
            sample_weight: One number per picture `(B,)` or per pixel `(B, H, W)`, not negative.
            class_weight: Not taken, as by `fit`.
            return_dict: As for every Keras model.

        Returns:
            Loss and metrics.

        Raises:
            ValueError: `class_weight`.
        """
        check_class_weight(class_weight, self.config.num_classes)
        return super().train_on_batch(x, y, sample_weight, return_dict=return_dict)

    def _checked(self, x: Any, y: Any, what: str, sample_weight: Any = None) -> Any:
        """The data, whose masks are fit for the loss of this package, if that is used."""
        if not (self.compiled and isinstance(self.loss, SegmentationLoss)):
            return x
        rules = MaskRules.of_logits(self.config.num_classes, self.loss.ignore_class)
        return check_masks(x, y, rules, self.label_set.names, what, sample_weight)

    def _prepare_optimizer(
        self,
        data: Any,
        batch_size: int | None,
        epochs: int,
        initial_epoch: int,
        steps_per_epoch: int | None,
        split: float,
    ) -> None:
        """Sets the default schedule to the run, and makes the optimizer's variables."""
        if not self.compiled:
            return
        epsilon = getattr(self.optimizer, "epsilon", 1.0)
        if self.dtype_policy.variable_dtype == "float16" and np.float16(epsilon) == 0:
            raise ValueError(
                f"The optimizer divides by 0, since neither the squares of gradients nor its `epsilon` of {epsilon:g} "
                "can be told from 0 in float16; make the model with dtype='mixed_float16', whose weights are float32."
            )
        if self._default_schedule is not None:
            steps = defaults.steps_of_fit(data, batch_size, epochs, initial_epoch, steps_per_epoch, split)
            if steps is None and epochs > initial_epoch:
                warnings.warn(
                    "The number of steps is unknown, so that the learning rate stays at 6e-5 after its warm-up instead "
                    "of decaying; give `steps_per_epoch`, or compile with a schedule of your own as `learning_rate`.",
                    stacklevel=3,
                )
            # A distributed variable is not a number, but has a value.
            first_step = int(keras.ops.convert_to_numpy(self.optimizer.iterations))
            defaults.fit_schedule(self._default_schedule, first_step, steps)
            self.train_function = None  # traced with the numbers of the schedule before
        if not self.optimizer.built and keras.backend.backend() == "tensorflow":
            # Were they created during the first step, TensorFlow would trace the step a second time, without.
            with self.distribute_strategy.scope():
                self.optimizer.build(self.trainable_variables)
        self._check_trained()

    def _check_trained(self) -> None:
        """Refuses variables that were frozen when the optimizer was built, which Keras prints at length."""
        paths = frozenset(variable.path for variable in self.trainable_variables)
        if self.optimizer.built and self._trained is not None and not paths <= self._trained:
            raise ValueError(
                f"{len(paths - self._trained)} variables were not trainable when training began; call `compile` again "
                "after `trainable` has changed."
            )
        self._trained = self._trained or paths

    def compile_from_config(self, config: dict[str, Any]) -> None:
        # Keras' own refuses classes that override `compile`.
        self.compile(**keras.saving.deserialize_keras_object(config))
        self.optimizer.build(self.trainable_variables)
        self._check_trained()

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
        antialias: bool = False,
        batch_size: int | None = None,
    ) -> np.ndarray | predict.Segmentation | list[np.ndarray] | list[predict.Segmentation]:
        """Find the class of every pixel of one picture or several; `keras_segformer.predict.segment` documents it.

        Args:
            images: A path, a PIL image, an array `(H, W, 3)` on the scale 0..255, or a list of them.
            size: The size at which the network sees a picture: `"aligned"` (the evaluation of the paper),
                `"square"`, `"native"`, or `(height, width)` in pixels.
            probabilities: Whether to return the probability of every label too.
            max_pixels: The most pixels that the network sees at once; larger pictures are cut into windows.
            antialias: Whether pictures are resized with antialiasing, as transformers does;
                `size="square", antialias=True` is its picture size.
            batch_size: How many pictures of a list, seen at the same size, go through the network together at most;
                by default 1 on a CPU and 8 elsewhere.

        Returns:
            A label map `(H, W)`, int32, of the picture's own size; with `probabilities`, a `Segmentation`; a list
            of them for a list of pictures.

        Raises:
            FileNotFoundError: There is no such file.
            InvalidImageError: A file is broken, is not a picture, or the picture is too small.
            ValueError: An argument is out of range, or the logits are not finite.

        Example:

        >>> SegFormer.from_preset("b0_camvid").segment(np.zeros((64, 96, 3), "uint8")).shape
        (64, 96)
        """
        return predict.segment(self, images, size, probabilities, max_pixels, antialias, batch_size)

    def predict(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """Compute logits; the arguments are those of `keras.Model.predict`. Pictures on another scale are warned of.

        Args:
            x: Images `(B, H, W, 3)` on the scale 0..255, or a dataset of them.
            *args: As for every Keras model.
            **kwargs: As for every Keras model.

        Returns:
            Logits, as of a call.
        """
        check_scale([x], stacklevel=3)
        return super().predict(x, *args, **kwargs)
