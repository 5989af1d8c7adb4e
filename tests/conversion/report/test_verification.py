"""Files against their networks, and pages about files."""

from __future__ import annotations

import json

import keras
import numpy as np
import pytest
from PIL import Image

from keras_segformer import SegFormer
from keras_segformer.cli import main
from keras_segformer.conversion import audit, convert
from keras_segformer.conversion.report.fidelity import compare_outputs, divergence
from keras_segformer.conversion.report.page import write_report
from keras_segformer.conversion.report.verification import (
    CAPTION_HEIGHT,
    ComparedPicture,
    Verification,
    draw_worst,
    verify_content,
)
from keras_segformer.evaluation.confusion import ConfusionMatrix
from tiny import tiny_config


@pytest.fixture(scope="module")
def images(photograph):
    return [(f"{size}.png", photograph(size, 2 * size)[0]) for size in (40, 64, 90)]


@pytest.mark.parametrize("output", ["logits", "labels", "labels_full"])
def test_float_file_agrees_with_its_network(model_name, model, converted, images, output):
    file, _ = converted(model_name, input_size=(64, 96), output=output, report=False)
    steps = []
    progress = lambda text, count: lambda: steps.append((text, count))  # noqa: E731
    found = verify_content(file.read_bytes(), model, images, progress, isolated=False)
    # Enlarged logits that are all but equal may change places.
    assert found.worst_agreement >= (0.999 if output == "labels_full" else 1.0)
    assert list(found.agreements) == ["40.png", "64.png", "90.png"]
    assert not found.vanished
    assert all(each["iou"] >= 0.99 for each in found.classes())
    assert sum(each["share_after"] for each in found.classes()) == pytest.approx(1)
    assert steps == [("Comparing with the network", 3)] * 3


def test_other_network(converted, deep, images):
    file, _ = converted("tiny", input_size=(64, 96), report=False)
    found = verify_content(file.read_bytes(), deep, images)
    assert found.agreement < 0.9
    assert found.worst[0].agreement == found.worst_agreement
    assert [pair.agreement for pair in found.worst] == sorted(found.agreements.values())
    picture = np.asarray(draw_worst(found, deep.label_set))
    assert picture.shape[0] == 3 * (CAPTION_HEIGHT + 64)
    assert picture.shape[1] > 3 * 96  # a legend
    caption, picture = picture[:CAPTION_HEIGHT], picture[CAPTION_HEIGHT:, : 3 * 96]
    assert all((caption[:, 96 * column : 96 * (column + 1)] < 128).any() for column in range(3))  # letters
    differing = (found.worst[0].expected != found.worst[0].actual).repeat(4, axis=0).repeat(4, axis=1)
    is_red = (picture[:64, 2 * 96 :] == (220, 30, 30)).all(axis=-1)
    np.testing.assert_array_equal(is_red, differing)


def test_no_image(tiny):
    with pytest.raises(ValueError, match="no image to compare"):
        verify_content(b"", tiny, [])


def test_class_that_vanishes():
    confusion = ConfusionMatrix(3, ignore_index=-1)
    confusion.update(np.array([0] * 50 + [1] * 50), np.array([0] * 100))
    found = Verification(agreements={"a": 0.5}, confusion=confusion, class_names=("sky", "pole", "sea"), worst=())
    assert found.vanished == ("pole",)
    by_name = {each["name"]: each for each in found.classes()}
    assert by_name["pole"] == {"name": "pole", "share_before": 0.5, "share_after": 0.0, "iou": 0.0}
    assert by_name["sky"]["iou"] == 0.5
    assert "sea" not in by_name


def test_fidelity_of_outputs():
    logits = np.random.default_rng(0).normal(size=(2, 4, 4, 5))
    same = compare_outputs(logits, logits)
    assert (same.agreement, same.worst_agreement, same.divergence) == (1, 1, 0)
    labels = logits.argmax(axis=-1)
    labels[1, 0] = -1
    found = compare_outputs(logits, labels)
    assert (found.agreement, found.worst_agreement, found.divergence) == (0.875, 0.75, None)
    binary = np.array([[[[-1.0], [2.0]]]])
    assert compare_outputs(binary, np.array([[[0, 1]]])).agreement == 1
    with pytest.raises(ValueError, match="cannot be compared"):
        compare_outputs(logits, logits[:1])


@pytest.mark.parametrize("classes", [1, 2, 5])
def test_divergence_is_that_of_keras(classes):
    generator = np.random.default_rng(0)
    reference, logits = generator.normal(0, 3, (2, 4, 4, classes)), generator.normal(0, 3, (2, 4, 4, classes))
    if classes == 1:
        first, second = (1 / (1 + np.exp(-each)) for each in (reference, logits))
        expected = first * np.log(first / second) + (1 - first) * np.log((1 - first) / (1 - second))
    else:
        expected = keras.losses.kl_divergence(*(keras.ops.softmax(each) for each in (reference, logits)))
    assert divergence(reference, logits) == pytest.approx(np.mean(expected), rel=1e-5)
    if classes > 1:
        assert divergence(reference, reference + 100) == pytest.approx(0, abs=1e-12)


