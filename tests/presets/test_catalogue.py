from __future__ import annotations

import dataclasses
import json
import re

import pytest

from keras_segformer.analysis.complexity import count_complexity
from keras_segformer.errors import InvalidPresetError
from keras_segformer.label_sets import load_label_set
from keras_segformer.licenses import License
from keras_segformer.models.variants import VARIANTS
from keras_segformer.presets.catalogue import BUNDLED, PRESETS, PresetInfo, list_presets, suggest

SIZES = range(6)
EXPECTED_NAMES = (
    {f"b{size}_ade20k" for size in SIZES}
    | {f"b{size}_cityscapes" for size in SIZES}
    | {"b0_cityscapes_512x1024", "b0_cityscapes_640x1280", "b0_cityscapes_768x768"}
    | {f"mit_b{size}_imagenet" for size in SIZES}
    | {f"pvt_v2_b{size}_imagenet" for size in SIZES}
    | {"b0_camvid"}
)

# arXiv 2105.15203, table 1: mIoU single-scale, multi-scale, GMACs.
PAPER_ADE20K = {
    "b0": (37.4, 38.0, 8.4),
    "b1": (42.2, 43.1, 15.9),
    "b2": (46.5, 47.5, 62.4),
    "b3": (49.4, 50.0, 79.0),
    "b4": (50.3, 51.1, 95.7),
    "b5": (51.0, 51.8, 183.3),
}
PAPER_CITYSCAPES = {
    "b0": (76.2, 78.1, 125.5),
    "b1": (78.5, 80.0, 243.7),
    "b2": (81.0, 82.2, 717.1),
    "b3": (81.7, 83.3, 962.9),
    "b4": (82.3, 83.9, 1240.6),
    "b5": (82.4, 84.0, 1460.4),
}


def test_names():
    assert set(PRESETS) == EXPECTED_NAMES
    assert list_presets() == list(PRESETS)


@pytest.mark.parametrize("info", PRESETS.values(), ids=PRESETS)
def test_every_entry_is_consistent(info):
    """The parts of an entry tell the same story, so that a slip in one of them shows."""
    size = info.variant[-1]
    height, width = info.input_size
    assert info.variant in VARIANTS
    assert f"b{size}_" in info.name
    assert info.name.startswith("pvt_v2") == info.variant.startswith("pvt_v2")
    assert f"B{size}" in info.title
    assert f"{height}x{width}" in info.title
    repository, _, revision = info.source.partition("@")
    assert f"b{size}" in repository.rsplit("/")[-1] or info.source == BUNDLED
    assert re.fullmatch("([0-9a-f]{40})?", revision)
    if info.task == "segmentation":
        assert repository.endswith(f"{height}-{width}") or info.source == BUNDLED
        assert info.label_set in info.name
        assert VARIANTS[info.variant].replace(num_classes=info.num_classes)
    assert json.loads(json.dumps(dataclasses.asdict(info)))["name"] == info.name


@pytest.mark.parametrize("name", PRESETS)
def test_tasks_and_licences(name):
    info = PRESETS[name]
    is_encoder = name.endswith("_imagenet")
    assert info.task == ("classification" if is_encoder else "segmentation")
    assert (info.label_set is None) == is_encoder
    assert info.num_classes == (1000 if is_encoder else load_label_set(info.label_set).num_classes)
    if info.source == BUNDLED:
        assert (info.layout, info.license.name, info.license.non_commercial) == ("keras", "CC-BY-NC-4.0", True)
    elif name.startswith("pvt_v2"):
        assert (info.layout, info.license.name, info.license.non_commercial) == ("timm", "Apache-2.0", False)
        assert info.source.startswith("hf://timm/")
    else:
        assert (info.layout, info.license.non_commercial) == ("transformers", True)
        assert info.license.name == "NVIDIA Source Code License for SegFormer"
        assert info.source.startswith("hf://nvidia/")


