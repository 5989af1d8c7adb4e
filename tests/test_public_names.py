"""Every public name is reached by one path, whatever was imported before, and nothing else is shown."""

from __future__ import annotations

import ast
import importlib.util
import os
import subprocess
import sys
import textwrap
import types
from pathlib import Path

import keras
import numpy as np
import pytest

import keras_segformer
import syntax_trees
from public_names import PUBLIC, private_paths_in_code, private_paths_in_text
from tiny import tiny_config

ROOT = Path(__file__).parents[1]
SOURCES = sorted([*(ROOT / "keras_segformer").rglob("*.py"), *(ROOT / "conversion").rglob("*.py")])
TEXTS = sorted([ROOT / "README.md", ROOT / "conversion/README.md", *(ROOT / "docs").rglob("*.md")])

# Functions beside, or in, a module or folder of the same name.
SHADOWED = {
    "keras_segformer.conversion.audit": "keras_segformer.conversion.audit.audit_file",
    "keras_segformer.conversion.benchmark": "keras_segformer.conversion.benchmark.compare_files",
    "keras_segformer.conversion.convert": "keras_segformer.conversion.convert",
    "keras_segformer.conversion.verify": "keras_segformer.conversion.verify",
    "keras_segformer.data.check": "keras_segformer.data.check",
    "keras_segformer.evaluation.evaluate": "keras_segformer.evaluation.evaluate",
    "keras_segformer.predict.segment": "keras_segformer.predict.segment",
}


def run_python(code: str, *arguments: str, **environment: str) -> str:
    """The standard output of a fresh interpreter."""
    answer = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *arguments],
        capture_output=True,
        text=True,
        env=os.environ | environment,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def resolve(path: str) -> object:
    """What plain attribute access finds."""
    found: object = keras_segformer
    for name in path.split(".")[1:]:
        found = getattr(found, name)
    return found


@pytest.mark.parametrize("package", PUBLIC)
def test_public_names_are_those_of_the_table(package):
    module = resolve(package)
    assert isinstance(module, types.ModuleType)
    assert dir(module) == sorted(PUBLIC[package])
    assert sorted(module.__all__) == sorted(PUBLIC[package])
    for name in PUBLIC[package]:
        assert isinstance(getattr(module, name), types.ModuleType) == (f"{package}.{name}" in PUBLIC)


def test_every_package_with_public_names_is_in_the_table():
    folders = {file.parent for file in (ROOT / "keras_segformer").glob("*/__init__.py")}
    private = {"cli", "label_sets", "models", "ops", "presets", "raster", "runtime", "video"}
    packages = {f"keras_segformer.{folder.name}" for folder in folders if folder.name not in private}
    assert packages <= PUBLIC.keys()


def test_every_object_has_one_path():
    paths: dict[int, str] = {}
    for package, names in PUBLIC.items():
        for name in names:
            found = getattr(resolve(package), name)
            if callable(found):
                assert paths.setdefault(id(found), f"{package}.{name}") == f"{package}.{name}"


@pytest.mark.slow
@pytest.mark.parametrize("modules_first", ["modules first", ""])
def test_functions_are_not_shadowed_by_modules(modules_first):
    code = """
        import importlib, sys
        import keras_segformer
        pairs = [pair.split("=") for pair in sys.argv[2:]]
        if sys.argv[1]:
            for _, module in pairs:
                importlib.import_module(module)
        def kinds():
            return {path: type(eval(path)).__name__ for path, _ in pairs}
        before = kinds()
        for _, module in pairs:
            importlib.import_module(module)
        assert before == kinds() == {path: "function" for path, _ in pairs}, (before, kinds())
    """
    run_python(code, modules_first, *(f"{path}={module}" for path, module in SHADOWED.items()))


def test_shadowed_functions_are_all_here():
    shadowed = {
        f"{package}.{name}"
        for package, names in PUBLIC.items()
        for name in names
        if f"{package}.{name}" not in PUBLIC and hasattr(resolve(package), "__path__")
        if importlib.util.find_spec(f"{package}.{name}") is not None
    }
    assert shadowed == SHADOWED.keys()


@pytest.mark.slow
@pytest.mark.old_versions
def test_jax_needs_no_tensorflow_and_saved_models_load(tmp_path):
    pytest.importorskip("jax")
    model = keras_segformer.SegFormer(tiny_config())
    model.compile(run_eagerly=True)
    masks = np.resize(np.arange(model.config.num_classes), (1, 32, 32)).astype(np.uint8)
    model.fit(np.zeros((1, 32, 32, 3), np.uint8), masks, verbose=0)
    model.save(tmp_path / "model.keras")
    code = """
        import sys
        import keras_segformer
        import keras, numpy
        registered = {name.removeprefix("keras_segformer>") for name in keras.saving.get_custom_objects()}
        assert registered >= set(sys.argv[2:]), set(sys.argv[2:]) - registered
        model = keras.models.load_model(sys.argv[1])
        assert type(model) is keras_segformer.SegFormer
        model.segment(numpy.zeros((32, 32, 3), "uint8"))
        assert not [name for name in sys.modules if name.split(".")[0] == "tensorflow"]
    """
    run_python(code, str(tmp_path / "model.keras"), *registered_classes(), KERAS_BACKEND="jax")


def registered_classes() -> list[str]:
    """The classes in the sources that carry the decorator `register`."""
    trees = [syntax_trees.parse(file.read_text(encoding="utf-8")) for file in SOURCES]
    classes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    return sorted(node.name for node in classes if any(ast.unparse(each) == "register" for each in node.decorator_list))


def test_registered_classes_are_found():
    assert {"SegFormer", "MixFFN", "MeanBoundaryIoU", "GroupedAdamW", "SegmentationLoss"} <= set(registered_classes())
    assert f"keras_segformer>{registered_classes()[0]}" in keras.saving.get_custom_objects()


@pytest.mark.parametrize("file", TEXTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_texts_name_public_paths(file):
    assert private_paths_in_text(file.read_text(encoding="utf-8")) == []


def test_docstrings_name_public_paths():
    found = {path: private_paths_in_text(text) for path, text in public_docstrings().items()}
    assert {path: private for path, private in found.items() if private} == {}


def public_docstrings() -> dict[str, str]:
    """Those of the public packages, of what is in them, and of the methods of classes."""
    docstrings = {package: resolve(package).__doc__ for package in PUBLIC}
    for package, names in PUBLIC.items():
        for name in names:
            found = getattr(resolve(package), name)
            if not callable(found):
                continue
            members = vars(found).items() if isinstance(found, type) else ()
            own = {f".{key}": member for key, member in members if not key.startswith("_")}
            for suffix, each in {"": found, **own}.items():
                docstrings[f"{package}.{name}{suffix}"] = each.__doc__ or ""
    return docstrings


def test_private_paths_are_found():
    code = """
        import keras_segformer as ks
        from keras_segformer.data.loading import load
        from keras_segformer.conversion import convert
        ks.SegFormer.from_preset("b0").segment("a.png")
        ks.models.SegFormerNetwork
        ks.data.load("camvid"), ks.data.loading
    """
    assert private_paths_in_code(textwrap.dedent(code)) == [
        "keras_segformer.data.loading.load",
        "keras_segformer.models.SegFormerNetwork",
        "keras_segformer.models",
        "keras_segformer.data.loading",
    ]
    assert private_paths_in_text("see keras_segformer.data.check(name), keras_segformer.data.grid and x") == [
        "keras_segformer.data.grid"
    ]
