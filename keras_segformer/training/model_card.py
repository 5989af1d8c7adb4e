"""The model card: what a preset is, how it was trained, and how good it is."""

from __future__ import annotations

import json
import shlex
from importlib import metadata
from typing import Any

import keras

from keras_segformer.evaluation.evaluate import Evaluation
from keras_segformer.models import SegFormerNetwork
from keras_segformer.presets.card import card_head, terms, use_and_limits
from keras_segformer.quiet import PROGRAM
from keras_segformer.training.distillation_run import describe_teacher
from keras_segformer.training.next_commands import evaluation_arguments
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

This command repeats these figures; at another `--size` or `--mode` the same weights give others. The curve below shows
validation during the run, where all pictures are resized to {validation_size}.

```bash
{command}
```

| class | IoU | accuracy |
|---|---|---|
{classes}

![Training curve](curve.png)

## Training

Started from `{initial}`{random}.
{teacher}
The recipe:

```json
{recipe}
```
"""


def model_card(
    recipe: Recipe,
    model: SegFormerNetwork,
    state: RunState,
    evaluation: Evaluation,
    teacher: SegFormerNetwork | None = None,
) -> str:
    """Writes the card of a finished run.

    Args:
        recipe: What the run followed.
        model: The result.
        state: The course of the run.
        evaluation: The result's scores.
        teacher: The model that it was distilled from, where there was one.

    Returns:
        Markdown, with the head that the Hugging Face hub reads.
    """
    scores = evaluation.scores
    rows = zip(model.label_set.names, scores.iou, scores.accuracy, strict=True)
    title = recipe.title or f"SegFormer on {recipe.dataset}"
    return _CARD.format(
        head=card_head(
            title,
            model.license,
            recipe.dataset,
            {"mean_iou": scores.mean_iou, "pixel_accuracy": scores.pixel_accuracy},
        ),
        use=use_and_limits(model, model.label_set.title),
        title=title,
        dataset=recipe.dataset,
        parameters=model.count_params(),
        num_classes=model.label_set.num_classes,
        version=metadata.version("keras-segformer"),
        keras_version=keras.__version__,
        backend=keras.backend.backend(),
        terms=terms(model),
        count=len(evaluation.images),
        settings=_described(recipe.evaluation),
        validation_size="x".join(map(str, recipe.validation_size)),
        command=shlex.join([PROGRAM, *evaluation_arguments(recipe, "PATH/OF/THIS/FOLDER", "PATH/OF/THE/DATA")]),
        mean_iou=scores.mean_iou,
        pixel_accuracy=scores.pixel_accuracy,
        best_epoch=state.best_epoch,
        epochs=state.epoch,
        classes="\n".join(f"| {name} | {iou:.3f} | {accuracy:.3f} |" for name, iou, accuracy in rows),
        initial=recipe.initial,
        random=" with random weights" if recipe.has_random_weights else "",
        teacher=describe_teacher(recipe, teacher),
        recipe=json.dumps(recipe.to_dict(), indent=2),
    )


def _described(evaluation: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in evaluation.items())
