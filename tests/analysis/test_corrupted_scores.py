"""Scores on corrupted pictures, and what is made of them."""

from __future__ import annotations

import numpy as np
import pytest

from keras_segformer.analysis import Robustness, corrupt, corrupted_pictures, robustness
from keras_segformer.analysis.corrupted_scores import chosen_pairs, paper_mean_of_clean
from keras_segformer.evaluation import ClassMapping, ConfusionMatrix

CHOSEN = {"corruptions": ["contrast", "gaussian_noise"], "severities": [1, 3]}
SCORES = Robustness(clean=0.5, scores={"fog": {1: 0.4, 3: 0.2}, "snow": {5: 0.1}})


@pytest.fixture(scope="module")
def measured(library, model, examples) -> Robustness:
    return robustness(model, examples, **CHOSEN, seed=7)


def test_means_and_shares():
    assert SCORES.by_corruption == pytest.approx({"fog": 0.3, "snow": 0.1})
    assert SCORES.mean == pytest.approx(0.2)  # over corruptions, not over severities
    assert SCORES.relative(SCORES.mean) == pytest.approx(0.4)
    assert (Robustness().mean, Robustness().relative(0.3), SCORES.relative(None)) == (None, None, None)
    assert Robustness(clean=0.0).relative(0.3) is None


def test_json_keeps_everything():
    content = SCORES.to_dict()
    assert Robustness.from_dict(content) == SCORES
    assert content["of_clean"] == pytest.approx(0.4)
    fog = content["corruptions"]["fog"]
    assert (fog["group"], fog["of_clean"]) == ("weather", pytest.approx(0.6))
    assert (fog["paper_b5_of_clean"], fog["paper_deeplab_of_clean"]) == (78.5 / 82.4, 47.4 / 72.0)
    assert Robustness.from_dict(Robustness().to_dict()) == Robustness()


def test_the_papers_means():
    """65.8 and 31.8 % over the sixteen columns."""
    assert round(82.4 * paper_mean_of_clean("b5"), 1) == 65.8
    assert round(72.0 * paper_mean_of_clean("deeplab"), 1) == 31.8


def test_pairs_follow_the_paper():
    assert len(chosen_pairs()) == 72
    pairs = chosen_pairs(["fog", "shot_noise"], [3, 4])
    assert pairs == [("shot_noise", 3), ("fog", 3), ("fog", 4)]
    with pytest.raises(ValueError, match=r"must be among motion_blur, .*; got rain, hail"):
        chosen_pairs(["fog", "rain", "hail"])
    with pytest.raises(ValueError, match="for shot_noise: noise has 1 to 3, the others have 1 to 5; choose others"):
        chosen_pairs(["fog", "shot_noise"], [4])
    with pytest.raises(ValueError, match="no severity for any corruption"):
        chosen_pairs(None, [])


def test_scores_are_those_of_corrupted_pictures(measured, model, examples):
    matrices = {name: ConfusionMatrix(3) for name in ("clean", "gaussian_noise")}
    for record in examples.encoded.as_numpy_iterator():
        image, labels = (np.asarray(each) for each in examples.decode(record))
        noisy = corrupt(image, "gaussian_noise", 3, seed=7, name=record["file_name"].decode())
        matrices["clean"].update(labels, model.segment(image, size="aligned"))
        matrices["gaussian_noise"].update(labels, model.segment(noisy, size="aligned"))
    assert measured.clean == matrices["clean"].scores().mean_iou
    assert measured.scores["gaussian_noise"][3] == matrices["gaussian_noise"].scores().mean_iou
    assert {name: list(scores) for name, scores in measured.scores.items()} == {
        "gaussian_noise": [1, 3],
        "contrast": [1, 3],
    }


def test_what_is_known_is_not_measured_again(measured, model, examples, monkeypatch):
    """A run that is interrupted after any of its scores ends like one that is not."""
    kept: list[Robustness] = []

    class Interrupted(Exception):
        pass

    def interrupt(result: Robustness) -> None:
        kept.append(result)
        if len(kept) == 3:
            raise Interrupted

    with pytest.raises(Interrupted):
        robustness(model, examples, **CHOSEN, seed=7, on_score=interrupt)
    steps: list[int] = []

    def progress(description, total):
        steps.append(total)
        return lambda: steps.append(-1)

    known = Robustness.from_dict(kept[-1].to_dict())
    assert robustness(model, examples, **CHOSEN, seed=7, known=known, progress=progress) == measured
    assert steps[0] == 2 * examples.size == -sum(steps[1:])  # two of five scores were missing
    monkeypatch.setattr("keras_segformer.analysis.corrupted_scores.evaluate", None)
    assert robustness(model, examples, **CHOSEN, seed=7, known=measured) == measured


@pytest.mark.usefixtures("library")
def test_one_picture_under_corruptions(model, examples):
    mapping = ClassMapping((1, 2, 3))  # 3 is no class
    pictures = corrupted_pictures(model, examples, ["contrast", "fog"], severity=2, seed=7, class_mapping=mapping)
    assert [picture[:2] for picture in pictures] == [("clean", 2), ("contrast", 2), ("fog", 2)]
    image, _ = examples.decode(next(iter(examples.encoded)))
    np.testing.assert_array_equal(pictures[0].image, image)
    np.testing.assert_array_equal(pictures[2].image, corrupt(np.asarray(image), "fog", 2, seed=7, name="a"))
    np.testing.assert_array_equal(pictures[2].predictions, model.segment(pictures[2].image, size="aligned") + 1)
