"""The pages and the README: their links lead somewhere, their commands are accepted, their Python runs."""

from __future__ import annotations

import contextlib
import functools
import html.parser
import importlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from fake_datasets import write_camvid, write_folder
from fake_exports import write_json, write_picture
from keras_segformer import VARIANTS, SegFormer, training
from keras_segformer.cli import main, make_parser
from keras_segformer.label_sets import load_label_set
from loopback_hubs import upload_hub
from pages import BLOCKS, CLIENTS, PAGES, ROOT
from public_names import private_paths_in_code
from tiny import tiny_config

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
MAKEFILE = (ROOT / "Makefile").read_text()
OTHER_PROGRAMS = {"adb", "eval", "export", "gcloud", "gcsfuse", "mkdir", "pip", "tensorboard"}

_LINK = re.compile(r"(?:\]\(|(?:src|href)=\")([^)\s\"]+)[)\"]")


PYTHON = [block for block in BLOCKS if block.language == "python"]
PAGES_WITH_PYTHON = sorted({block.page for block in PYTHON if not block.title})
COMMANDS = sorted(
    {
        line.strip()
        for block in BLOCKS
        if block.language == "bash"
        for line in block.code.replace("\\\n", " ").splitlines()
        if line.strip() and not line.strip().startswith("#")
    }
)

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as MkDocs and GitHub make them; those of the file that it includes count."""
    text = page.read_text(encoding="utf-8")
    if included := re.search(r"<!-- include -->\n\[.*?\]\((.*?)\)", text):
        text = (page.parent / included[1]).read_text(encoding="utf-8")
    text = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    titles = re.findall(r"^#+ (.*)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


@every_page
def test_links_lead_somewhere(page):
    for target in _LINK.findall(page.read_text(encoding="utf-8")):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        place = (page.parent / path).resolve() if path else page
        assert place.exists(), target
        if anchor:
            assert anchor in anchors(place), target


@every_page
def test_no_machine_is_named(page):
    assert not re.search(r"(?<![\w.])/(home|Users|root|work|tmp|mnt)/", page.read_text(encoding="utf-8"))


def test_readme_is_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 150


def test_python_is_there():
    assert len(PAGES_WITH_PYTHON) >= 8
    assert {block.title for block in PYTHON if block.title} == {
        "transformers 4",
        "KerasHub",
        "MMSegmentation",
        "Ultralytics",
    }


@pytest.mark.parametrize("block", [*PYTHON, *CLIENTS], ids=lambda block: block.page)
def test_python_names_public_paths(block):
    assert private_paths_in_code(block.code) == []


def words(command: str) -> list[str]:
    """The words of a command, without settings of the environment before it and comments."""
    found = shlex.split(command, comments=True)
    while found and re.fullmatch(r"[A-Z_]+=.*", found[0]):
        found.pop(0)
    return found


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_are_accepted(command):
    for part in re.split(r" && | \| ", command):
        program, *arguments = words(part)
        match program:
            case "keras-segformer":
                if arguments != ["--version"]:
                    make_parser().parse_args(arguments)
            case "make":
                targets = [word for word in arguments if "=" not in word]
                assert targets
                for target in targets:
                    assert re.search(rf"^{re.escape(target)}:", MAKEFILE, re.M), target
                for variable in (word.partition("=")[0] for word in arguments if "=" in word):
                    assert f"$({variable})" in MAKEFILE, variable
            case "python" | "python3":
                assert (ROOT / arguments[0]).is_file()
            case ".venv/bin/pytest":
                assert (ROOT / arguments[0]).exists()
            case _:
                assert program in OTHER_PROGRAMS, part
        for extras in re.findall(r"\[([\w,-]+)\]", part) if program == "pip" else []:
            assert set(extras.split(",")) <= PROJECT["optional-dependencies"].keys()


@pytest.fixture(scope="module")
def presets(tmp_path_factory, shared) -> Path:
    """Small networks with random weights and the names, classes and label sets of the presets that the pages load."""
    presets = tmp_path_factory.mktemp("presets")
    for name, classes in (("ade20k", 150), ("camvid", 11), ("cityscapes", 19)):
        model = SegFormer(tiny_config(num_classes=classes), label_set=load_label_set(name))
        model.save_to_preset(presets / f"b0_{name}")
    (presets / "pvt_v2_b0_imagenet").symlink_to(shared / "golden/tiny_pvt_v2_timm")
    return presets


@pytest.fixture
def desk(tmp_path, monkeypatch, presets, shared):
    """A folder that holds what the pages speak of, in small; the names of presets and architectures mean small ones."""
    monkeypatch.setitem(VARIANTS, "b0", tiny_config(num_classes=150))
    desk = tmp_path / "desk"
    for name in ("photos", "other_photos"):
        (desk / name).mkdir(parents=True)
        shutil.copyfile(ROOT / "docs/street.jpg", desk / name / "street.jpg")
    shutil.copytree(desk / "photos", desk / "docs")
    shutil.copyfile(ROOT / "docs/demo.jpg", desk / "photo.jpg")
    shutil.copyfile(shared / "golden/tiny_official/segformer_official.pth", desk / "segformer.pth")
    write_camvid(desk / "CamVid")
    for name in ("mine", "my_data"):
        write_folder(desk / name)
    write_picture(desk / "export/a.png", (20, 30))
    polygon = {"label": "road", "points": [[2, 3], [20, 3], [20, 15]], "shape_type": "polygon"}
    picture = {"imagePath": "a.png", "imageData": None, "imageHeight": 20, "imageWidth": 30}
    write_json(desk / "export/a.json", {**picture, "shapes": [polygon]})
    shutil.make_archive(str(desk / "export"), "zip", desk / "export")
    monkeypatch.setenv("KERAS_SEGFORMER_PRESETS", str(presets))
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tfds"))
    monkeypatch.chdir(desk)
    return desk


@contextlib.contextmanager
def both_hubs(monkeypatch):
    with upload_hub() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.setenv("HF_TOKEN", "hf_token")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield hub


def quick_recipe(name: str) -> training.Recipe:
    """A recipe of the package, changed so that it takes seconds."""
    changes = {
        "steps": 2,
        "steps_per_epoch": 1,
        "batch_size": 2,
        "schedule.warmup_steps": 1,
        "augmentation.crop_size": [32, 32],
        "validation_size": [32, 32],
        "validation_batch_size": 1,
    }
    return training_recipe.load_recipe(name).replace(changes)


training_recipe = importlib.import_module("keras_segformer.training.recipe")


@pytest.mark.slow
# Keras says of every tf.data pipeline that it does not shuffle it; of fourteen classes not all occur in a small mask.
@pytest.mark.filterwarnings("ignore:`shuffle=True` was passed:UserWarning")
@pytest.mark.filterwarnings("ignore:The (training|validation) masks:UserWarning")
@pytest.mark.parametrize("page", PAGES_WITH_PYTHON)
def test_python_runs(page, desk, monkeypatch):
    # Its ImageNet weights would have to be downloaded.
    without_weights = functools.partial(keras.applications.ResNet50V2, weights=None)
    monkeypatch.setattr(keras.applications, "ResNet50V2", without_weights)
    monkeypatch.setattr(training, "load_recipe", quick_recipe)
    images = np.random.default_rng(0).integers(0, 256, (2, 64, 96, 3), dtype="uint8")
    masks = np.random.default_rng(1).choice([*range(11), 255], (2, 64, 96))
    dataset = tf.data.Dataset.from_tensors((images, masks))
    names = {
        "images": images,
        "normalised_images": images.astype("float32"),
        "masks": masks,
        "logits": np.random.default_rng(2).normal(size=(2, 16, 24, 11)).astype("float32"),
        "dataset": dataset,
        "validation": dataset,
    }
    if page == "docs/labelling_tools.md":
        shutil.rmtree("my_data")  # which the page makes
    with both_hubs(monkeypatch):
        for block in PYTHON:
            if block.page == page and not block.title:
                exec(compile(block.code, page, "exec"), names)
    if page == "docs/quickstart.md":
        assert names["labels"].shape == (427, 640)
        assert names["logits"].shape == (2, 64, 96, 150)
    if page == "docs/fine_tune.md":
        assert {"my_preset", "for_transformers", "best.keras"} <= {path.name for path in desk.iterdir()}
        assert names["best"](images).shape == (2, 64, 96, 11)


QUICK = (
    "keras-segformer predict photo.jpg --preset b0_camvid --output out",
    "keras-segformer predict photos/ --preset b0_ade20k --output out --json --mask",
    "keras-segformer presets",
    "keras-segformer info b0 --size 512",
    "keras-segformer data check camvid --data CamVid",
    "keras-segformer data show camvid --data CamVid --output grid.png",
    "keras-segformer evaluate --preset b0_camvid --dataset camvid --data CamVid --size native --figure scores.png",
    "keras-segformer evaluate --preset b0_ade20k --dataset camvid --data CamVid --size square "
    "--class-mapping ade20k_to_camvid",
    "keras-segformer convert --preset b0_camvid --output b0.tflite",
    "keras-segformer audit b0.tflite --require runtime:2.14",
)
"""Commands of the pages that take seconds; the tests of each command run the others' options on small networks."""


