"""Distillation: besides the masks, a student learns from the logits of a teacher.

Keras has a `keras.distillation.Distiller` since version 3.12, later than the oldest version that this package supports.
It is not used where it exists either: it wants the same number of logits of both at the full size, has no masks, hence
no ignored pixels, compares a single logit with a softmax (which is constant), and is itself the model that is trained,
so that checkpoints hold the teacher and the checks of `SegFormer.fit` do not take place. Here the student stays the
model that is compiled, trained and saved; a term is added to its loss.
"""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeVar

from keras import ops

from keras_segformer.evaluation.class_mapping import ClassMapping, class_mapping_names
from keras_segformer.label_sets import LabelSet
from keras_segformer.licenses import License
from keras_segformer.mask_rules import MaskRules
from keras_segformer.mask_tensors import read_labels
from keras_segformer.models import SegFormerNetwork
from keras_segformer.ops import resize_bilinear, spatial_shape, with_channel_per_label
from keras_segformer.presets import load_segmenter
from keras_segformer.training.choices import DISTILLATION_KINDS
from keras_segformer.training.distillation_losses import channel_distillation, pixel_distillation

Network = TypeVar("Network", bound=SegFormerNetwork)
DistillationKind = Literal["pixel", "channel"]
MappingChoice = ClassMapping | Sequence[int] | str | os.PathLike[str]


@dataclasses.dataclass(frozen=True)
class TeacherSettings:
    """Who teaches, and how much: the entry `teacher` of a recipe.

    Args:
        preset: The teacher: anything that `SegFormer.from_preset` takes.
        kind: `"pixel"` compares the classes at every position, `"channel"` the positions of every class.
        temperature: What the logits of both are divided by before the softmax; by default 1 for `"pixel"` and 4, as in
            the paper, for `"channel"`.
        weight: Factor of the term beside the loss of the masks.
        class_mapping: The student's class for each of the teacher's, where their classes differ: indices, the name of
            a class mapping of the package, or a JSON file.

    Raises:
        TypeError: A value of another type.
        ValueError: A value is out of range.

    Example:

    >>> TeacherSettings("b0_ade20k", class_mapping="ade20k_to_camvid").temperature
    1.0
    """

    preset: str
    kind: DistillationKind = "pixel"
    temperature: float | None = None
    weight: float = 1.0
    class_mapping: Sequence[int] | str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.preset, str) or not self.preset:
            raise TypeError(f"`preset` of the teacher must be the name or folder of a preset; got {self.preset!r}.")
        if self.kind not in DISTILLATION_KINDS:
            raise ValueError(f"`kind` must be one of {', '.join(DISTILLATION_KINDS)}; got {self.kind!r}.")
        if self.temperature is None:
            object.__setattr__(self, "temperature", 4.0 if self.kind == "channel" else 1.0)
        for field in ("temperature", "weight"):
            value = getattr(self, field)
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            if not (is_number and 0 < value < math.inf):
                raise ValueError(f"`{field}` of the teacher must be a number above 0; got {value!r}.")
        mapping = self.class_mapping
        if isinstance(mapping, Sequence) and not isinstance(mapping, str):
            ClassMapping(tuple(mapping))
        elif not isinstance(mapping, str | None):
            raise TypeError(f"`class_mapping` must be a list of class indices, a name or a file; got {mapping!r}.")


