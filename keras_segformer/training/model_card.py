"""The model card: what a preset is, how it came about, and how good it is."""

from __future__ import annotations

import json
from importlib import metadata
from typing import Any

import keras

from keras_segformer.evaluation.evaluate import Evaluation
from keras_segformer.models import VARIANTS, SegFormerNetwork
from keras_segformer.presets.card import card_head, terms, use_and_limits
from keras_segformer.training.recipe import Recipe
from keras_segformer.training.run_state import RunState

_CARD = """\
{head}

# {title}

SegFormer ([arXiv 2105.15203](https://arxiv.org/abs/2105.15203)), {parameters:,} parameters, {num_classes} classes,
trained with keras-segformer {version} (Keras {keras_version}, {backend}).

```python
import keras_segformer

model = keras_segformer.SegFormer.from_preset("PATH/OF/THIS/FOLDER")
labels = model.segment("photo.jpg")
```

{use}

## Terms

{terms}

## Scores

Validation split of `{dataset}`, {count} pictures, {settings}: **mean IoU {mean_iou:.4f}**, pixel accuracy
{pixel_accuracy:.4f}. The weights are those of epoch {best_epoch} of {epochs}, chosen by the mean IoU on the same split.

| class | IoU | accuracy |
|---|---|---|
{classes}

![Training curve](curve.png)

## Training

Started from `{initial}`{random}. The recipe:

```json
{recipe}
```
"""


def model_card(recipe: Recipe, model: SegFormerNetwork, state: RunState, evaluation: Evaluation) -> str:
    """Writes the card of a finished run.

    Args:
        recipe: What the run followed.
        model: The result.
        state: The course of the run.
        evaluation: The result's scores.

    Returns:
        Markdown, with the head that the Hugging Face hub reads.
    """
    scores = evaluation.scores
    rows = zip(model.label_set.names, scores.iou, scores.accuracy, strict=True)
    return _CARD.format(
        head=card_head(
            recipe.title,
            model.license,
            recipe.dataset,
            {"mean_iou": scores.mean_iou, "pixel_accuracy": scores.pixel_accuracy},
        ),
        use=use_and_limits(model, model.label_set.title),
        title=recipe.title,
        dataset=recipe.dataset,
        parameters=model.count_params(),
        num_classes=model.config.num_classes,
        version=metadata.version("keras-segformer"),
        keras_version=keras.__version__,
        backend=keras.backend.backend(),
        terms=terms(model),
        count=len(evaluation.images),
        settings=_described(recipe.evaluation),
        mean_iou=scores.mean_iou,
        pixel_accuracy=scores.pixel_accuracy,
        best_epoch=state.best_epoch,
        epochs=state.epoch,
        classes="\n".join(f"| {name} | {iou:.3f} | {accuracy:.3f} |" for name, iou, accuracy in rows),
        initial=recipe.initial,
        random=" with random weights" if _is_random(recipe) else "",
        recipe=json.dumps(recipe.to_dict(), indent=2),
    )


def _is_random(recipe: Recipe) -> bool:
    return recipe.random_weights or recipe.initial in VARIANTS


def _described(evaluation: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in evaluation.items())
