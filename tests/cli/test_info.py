"""`keras-segformer info`."""

from __future__ import annotations

import re

import pytest

from keras_segformer import SegFormer
from keras_segformer.cli import main
from keras_segformer.errors import PresetNotFoundError
from tiny import tiny_config


@pytest.fixture(autouse=True)
def wide_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")


def rows(text: str) -> dict[str, list[str]]:
    """The cells of every line by the first of them."""
    cells = [re.split(r"\s{2,}", line.strip()) for line in text.splitlines()]
    return {first: others for first, *others in cells}


def test_architecture(capsys):
    assert main(["info", "b0", "--size", "512"]) == 0
    output = capsys.readouterr().out
    table = rows(output)
    assert output.startswith("Architecture b0, 150 classes, images of 512x512\n")
    assert table["total"] == ["3,752,694", "8.39 G", "4.09 G"]
    assert table["decoder: fusion"] == ["262,144", "4.29 G", "0.00 G"]
    assert table["stage 3: Mix-FFN"] == ["424,000", "0.43 G", "0.43 G"]
    assert table["encoder parameters"] == ["3.32 M", "3.4 M"]
    assert table["decoder parameters"] == ["0.43 M", "0.4 M"]
    assert table["MACs, counted as the paper does"] == ["8.40 G", "8.4 G"]
    assert "Ours takes 0.49 of" in output
    assert "Licence" not in output


def test_preset_has_a_licence_and_19_classes_of_its_own(capsys):
    assert main(["info", "b0_cityscapes", "--size", "1024x2048"]) == 0
    output = capsys.readouterr().out
    table = rows(output)
    assert "19 classes, images of 1024x2048" in output
    assert table["decoder: classifier"][0] == "4,883"
    assert table["MACs, counted as the paper does"] == ["125.48 G", "125.5 G"]
    assert re.search("Licence of the weights: NVIDIA .*non-commercial use only.*https://", output)


def test_sizes_and_architectures_that_the_paper_does_not_print(capsys):
    assert main(["info", "pvt_v2_b0", "--size", "100x75"]) == 0
    table = rows(capsys.readouterr().out)
    assert [table[name][1] for name in ("encoder parameters", "MACs, counted as the paper does")] == ["–", "–"]


def test_encoder_preset_is_counted_with_a_decoder(capsys):
    assert main(["info", "mit_b0_imagenet"]) == 0
    output = capsys.readouterr().out
    assert "with a decoder, 150 classes, images of 224x224" in output
    assert rows(output)["decoder parameters"] == ["0.43 M", "0.4 M"]


def test_folder(tmp_path, capsys):
    SegFormer(tiny_config()).save_to_preset(tmp_path / "[tiny]")
    assert main(["info", str(tmp_path / "[tiny]")]) == 0
    output = capsys.readouterr().out
    assert f"{tmp_path}/[tiny], 5 classes, images of 64x64" in output
    assert rows(output)["stage 1: patch embedding"][0] == "2,400"  # 7·7·3·16 + 16, and 2·16 of the norm


def test_unknown_name(capsys):
    assert main(["info", "b9_nothing"]) == 2
    assert "b9_nothing" in capsys.readouterr().err
    with pytest.raises(PresetNotFoundError):
        main(["info", "b9_nothing", "--debug"])


def test_too_small_image(capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["info", "b0", "--size", "16"])
    assert "'16' is not a size from 32 to 65535 pixels a side" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("table", "row", "cells"),
    [
        ("1a", "B5, Cityscapes, 1024x2048", ["84.71 M", "84.7 M", "1460.35 G", "1460.4 G", "82.4 %"]),
        ("1b", "decoder of 768 channels", ["27.46 M", "27.5 M", "62.39 G", "62.4 G", "45.4 %"]),
        ("1d", "MiT-B2, stage 4", ["24.71 M", "24.7 M", "22.26 G", "22.3 G", "43.1 %"]),
    ],
)
def test_ablations_of_the_paper(capsys, table, row, cells):
    assert main(["info", "--table", table]) == 0
    printed = capsys.readouterr().out
    assert rows(printed)[row] == cells
    assert f"The paper{'' if table != '1a' else chr(39) + 's table 2'} prints" in printed


def test_the_size_of_an_ablation_is_the_papers():
    with pytest.raises(ValueError, match="ablations have sizes of their own; leave out --size"):
        main(["info", "--table", "1b", "--size", "256", "--debug"])
