"""The parts of a model card that do not depend on how the model was trained.

The head is the one that the Hugging Face hub reads: https://github.com/huggingface/hub-docs/blob/main/modelcard.md
"""

from __future__ import annotations

from collections.abc import Mapping

from keras_segformer.licenses import License
from keras_segformer.models import SegFormerNetwork

TAGS = ("keras", "keras-segformer", "segformer", "semantic-segmentation")

_HUB_LICENSES = {"Apache-2.0": "apache-2.0", "CC-BY-NC-4.0": "cc-by-nc-4.0"}
_METRICS = {"mean_iou": "Mean IoU", "pixel_accuracy": "Pixel accuracy"}
_CARD = """\
{head}

# {title}

SegFormer ([arXiv 2105.15203](https://arxiv.org/abs/2105.15203)), {parameters:,} parameters. Classes: {classes}.

{use}

## Terms

{terms}
"""


def card_head(
    title: str, license: License | None, dataset: str | None = None, scores: Mapping[str, float] | None = None
) -> str:
    """Writes the metadata of a card.

    Args:
        title: The model's name.
        license: The terms of the weights.
        dataset: The data set that it was trained on.
        scores: Its scores on the validation split of that: `"mean_iou"` and `"pixel_accuracy"`, from 0 to 1.

    Returns:
        YAML between two lines of dashes.

    Example:

    >>> print(card_head("Streets", None, "camvid", {"mean_iou": 0.5}).splitlines()[-2].strip())
    name: Mean IoU
    """
    from huggingface_hub import EvalResult, ModelCardData  # takes a second

    results = [
        EvalResult(
            task_type="image-segmentation",
            dataset_type=dataset,
            dataset_name=dataset,
            dataset_split="validation",
            metric_type=metric,
            metric_name=_METRICS[metric],
            metric_value=round(value, 4),
        )
        for metric, value in (scores or {}).items()
    ]
    data = ModelCardData(
        library_name="keras",
        pipeline_tag="image-segmentation",
        tags=list(TAGS),
        datasets=[dataset] if dataset else None,
        model_name=title,
        eval_results=results or None,
        **_license_fields(license),
    )
    return f"---\n{data.to_yaml()}\n---"


def use_and_limits(model: SegFormerNetwork, trained_on: str = "") -> str:
    """Writes what a model is meant for, and what it is not.

    Args:
        model: The model.
        trained_on: The title of its data set.

    Returns:
        Two sections of Markdown.
    """
    like = f" like those of {trained_on}" if trained_on else " like those it was trained on"
    use = "non-commercial use" if model.license and model.license.non_commercial else "any use that its terms allow"
    return f"""\
## Intended use

Semantic segmentation of pictures{like}: one of {max(model.config.num_classes, 2)} classes for every pixel; and as a
start for fine-tuning on other classes. For {use}.

## Limits

- It knows no other classes, and gives one of its own to everything that it sees.
- Pictures unlike its training data, in place, camera, weather or light, come out worse than any score here.
- Classes that are small or rare in the training data are recognised worst.
- Its probabilities are not calibrated.
- It is not made for decisions on which somebody's safety or rights depend."""


def terms(model: SegFormerNetwork) -> str:
    """Writes the terms of a model's weights and of its training data, as far as they are known.

    Args:
        model: The model.

    Returns:
        A paragraph each.
    """
    stated = [model.license.terms] if model.license else []
    if model.label_set.licence:
        stated.append(f"Trained on {model.label_set.title}. {model.label_set.licence}.")
    return "\n\n".join(stated) or "None were stated for the initial weights or the data."


def preset_card(model: SegFormerNetwork, title: str) -> str:
    """Writes the card of a preset of which only the files are known.

    Args:
        model: The preset's model.
        title: Its name.

    Returns:
        Markdown, without scores.
    """
    return _CARD.format(
        head=card_head(title, model.license),
        title=title,
        parameters=model.count_params(),
        classes=", ".join(model.label_set.names),
        use=use_and_limits(model),
        terms=terms(model),
    )


def _license_fields(license: License | None) -> dict[str, str]:
    if license is None:
        return {}
    if license.name in _HUB_LICENSES:
        return {"license": _HUB_LICENSES[license.name]}
    return {"license": "other", "license_name": license.name.lower().replace(" ", "-"), "license_link": license.url}