def distill(
    student: Network,
    teacher: SegFormerNetwork | str | os.PathLike[str] | None,
    kind: DistillationKind = "pixel",
    temperature: float | None = None,
    weight: float = 1.0,
    class_mapping: MappingChoice | None = None,
) -> Network:
    """Lets a model learn from another one too, in every `fit` from now on.

    A training step adds `weight` times the distance of the logits of both, at a quarter of the pictures' size, to the
    loss. The teacher sees the same augmented pictures in inference mode (no dropout, running statistics in batch norm).
    It is frozen, and is not a part of the student: neither `save` nor checkpoints hold it, so call this again after
    loading. Validation is as without a teacher. Positions without label count in neither loss, which leaves out what
    augmentation padded.

    The teacher needs memory for its parameters, four bytes each in float32, and every step also takes its forward pass.
    `benchmarks/distillation.py` measures both.

    A student with logits of the full size has them reduced to a quarter; one with `output_stride=4` saves that.

    Args:
        student: The model to train, before or after `compile`.
        teacher: A trained model or the preset of one; `None` ends the distillation.
        kind: `"pixel"` compares the classes at every position (Hinton et al. 2015), `"channel"` the positions of every
            class (CWD, Shu et al. 2021).
        temperature: What the logits of both are divided by before the softmax; by default 1 for `"pixel"` and 4, as in
            the paper, for `"channel"`.
        weight: Factor of the term. The paper of CWD has 3 for logits.
        class_mapping: The student's class for each of the teacher's, where their classes differ: indices, a
            `ClassMapping`, the name of one of the package, or a JSON file. Several classes of the teacher may become
            one. Where the teacher sees a class that the student lacks, or the mask has a class that the teacher
            lacks, nothing is learnt from the teacher.

    Returns:
        The student, whose licence is joined with that of a teacher that must not be used commercially.

    Raises:
        InvalidPresetError: The preset's files are broken.
        PresetNotFoundError: There is no such preset.
        ValueError: The classes of both differ and no mapping is given, the mapping does not fit, a number is out of
            range, or the teacher is the student itself or no SegFormer.

    Source: Hinton et al. 2015 (arXiv 1503.02531); Shu et al. 2021 (arXiv 2011.13256).

    Example:

    >>> from keras_segformer import SegFormer
    >>> student = SegFormer("b0", num_classes=11, output_stride=4)
    >>> student = distill(student, SegFormer("b1", num_classes=11), kind="channel", weight=3.0)
    >>> # Now `student.compile()` and `student.fit(...)` as ever.
    """
    student.train_function = None  # a step that was traced before knows another teacher or none
    if teacher is None:
        student.distillation = None
        return student
    if not isinstance(teacher, SegFormerNetwork | str | os.PathLike):
        raise ValueError(f"The teacher must be a SegFormer or the preset of one; got {type(teacher).__name__}.")
    name = teacher.name if isinstance(teacher, SegFormerNetwork) else os.fspath(teacher)
    settings = TeacherSettings(name, kind, temperature, weight)
    if not isinstance(teacher, SegFormerNetwork):
        teacher = load_segmenter(SegFormerNetwork, teacher, dtype=student.dtype_policy)
    if teacher is student:
        raise ValueError("A model cannot be its own teacher; give another one.")
    mapping = None if class_mapping is None else _read_mapping(class_mapping)
    check_classes(teacher.label_set, student.label_set, mapping)
    teacher.trainable = False
    student.distillation = _Distillation(teacher, settings, mapping, student.label_set.num_classes)
    student.license = joint_license(student.license, teacher.license)
    return student


def check_classes(teacher: LabelSet, student: LabelSet, class_mapping: MappingChoice | None) -> None:
    """Refuses to distil between classes that do not correspond.

    Args:
        teacher: The teacher's classes.
        student: The student's.
        class_mapping: As given to `distill`.

    Raises:
        FileNotFoundError: There is no such class mapping.
        ValueError: They differ and there is no mapping, or it does not fit.

    Example:

    >>> check_classes(LabelSet.generic(3), LabelSet.generic(3), None)
    """
    if class_mapping is not None:
        _read_mapping(class_mapping).check(teacher.num_classes, student.num_classes)
        return
    numbered = [labels.names == LabelSet.generic(labels.num_classes).names for labels in (teacher, student)]
    same = teacher.names == student.names or any(numbered)
    if teacher.num_classes != student.num_classes or not same:
        known = f"{teacher.name}_to_{student.name}"
        remedy = f"such as {known!r}" if known in class_mapping_names() else "a list of the student's indices"
        raise ValueError(
            f"The teacher has the {teacher.num_classes} classes of {teacher.name!r} ({teacher.names[0]}, …), the "
            f"student the {student.num_classes} of {student.name!r} ({student.names[0]}, …); say which are the same "
            f"with `class_mapping`, {remedy}."
        )


