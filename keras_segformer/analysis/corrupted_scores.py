"""`robustness`: scores of a model on corrupted pictures (paper section 4.4, table 5)."""

from __future__ import annotations

import dataclasses
import functools
import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from keras_segformer.analysis.corruption_names import CORRUPTIONS, PAPER_CLEAN
from keras_segformer.analysis.corruptions import corrupt, import_library
from keras_segformer.data.examples import Examples
from keras_segformer.evaluation import ClassMapping, TFLiteModel, evaluate
from keras_segformer.evaluation.choices import Mode
from keras_segformer.evaluation.evaluate import decoded, segmenter
from keras_segformer.models import SegFormerNetwork
from keras_segformer.predict import SizeChoice

CLEAN = "clean"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Robustness:
    """Mean IoU on clean and on corrupted pictures, from 0 to 1.

    Args:
        clean: That of the pictures as they are; `None` while it is not known.
        scores: Those of corrupted pictures, by corruption and severity.
    """

    clean: float | None = None
    scores: Mapping[str, Mapping[int, float]] = dataclasses.field(default_factory=dict)

    @property
    def by_corruption(self) -> dict[str, float]:
        """The mean over the severities of every corruption, as in the paper's table."""
        return {name: statistics.fmean(scores.values()) for name, scores in self.scores.items()}

    @property
    def mean(self) -> float | None:
        """The mean over all corruptions; `None` without any."""
        means = self.by_corruption.values()
        return statistics.fmean(means) if means else None

    def relative(self, score: float | None) -> float | None:
        """A score's share of the clean one; `None` where there is none."""
        return score / self.clean if self.clean and score is not None else None

    def with_score(self, corruption: str, severity: int, score: float) -> Robustness:
        """The same with one more score; `"clean"` is a corruption here."""
        if corruption == CLEAN:
            return dataclasses.replace(self, clean=score)
        of_corruption = {**self.scores.get(corruption, {}), severity: score}
        return dataclasses.replace(self, scores={**self.scores, corruption: of_corruption})

    def to_dict(self) -> dict[str, Any]:
        """Returns all scores as JSON takes them, beside the paper's.

        Example:

        >>> Robustness(clean=0.5).with_score("fog", 1, 0.25).to_dict()["corruptions"]["fog"]["of_clean"]
        0.5
        """
        corruptions = {}
        for name, mean in self.by_corruption.items():
            paper = CORRUPTIONS[name]
            corruptions[name] = {
                "group": paper.group,
                "severities": {str(severity): score for severity, score in self.scores[name].items()},
                "mean": mean,
                "of_clean": self.relative(mean),
                "paper_b5_of_clean": paper.paper_b5 / PAPER_CLEAN["b5"],
                "paper_deeplab_of_clean": paper.paper_deeplab / PAPER_CLEAN["deeplab"],
            }
        return {
            "clean": self.clean,
            "mean": self.mean,
            "of_clean": self.relative(self.mean),
            "paper_b5_of_clean": paper_mean_of_clean("b5"),
            "paper_deeplab_of_clean": paper_mean_of_clean("deeplab"),
            "corruptions": corruptions,
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Robustness:
        """Reads what `to_dict` returned."""
        scores = {
            name: {int(severity): float(score) for severity, score in each["severities"].items()}
            for name, each in content["corruptions"].items()
        }
        return cls(clean=content["clean"], scores=scores)


class CorruptedPicture(NamedTuple):
    """A corrupted picture and what a model sees in it.

    Args:
        corruption: One of the corruptions.
        severity: From 1 to 5.
        image: `(H, W, 3)`, uint8.
        predictions: Class indices of the data set, `(H, W)`, integer.
    """

    corruption: str
    severity: int
    image: np.ndarray
    predictions: np.ndarray


def paper_mean_of_clean(model: str) -> float:
    """The share of its clean mean IoU that a model of the paper keeps on average.

    Args:
        model: `"b5"` or `"deeplab"`.

    Returns:
        The share, over the rounded values of table 5.

    Example:

    >>> round(paper_mean_of_clean("b5"), 3), round(paper_mean_of_clean("deeplab"), 3)
    (0.799, 0.442)
    """
    scores = [getattr(corruption, f"paper_{model}") for corruption in CORRUPTIONS.values()]
    return statistics.fmean(scores) / PAPER_CLEAN[model]


def robustness(
    model: SegFormerNetwork | TFLiteModel,
    examples: Examples,
    corruptions: Sequence[str] | None = None,
    severities: Sequence[int] | None = None,
    seed: int = 0,
    mode: Mode = "whole",
    size: SizeChoice | None = None,
    class_mapping: ClassMapping | None = None,
    antialias: bool = False,
    known: Robustness | None = None,
    on_score: Callable[[Robustness], None] = lambda result: None,
    progress: Callable[[str, int], Callable[[], None]] = lambda description, steps: lambda: None,
) -> Robustness:
    """Measures mean IoU on clean pictures and on pictures of every corruption and severity.

    Args:
        model: The network, or a TF Lite file.
        examples: The data set. Its pictures are corrupted at their own size.
        corruptions: Which of the sixteen corruptions of Cityscapes-C; all by default.
        severities: Those that are used of the paper's, which are 1 to 3 for noise and 1 to 5 for the others; all by
            default.
        seed: Number of the run. A picture's corruption depends on it, on the corruption, the severity and the file name
            alone.
        mode: As for `keras_segformer.evaluation.evaluate`.
        size: The same.
        class_mapping: The same.
        antialias: The same.
        known: What was measured before, which is not measured again.
        on_score: Called with all scores so far after each, to keep them.
        progress: A function of a description and a number of steps; what it returns is called after every step.

    Returns:
        The scores, with what was known, in the order of the paper's table.

    Raises:
        InvalidDatasetError: As for `evaluate`.
        InvalidImageError: A picture is smaller than 32x32 pixels.
        MissingExtraError: `imagecorruptions-imaug` is not installed.
        ValueError: A corruption or severity is not among the paper's, or the model does not fit the data set.

    Source: the paper, section 4.4; Kamann and Rother, arXiv 1908.05005.

    Example:

    ```python
    result = robustness(model, data.load("camvid", "val", "CamVid"), corruptions=["fog", "snow"])
    print(result.by_corruption, result.relative(result.mean))
    ```
    """
    import_library()  # before hours of clean scores
    known = known or Robustness()
    pairs = [
        (name, severity)
        for name, severity in chosen_pairs(corruptions, severities)
        if severity not in known.scores.get(name, {})
    ]
    if known.clean is None:
        pairs = [(CLEAN, 0), *pairs]
    advance = progress("Evaluating", len(pairs) * examples.size)
    for corruption, severity in pairs:
        change = functools.partial(_corrupted, corruption=corruption, severity=severity, seed=seed)
        evaluation = evaluate(
            model,
            examples,
            mode=mode,
            size=size,
            class_mapping=class_mapping,
            antialias=antialias,
            progress=functools.partial(_counted, advance=advance),
            transform=None if corruption == CLEAN else change,
        )
        known = known.with_score(corruption, severity, evaluation.scores.mean_iou)
        on_score(known)
    ordered = {name: dict(sorted(known.scores[name].items())) for name in CORRUPTIONS if name in known.scores}
    return Robustness(clean=known.clean, scores=ordered)


def chosen_pairs(
    corruptions: Sequence[str] | None = None, severities: Sequence[int] | None = None
) -> list[tuple[str, int]]:
    """Lists corruptions with their severities.

    Args:
        corruptions: As for `robustness`.
        severities: As for `robustness`.

    Returns:
        The pairs, in the order of the paper's table.

    Raises:
        ValueError: A corruption or severity is not among the paper's.

    Example:

    >>> len(chosen_pairs()), chosen_pairs(["fog"], [1, 3])
    (72, [('fog', 1), ('fog', 3)])
    """
    unknown = [name for name in corruptions or () if name not in CORRUPTIONS]
    if unknown:
        raise ValueError(f"`corruptions` must be among {', '.join(CORRUPTIONS)}; got {', '.join(unknown)}.")
    pairs = [
        (name, severity)
        for name, each in CORRUPTIONS.items()
        for severity in each.severities
        if (corruptions is None or name in corruptions) and (severities is None or severity in severities)
    ]
    missed = [name for name in corruptions or () if name not in dict(pairs)]
    if missed or not pairs:
        raise ValueError(
            f"There is no severity for {missed[0] if missed else 'any corruption'}: noise has 1 to 3, the others "
            "have 1 to 5; choose others."
        )
    return pairs


def corrupted_pictures(
    model: SegFormerNetwork | TFLiteModel,
    examples: Examples,
    corruptions: Sequence[str],
    severity: int = 3,
    seed: int = 0,
    class_mapping: ClassMapping | None = None,
    **options: Any,
) -> list[CorruptedPicture]:
    """Segments the first picture of a data set under several corruptions.

    Args:
        model: The network, or a TF Lite file.
        examples: The data set.
        corruptions: The corruptions.
        severity: From 1 to 5.
        seed: As for `robustness`.
        class_mapping: The same.
        **options: `mode`, `size` and `antialias`, the same.

    Returns:
        The pictures, of which the first is clean.

    Example:

    ```python
    pictures = corrupted_pictures(model, examples, ["fog", "snow"])
    ```
    """
    name, image, _ = next(decoded(examples))
    segment = segmenter(model, **options)
    found = []
    for corruption in (CLEAN, *corruptions):
        seen = image if corruption == CLEAN else corrupt(image, corruption, severity, seed, name)
        predictions = segment(seen)
        predictions = class_mapping.apply(predictions) if class_mapping else predictions
        found.append(CorruptedPicture(corruption, severity, seen, predictions))
    return found


def _corrupted(name: str, image: np.ndarray, corruption: str, severity: int, seed: int) -> np.ndarray:
    return corrupt(image, corruption, severity, seed, name)


def _counted(items: Iterable[Any], advance: Callable[[], None]) -> Iterator[Any]:
    for item in items:
        yield item
        advance()