def test_what_is_neither_pinned_nor_known_by_its_digest():
    # Remembered at their first download: no public record of their revisions was found.
    free = [name for name, info in PRESETS.items() if "@" not in info.source and not info.sha256]
    assert free == [
        "b1_ade20k",
        "b3_cityscapes",
        "b4_cityscapes",
        "b0_cityscapes_512x1024",
        "b0_cityscapes_640x1280",
        "b0_cityscapes_768x768",
        "pvt_v2_b3_imagenet",
        "pvt_v2_b4_imagenet",
    ]


@pytest.mark.parametrize(("set_name", "table"), [("ade20k", PAPER_ADE20K), ("cityscapes", PAPER_CITYSCAPES)])
def test_paper_figures_of_segmentation(set_name, table):
    for variant, figures in table.items():
        paper = PRESETS[f"{variant}_{set_name}"].paper
        assert (paper.miou_single_scale, paper.miou_multi_scale, paper.macs_g) == figures


@pytest.mark.parametrize(
    ("family", "expected"),
    [("mit", [70.5, 78.7, 81.6, 83.1, 83.6, 83.8]), ("pvt_v2", [70.5, 78.7, 82.0, 83.1, 83.6, 83.8])],
)
def test_paper_figures_of_encoders(family, expected):
    assert [PRESETS[f"{family}_b{size}_imagenet"].paper.top1 for size in SIZES] == expected


def test_sizes():
    assert PRESETS["b4_ade20k"].input_size == (512, 512)
    assert PRESETS["b5_ade20k"].input_size == PRESETS["b5_ade20k"].paper.macs_input_size == (640, 640)
    assert PRESETS["b5_cityscapes"].input_size == (1024, 1024)
    assert PRESETS["b0_cityscapes_512x1024"].input_size == (512, 1024)
    assert PRESETS["mit_b5_imagenet"].input_size == (224, 224)


@pytest.mark.parametrize(
    ("name", "similar"), [("b0_ade", "b0_ade20k"), ("mit-b3-imagenet", "mit_b3_imagenet"), ("b0ade20k", "b0_ade20k")]
)
def test_similar_names_are_suggested(name, similar):
    assert re.match(f"Did you mean '{similar}'.*keras-segformer presets", suggest(name))


@pytest.mark.parametrize("name", ["", "yolo", "/some/where/else"])
def test_no_suggestion_where_nothing_is_similar(name):
    assert suggest(name) == "`keras-segformer presets` lists the catalogue."


def test_the_catalogue_is_read_only():
    with pytest.raises(TypeError):
        PRESETS["mine"] = PRESETS["b0_ade20k"]
    with pytest.raises(dataclasses.FrozenInstanceError):
        PRESETS["b0_ade20k"].source = "hf://some/other"


@pytest.mark.parametrize(
    "change",
    [
        {"task": "detection"},
        {"variant": "b6"},
        {"source": "https://huggingface.co/nvidia/mit-b0"},
        {"layout": "onnx"},
        {"license": License("Apache-2.0", "LICENSE", non_commercial=False)},
        {"parameters": 0},
        {"input_size": (512,)},
        {"input_size": (16, 16)},
        {"num_classes": 0},
        {"sha256": {"model.safetensors": "abc"}},
    ],
)
def test_wrong_values_are_named(change):
    ((field, value),) = change.items()
    with pytest.raises(InvalidPresetError, match=f"'b0_ade20k' holds wrong values.*'{field}'"):
        dataclasses.replace(PRESETS["b0_ade20k"], **change)
    assert getattr(PRESETS["b0_ade20k"], field) != value


def test_an_entry_needs_only_what_has_no_default():
    required = {
        field.name: getattr(PRESETS["b0_ade20k"], field.name)
        for field in dataclasses.fields(PresetInfo)
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    }
    info = PresetInfo(**required)
    assert (info.label_set, dict(info.sha256), info.paper.top1) == (None, {}, None)


@pytest.mark.parametrize("name", PRESETS)
def test_parameters_are_those_of_the_architecture(name):
    info = PRESETS[name]
    config = VARIANTS[info.variant].replace(num_classes=info.num_classes)
    complexity = count_complexity(config, info.input_size)
    head = (config.encoder.embed_dims[-1] + 1) * info.num_classes
    classifier = complexity.encoder_total.parameters + head
    assert info.parameters == (complexity.total.parameters if info.task == "segmentation" else classifier)