@pytest.mark.slow
def test_commands_run(desk, capsys):
    for command in QUICK:
        [listed] = [each for each in COMMANDS if shlex.split(each, comments=True) == shlex.split(command)]
        assert main(words(listed)[1:]) == 0, command
    capsys.readouterr()
    written = {path.name for path in [*desk.iterdir(), *(desk / "out").iterdir()]}
    assert {"grid.png", "scores.png", "b0.tflite", "b0.json", "street_segmented.png"} <= written


class Site(html.parser.HTMLParser):
    """The addresses that a page loads by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag in ("img", "script", "iframe"):
            self.loaded.append(values.get("src") or "")
        if tag == "link" and values.get("rel") != "canonical":
            self.loaded.append(values.get("href") or "")


@pytest.mark.slow
def test_pages_are_built(tmp_path):
    pytest.importorskip("mkdocs")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    answer = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, env=os.environ | {"NO_MKDOCS_2_WARNING": "1"}, check=False
    )
    assert answer.returncode == 0, answer.stderr
    site = Site()
    for page in tmp_path.rglob("*.html"):
        site.feed(page.read_text(encoding="utf-8"))
    assert {address for address in site.loaded if address.startswith(("http:", "https:", "//"))} == set()
    reference = (tmp_path / "api/data.html").read_text(encoding="utf-8")
    assert "keras_segformer.data.load" in reference
    assert "&gt;&gt;&gt;" in reference
    messages = (tmp_path / "troubleshooting.html").read_text(encoding="utf-8")
    assert messages.count("<tr>") > 300
    assert (tmp_path / "search/search_index.js").is_file()