def test_divergence_of_logits_without_hope():
    reference = np.array([[-1e6, 0.0, 1.0]])
    assert divergence(reference, reference + np.array([[500.0, 0, 0]])) == 0


@pytest.fixture
def folder(tmp_path, images):
    (tmp_path / "images").mkdir()
    for name, image in images:
        Image.fromarray(image).save(tmp_path / "images" / name)
    return tmp_path


def test_command(preset, folder, capsys):
    file = str(folder / "m.tflite")
    assert main(["convert", "--preset", preset, "--output", file]) == 0
    outputs = ["--json", str(folder / "v.json"), "--figure", str(folder / "v.png")]
    arguments = ["verify", file, "--against", preset, "--images", str(folder / "images"), "--require", "0.99"]
    assert main([*arguments, *outputs]) == 0
    assert "the same label at 100.00% of the positions on 3 pictures" in capsys.readouterr().out
    assert json.loads((folder / "v.json").read_text())["agreement"] == 1
    with Image.open(folder / "v.png") as picture:
        assert picture.height == 3 * (CAPTION_HEIGHT + 64)


def test_command_with_batches(preset, folder, capsys):
    file = str(folder / "m.tflite")
    assert main(["convert", "--preset", preset, "--output", file, "--batch", "2", "--no-report"]) == 0
    assert main(["verify", file, "--against", preset, "--images", str(folder / "images")]) == 0
    assert "the same label at 100.00% of the positions on 3 pictures" in capsys.readouterr().out


def test_file_that_crashes(preset, folder, tiny, images, crashing_file, capsys):
    arguments = ["verify", str(crashing_file), "--against", preset, "--images", str(folder / "images")]
    assert main(arguments) == 2
    assert "crashing.tflite' kills the process that runs it (signal SIG" in capsys.readouterr().err
    with pytest.raises(ValueError, match="kills the process that runs it"):
        verify_content(crashing_file.read_bytes(), tiny, images)


def test_command_says_no(folder, tmp_path, capsys):
    presets = []
    for index in (1, 2):  # everything is of this class
        model = SegFormer(tiny_config())
        [bias] = [each for each in model.variables if "classifier/bias" in each.path]
        bias.assign(np.eye(5)[index] * 100)
        presets.append(str(tmp_path / str(index)))
        model.save_to_preset(presets[-1])
    file = str(folder / "m.tflite")
    assert main(["convert", "--preset", presets[0], "--output", file, "--no-report"]) == 0
    arguments = ["verify", file, "--against", presets[1], "--images", str(folder / "images")]
    assert main([*arguments, "--require", "0.99", "--limit", "2"]) == 1
    printed = capsys.readouterr().out
    assert "below the required 99.00%" in printed
    assert "never predicts the class class 2" in printed


def test_report_shows_what_was_measured(tiny, images, tmp_path):
    name = "images <b>of</b> all & more"
    pictures = [image for _, image in images] + [image[:, ::-1] for _, image in images]
    paths = [tmp_path / f"street_{index}.png" for index in range(len(pictures))]
    for path, picture in zip(paths, pictures, strict=True):
        Image.fromarray(picture).save(path)
    convert(tiny, tmp_path / "m.tflite", input_size=(64, 96), calibration=paths, preset="b0_mine")
    page = (tmp_path / "m.html").read_text()
    assert "<h1>b0_mine as a TF Lite file</h1>" in page
    assert "street_4.png: the network" in page
    facts = json.loads((tmp_path / "m.json").read_text())
    assert facts["sha256"] in page
    assert "data:image/jpeg;base64," in page
    assert f"{facts['fidelity']['agreement']:.2%}" in page
    assert "http" not in page.replace("http://www.w3.org", "")  # it needs no other file
    labels = np.array([[0, 4]])
    picture = ComparedPicture(
        name=name, agreement=0.5, image=np.zeros((4, 8, 3), np.uint8), expected=labels, actual=0 * labels
    )
    verification = Verification(
        agreements={name: 0.5}, confusion=_confusion(), class_names=tuple(tiny.label_set.names), worst=(picture,)
    )
    found = audit((tmp_path / "m.tflite").read_bytes())
    page = write_report(facts, found, verification, tiny.label_set, preset="b0 <of mine>")
    assert "never predicts these classes" in page
    assert "<h1>b0 &lt;of mine&gt; as a TF Lite file</h1>" in page
    assert "images &lt;b&gt;of&lt;/b&gt; all &amp; more: the network" in page
    assert "<b>" not in page
    legend = page.partition('class="legend"')[2].partition("</ul>")[0]
    for index, (class_name, color) in enumerate(zip(tiny.label_set.names, tiny.label_set.palette, strict=True)):
        drawn = "#{:02x}{:02x}{:02x}".format(*color) in legend and class_name in legend
        assert drawn == (index in labels)


def _confusion():
    confusion = ConfusionMatrix(5, ignore_index=-1)
    confusion.update(np.array([0, 1]), np.array([0, 0]))
    return confusion