def joint_license(own: License | None, teacher: License | None) -> License | None:
    """The terms of a student: its own, and those of a teacher that must not be used commercially.

    Args:
        own: The terms of what the student itself is made of.
        teacher: The teacher's terms.

    Returns:
        The terms; free ones of a teacher add nothing.

    Example:

    >>> research = License("Research", "https://example.org/research", non_commercial=True)
    >>> joint_license(None, research) == research
    True
    """
    if teacher is None or not teacher.non_commercial:
        return own
    if own is None or not own.non_commercial:
        return teacher
    if teacher.name in own.name.split(" AND "):
        return own
    return License(f"{own.name} AND {teacher.name}", f"{own.url} and {teacher.url}", non_commercial=True)


class _Distillation:
    """The term that a teacher adds to the loss of a student.

    A plain object, so that Keras does not take the teacher for a part of the student that holds it.
    """

    def __init__(
        self, teacher: SegFormerNetwork, settings: TeacherSettings, mapping: ClassMapping | None, num_labels: int
    ) -> None:
        self.teacher = teacher
        self._weight = settings.weight
        self._temperature = settings.temperature
        self._distance = channel_distillation if settings.kind == "channel" else pixel_distillation
        self._num_labels = num_labels
        self._sources = None if mapping is None else _sources(mapping.targets, num_labels)

    def __call__(self, images: Any, masks: Any, logits: Any, sample_weight: Any, ignore_class: int) -> Any:
        """The term.

        Args:
            images: `(B, H, W, 3)`, as the student sees them.
            masks: `(B, H, W)` or `(B, H, W, 1)`.
            logits: The student's, at the full or a quarter of the size.
            sample_weight: As given to `fit`.
            ignore_class: The mask value of pixels without label.

        Returns:
            A scalar.
        """
        wanted = ops.stop_gradient(ops.cast(self.teacher.quarter(images, training=False), "float32"))
        wanted = with_channel_per_label(wanted)
        size = spatial_shape(wanted)
        found = with_channel_per_label(resize_bilinear(ops.cast(logits, "float32"), size, training=True))
        weights = self._weights(masks, sample_weight, ignore_class, size)
        if self._sources is not None:
            wanted, is_mapped = _join(wanted, self._sources)
            weights = weights * is_mapped
            found = ops.take(found, list(self._sources), axis=-1)
        return self._weight * self._distance(wanted, found, weights, self._temperature)

    def _weights(self, masks: Any, sample_weight: Any, ignore_class: int, size: tuple[Any, Any]) -> Any:
        """How much every position counts, `(B, h, w)`: the share of its pixels with a label."""
        labels, labelled, _ = read_labels(ops.convert_to_tensor(masks), MaskRules(self._num_labels, ignore_class))
        weights = ops.cast(labelled, "float32")
        if self._sources is not None:
            taught = [float(index in self._sources) for index in range(self._num_labels)]
            weights = weights * ops.take(ops.convert_to_tensor(taught, "float32"), labels)
        if sample_weight is not None:
            sample_weight = ops.cast(ops.convert_to_tensor(sample_weight), "float32")
            if len(sample_weight.shape) == 1:
                sample_weight = sample_weight[:, None, None]  # (B,) → (B, 1, 1)
            weights = weights * sample_weight
        return resize_bilinear(weights[..., None], size)[..., 0]


def _read_mapping(choice: MappingChoice) -> ClassMapping:
    if isinstance(choice, ClassMapping):
        return choice
    return ClassMapping.load(choice) if isinstance(choice, str | os.PathLike) else ClassMapping(tuple(choice))


def _sources(targets: Sequence[int], num_labels: int) -> Mapping[int, list[int]]:
    """The teacher's classes for every class of the student that has some."""
    sources = {
        index: [source for source, target in enumerate(targets) if target == index] for index in range(num_labels)
    }
    return {index: those for index, those in sources.items() if those}


def _join(logits: Any, sources: Mapping[int, list[int]]) -> tuple[Any, Any]:
    """The logits of the student's classes that a teacher gives, and its probability that it is one of them.

    The probability of several classes together is the sum of theirs, hence its logit their `logsumexp`.
    """
    joint = ops.stack([ops.logsumexp(ops.take(logits, those, axis=-1), axis=-1) for those in sources.values()], axis=-1)
    share = ops.exp(ops.logsumexp(joint, axis=-1) - ops.logsumexp(logits, axis=-1))
    return joint, share
