"""`keras-segformer analyze`."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import keras
import numpy as np
import pytest

from fake_datasets import write_folder, write_image
from keras_segformer.analysis import attention_dominates, count_complexity, effective_receptive_field
from keras_segformer.cli import main
from keras_segformer.cli.analyze_scaling import measure_tflite
from keras_segformer.evaluation import evaluate
from keras_segformer.models import VARIANTS
from keras_segformer.segformer import SegFormer
from tflite_files import convert
from tiny import light_segmenter, tiny_config

CHOSEN = ["--corruptions", "shot_noise", "contrast", "--severities", "2", "4"]


@pytest.fixture(scope="module")
def preset(tmp_path_factory) -> Path:
    """A folder with a network of convolutions and three classes."""
    keras.utils.set_random_seed(0)
    folder = tmp_path_factory.mktemp("presets") / "light"
    light_segmenter(num_classes=3).save_to_preset(folder)
    return folder


@pytest.fixture(autouse=True)
def log_level(monkeypatch):
    # Keras is imported already; the program must not set the variable for the tests behind this one.
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "2")


def test_erf_prints_writes_and_draws(preset, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    for number in range(3):
        write_image(tmp_path / f"images/{number}.png", seed=number)
    images = sorted((tmp_path / "images").iterdir())
    out = ["--json", f"{tmp_path}/erf.json", "--figure", f"{tmp_path}/erf.png"]
    line = [
        "analyze",
        "erf",
        "--preset",
        str(preset),
        "--images",
        f"{tmp_path}/images",
        "--count",
        "2",
        "--size",
        "64x96",
    ]
    assert main([*line, *out]) == 0
    fields = effective_receptive_field(SegFormer.from_preset(preset), images[:2], (64, 96))
    content = json.loads((tmp_path / "erf.json").read_text())
    assert (content["count"], content["size"], content["backbone_weights"]) == (2, [64, 96], None)
    assert content["models"][str(preset)] == {part: field.to_dict() for part, field in fields.items()}
    assert (tmp_path / "erf.png").stat().st_size > 10_000
    [row] = [line.split() for line in capsys.readouterr().out.splitlines() if line.startswith("  stage 1")]
    assert row[2:] == [*(str(fields["stage 1"].side(share)) for share in (0.2, 0.3, 0.5, 0.99)), "7x7"]


def test_erf_of_a_cnn(tmp_path, monkeypatch):
    write_image(tmp_path / "a.png")

    def constructor(**options):
        assert options["weights"] is None
        backbone = light_segmenter().backbone
        return keras.Model(backbone.input, backbone.outputs[-1])

    constructor.__module__ = "keras.src.applications.mobilenet"
    monkeypatch.setattr(keras.applications, "MobileNet", constructor)
    line = ["analyze", "erf", "--backbone", "MobileNet", "--backbone-weights", "random", "--size", "64"]
    assert main([*line, "--images", f"{tmp_path}/a.png", "--json", f"{tmp_path}/erf.json"]) == 0
    content = json.loads((tmp_path / "erf.json").read_text())
    assert content["backbone_weights"] == "random"
    assert np.max(content["models"]["MobileNet"]["stage 1"]["support"]) == 7


def test_erf_needs_a_model(tmp_path, capsys):
    assert main(["analyze", "erf", "--images", str(tmp_path)]) == 2
    assert "name one with --preset, or a CNN with --backbone" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("erf --preset b0 --images x --backbone-weights random", "--backbone-weights is for the CNN of --backbone"),
        ("micro --architectures micro --antialias", "--antialias is for the pictures of a data set"),
        ("scaling --runtimes --runs 5", "--runs counts the passes of --runtimes, and none is named"),
    ],
)
def test_options_that_nothing_would_heed(line, message, capsys):
    assert main(["analyze", *line.split()]) == 2
    assert message in capsys.readouterr().err


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """Two pictures of three classes."""
    pytest.importorskip("tensorflow_datasets")
    pytest.importorskip("imagecorruptions", reason="the extra `robustness` is not installed")
    folder = tmp_path_factory.mktemp("data")
    write_folder(folder, count=2)
    return folder


@pytest.fixture
def robustness(data, tmp_path_factory):
    """Runs the command on the data set."""
    cache = tmp_path_factory.getbasetemp() / "cache"
    line = ["analyze", "robustness", "--data", data, "--cache", cache, "--split", "train"]
    return lambda *arguments: main([str(each) for each in (*line, *arguments)])


def test_robustness_without_severity_is_refused(robustness, preset, capsys):
    assert robustness("--preset", preset, "--corruptions", "shot_noise", "--severities", "4") == 2
    assert "noise has 1 to 3, the others have 1 to 5; choose others" in capsys.readouterr().err


def test_an_interrupted_run_goes_on_where_it_was(robustness, preset, tmp_path, monkeypatch, capsys):
    pytest.importorskip("matplotlib")
    scored = []

    def counted(*arguments, **options):
        scored.append(None)
        if len(scored) == 3:
            raise KeyboardInterrupt
        return evaluate(*arguments, **options)

    monkeypatch.setattr("keras_segformer.analysis.corrupted_scores.evaluate", counted)
    path, figure = tmp_path / "scores.json", tmp_path / "scores.png"
    line = ["--preset", preset, *CHOSEN, "--json", path]
    assert robustness(*line) == 130
    content = json.loads(path.read_text())
    assert (content["complete"], list(content["corruptions"])) == (False, ["shot_noise"])
    assert robustness(*line) == 2
    assert "holds an unfinished run; go on with --resume" in capsys.readouterr().err
    assert robustness(*line, "--seed", 1, "--resume") == 2
    assert "holds a run of other seed; name another file, or ask for the same" in capsys.readouterr().err

    assert robustness(*line, "--resume", "--figure", figure) == 0
    resumed = json.loads(path.read_text())
    assert len(scored) == 3 + 2  # clean and shot noise are known, contrast at 2 and 4 are not
    assert resumed["complete"]
    assert figure.stat().st_size > 10_000
    rows = {line.split("  ")[1]: line.split() for line in capsys.readouterr().out.splitlines() if line[:2] == "  "}
    contrast = resumed["corruptions"]["contrast"]
    shares = [f"{share:.1%}" for share in (contrast["mean"], contrast["of_clean"], 77.7 / 82.4, 46.7 / 72)]
    assert rows["contrast"][1:] == [*(f"{contrast['severities'][each]:.1%}" for each in "24"), *shares]
    assert rows["mean"][1:3] == [f"{resumed['mean']:.1%}", f"{resumed['of_clean']:.1%}"]

    assert robustness(*line) == 0  # a finished run is replaced
    assert len(scored) == 3 + 2 + 4
    assert json.loads(path.read_text()) == resumed


def test_robustness_of_a_file(robustness, tmp_path):
    images = keras.Input((32, 48, 3), batch_size=1)
    model = keras.Model(images, keras.layers.Conv2D(3, 1, strides=4)(images))
    kernel = np.tile([[0.0, 0.01, 0.03]], (3, 1))[None, None]  # dark, medium and bright: fog changes labels
    model.set_weights([kernel, np.array([0.0, -2.5, -12.5])])
    file = convert(model, tmp_path / "light.tflite")
    assert robustness("--model", file, "--corruptions", "fog", "--severities", 1, "--json", tmp_path / "r.json") == 0
    content = json.loads((tmp_path / "r.json").read_text())
    assert content["weights"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert content["clean"] != content["corruptions"]["fog"]["severities"]["1"]


def test_what_is_not_a_run_is_refused(robustness, preset, tmp_path, capsys):
    path = tmp_path / "other.json"
    for content in ("[]", '{"clean": 0.5}'):
        path.write_text(content)
        assert robustness("--preset", preset, "--json", path, "--resume") == 2
        assert "does not hold a run of `analyze robustness`; name another file" in capsys.readouterr().err
        assert path.read_text() == content
    assert robustness("--preset", preset, "--resume") == 2
    assert "name it with --json" in capsys.readouterr().err
    path.unlink()
    assert robustness("--preset", preset, "--json", path, "--resume") == 2
    assert "other.json" in capsys.readouterr().err


def test_scaling_counts_without_measuring(tmp_path, capsys):
    pytest.importorskip("matplotlib")
    out = ["--json", f"{tmp_path}/scaling.json", "--figure", f"{tmp_path}/scaling.png"]
    line = ["analyze", "scaling", "--architectures", "b0", "b2", "--sides", "512", "256", "--runtimes"]
    assert main([*line, *out]) == 0
    content = json.loads((tmp_path / "scaling.json").read_text())
    assert content["machine"] is None
    assert [each["side"] for each in content["architectures"]["b2"]["sizes"]] == [256, 512]
    total = count_complexity(VARIANTS["b0"], (512, 512)).total.macs
    assert content["architectures"]["b0"]["sizes"][1]["total_macs"] == total
    assert (tmp_path / "scaling.png").stat().st_size > 10_000
    printed = capsys.readouterr().out
    first, every = attention_dominates(VARIANTS["b0"])
    assert f"of stage 1 from {first}x{first} on, and of all MACs from {every}x{every} on" in printed
    assert re.search(r"MACs of attention products +0\.07 G +1\.\d\d G +2\.00", printed)


@pytest.mark.slow  # converts twice
def test_scaling_measures_files():
    pytest.importorskip("ai_edge_litert", reason="LiteRT is not installed")
    small, large = (measure_tflite(tiny_config(), side, runs=1) for side in (32, 256))
    assert 0 < small.seconds < large.seconds
    assert 0 <= small.peak_bytes < large.peak_bytes


def test_micro_measures_architectures(tmp_path, capsys):
    pytest.importorskip("matplotlib")
    pytest.importorskip("tflite_micro", reason="tflite-micro is not installed")
    pytest.importorskip("ethosu", reason="ethos-u-vela is not installed")
    out = ["--json", f"{tmp_path}/micro.json", "--figure", f"{tmp_path}/micro.png"]
    assert main(["analyze", "micro", "--architectures", "nano", "--sides", "32", "--ethos-u", *out]) == 0
    [point] = json.loads((tmp_path / "micro.json").read_text())["points"]
    assert point["name"] == "nano"
    assert point["arena_bytes"] == sum(point["arena"].values()) < 50_000
    assert 0 < point["least_bytes"] <= point["arena"]["activations"]
    assert point["macs"] == count_complexity(VARIANTS["nano"].replace(num_classes=11), (32, 32)).total.macs
    assert point["ethos_u"]["refused"] == ["RESIZE_BILINEAR"]  # by 4, and not by 2
    assert point["ethos_u"]["sram_bytes"] < 50_000
    printed = capsys.readouterr().out
    assert "32x32" in printed
    assert "ethos-u55-128" in printed
    assert (tmp_path / "micro.png").stat().st_size > 1000


def test_micro_needs_a_network_and_pictures(capsys):
    assert main(["analyze", "micro"]) == 2
    assert "name presets with --preset, or --architectures" in capsys.readouterr().err
    assert main(["analyze", "micro", "--preset", "nano"]) == 2
    assert "name some with --calibration" in capsys.readouterr().err
