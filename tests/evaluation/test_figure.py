"""Pictures of evaluations."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from keras_segformer.evaluation import ConfusionMatrix, Evaluation, ImageScore, SegmentedImage
from keras_segformer.evaluation.figure import draw_evaluation
from keras_segformer.label_sets import LabelSet, load_label_set


def evaluation(label_set: LabelSet, num_worst: int, seed: int = 0) -> Evaluation:
    """Random counts, with a class that does not occur and predictions of no class."""
    generator = np.random.default_rng(seed)
    confusion = ConfusionMatrix(label_set.num_classes)
    confusion.counts += generator.integers(0, 1000, confusion.counts.shape)
    confusion.counts[-1], confusion.counts[:, -2] = 0, 0
    labels = generator.integers(0, label_set.num_classes, (2, 30, 40))
    labels[:, :5] = 255
    image = generator.integers(0, 256, (30, 40, 3), dtype=np.uint8)
    score = ImageScore("a.png", 0.5, 0.25)
    predictions = np.where(labels[1] == 0, label_set.num_classes, labels[1])
    return Evaluation(
        label_set=label_set,
        confusion=confusion,
        boundary_iou=confusion.scores().iou / 2,
        images=(score,) * 7,
        worst=(SegmentedImage(score, image, labels[0].astype(np.uint8), predictions),) * num_worst,
        settings={},
        seconds=1.0,
    )


def texts(figure) -> set[str]:
    pytest.importorskip("matplotlib")
    from matplotlib.text import Text

    return {text.get_text() for text in figure.findobj(Text)}


@pytest.mark.parametrize(("name", "num_worst"), [("camvid", 5), ("ade20k", 1), ("camvid", 0)])
def test_figure(tmp_path, name, num_worst):
    pytest.importorskip("matplotlib")
    label_set = load_label_set(name)
    subject = evaluation(label_set, num_worst)
    figure = draw_evaluation(subject)
    figure.savefig(tmp_path / "figure.png")
    with Image.open(tmp_path / "figure.png") as picture:
        assert min(picture.size) > 1000
        assert max(picture.size) < 3000
    bars, matrix, *worst = figure.findobj(lambda artist: artist.__class__.__name__ == "Axes")
    occurring = ~np.isnan(subject.scores.iou)
    assert [bar.get_height() for bar in bars.patches] == sorted(subject.scores.iou[occurring], reverse=True)
    assert [label.get_text() for label in matrix.get_yticklabels()] == list(label_set.names)
    assert matrix.get_xticklabels()[-1].get_text() == "none"
    shares = matrix.images[0].get_array()
    np.testing.assert_allclose(shares[:-1].sum(axis=1), 1)
    assert shares.mask[-1].all()
    assert len(worst) == 3 * num_worst
    assert ("prediction: 50.0% of the pixels right" in texts(figure)) == (num_worst > 0)
