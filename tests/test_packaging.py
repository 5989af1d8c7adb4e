"""What pyproject.toml promises is what is installed: versions, packages, files."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
# The top-level folders of the source and the packages that they are installed as.
SOURCES = {"keras_segformer": "keras_segformer", "conversion": "keras_segformer.conversion"}
STEM = f"keras_segformer-{PROJECT['project']['version']}"
REQUIREMENTS = [
    Requirement(line)
    for lines in (PROJECT["project"]["dependencies"], *PROJECT["project"]["optional-dependencies"].values())
    for line in lines
]


def installed_name(file: Path) -> str:
    """The path, inside a wheel, of a file of the source tree."""
    folder, *rest = file.relative_to(ROOT).parts
    return "/".join([*SOURCES[folder].split("."), *rest])


def source_files() -> list[Path]:
    """Every Python, JSON and HTML file and every stub of the two source folders, and the bundled presets.

    The page for browsers is left out, because it is built and not part of the sources.
    """
    kinds = ("*.py", "*.pyi", "*.json", "*.html", "py.typed")
    files = {file for folder in SOURCES for kind in kinds for file in (ROOT / folder).rglob(kind)}
    files = {file for file in files if "web_page" not in file.parts}
    files.remove(ROOT / "keras_segformer/conversion.pyi")  # stands for what only a checkout has in another place
    bundled = (ROOT / "keras_segformer/presets/bundled").rglob("*")
    return sorted(files | {file for file in bundled if file.is_file()})


def test_version_is_the_installed_one() -> None:
    assert importlib.metadata.version("keras-segformer") == PROJECT["project"]["version"]


def test_conversion_is_part_of_keras_segformer() -> None:
    conversion = importlib.import_module("keras_segformer.conversion")
    assert Path(conversion.__file__) == ROOT / "conversion" / "__init__.py"


def test_no_top_level_conversion(tmp_path: Path) -> None:
    # A fresh isolated interpreter: this one may have the repository's root on its path.
    code = "import importlib.util as u; print(u.find_spec('keras_segformer') is not None, u.find_spec('conversion'))"
    found = subprocess.run(
        [sys.executable, "-I", "-c", code], cwd=tmp_path, stdout=subprocess.PIPE, text=True, check=True
    )
    assert found.stdout.split() == ["True", "None"]


def test_every_package_is_listed() -> None:
    folders = {Path(installed_name(file)).parent for file in source_files() if file.suffix == ".py"}
    assert {".".join(folder.parts) for folder in folders} == set(PROJECT["tool"]["setuptools"]["packages"])


@pytest.mark.parametrize("requirement", REQUIREMENTS, ids=str)
def test_requirement_has_a_floor(requirement: Requirement) -> None:
    if requirement.name == PROJECT["project"]["name"]:
        assert requirement.extras <= PROJECT["project"]["optional-dependencies"].keys()
    else:
        operators = {specifier.operator for specifier in requirement.specifier}
        assert operators & {">=", "=="}
        assert operators <= {">=", "==", "!="}  # a ceiling would keep users from newer versions that work


def run_backend(hook: str, tree: Path) -> None:
    """Builds into the folder of the source, with the backend that lies in it."""
    code = f"import sys; sys.path.insert(0, 'tools'); import build_backend; build_backend.{hook}('.')"
    subprocess.run([sys.executable, "-c", code], cwd=tree, capture_output=True, check=True)


PAGE = {"index.html", "sw.js", "LICENSES.txt", "assets/worker-1.js", "litert/litert.wasm.packed"}
"""Files of the built page, in small."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that is built from the sdist of a checkout in which the page was built."""
    return built(tmp_path_factory.mktemp("packaging"), PAGE)


@pytest.fixture(scope="module")
def wheel_without_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of a checkout in which the page was not built, as where there is no Node.js."""
    return built(tmp_path_factory.mktemp("packaging_without_page"), set())


def built(folder: Path, page: set[str]) -> Path:
    """Builds the sdist of the source with these files of the page, and the wheel of that."""
    tree = folder / "tree"
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info", "web_page")
    for source in SOURCES:
        shutil.copytree(ROOT / source, tree / source, ignore=ignored)
    for name in sorted(page):
        file = tree / "keras_segformer/web_page" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    for name in ("pyproject.toml", "MANIFEST.in", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tree)
    # The app is built from a checkout: its Python tools and models are no part of the package.
    shutil.copytree(ROOT / "android_demo/tools", tree / "android_demo/tools", ignore=ignored)
    shutil.copytree(ROOT / "tools", tree / "tools", ignore=ignored)
    run_backend("build_sdist", tree)
    with tarfile.open(tree / f"{STEM}.tar.gz") as sdist:
        assert not [name for name in sdist.getnames() if "android_demo" in name]
        sdist.extractall(folder, filter="data")
    run_backend("build_wheel", folder / STEM)
    return folder / STEM / f"{STEM}-py3-none-any.whl"


@pytest.mark.slow
def test_wheel_holds_the_whole_source(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert f"{STEM}.dist-info/licenses/LICENSE" in names
    source = {installed_name(file) for file in source_files()}
    page = {f"keras_segformer/web_page/{name}" for name in PAGE}
    assert {name for name in names if not name.startswith(f"{STEM}.dist-info/")} == source | page


@pytest.mark.slow
def test_wheel_without_the_page_is_built_too(wheel_without_page: Path) -> None:
    with zipfile.ZipFile(wheel_without_page) as archive:
        assert not [name for name in archive.namelist() if "web_page" in name]


@pytest.mark.slow
def test_the_wheel_alone_makes_a_page(wheel: Path, tmp_path: Path) -> None:
    assert make_page(wheel, tmp_path) == ""
    written = {
        file.relative_to(tmp_path / "site").as_posix() for file in (tmp_path / "site").rglob("*") if file.is_file()
    }
    models = {"models/b0_camvid.tflite", "models/b0_camvid.json", "models/index.json", "models/LICENSE.md"}
    assert written == PAGE | models


@pytest.mark.slow
def test_a_wheel_without_the_page_says_so(wheel_without_page: Path, tmp_path: Path) -> None:
    message = make_page(wheel_without_page, tmp_path)
    assert "installed without the page" in message
    assert "install the published wheel" in message
    assert not (tmp_path / "site").exists()


def make_page(wheel: Path, folder: Path) -> str:
    """The message of `keras-segformer web` of a wheel; empty if it succeeds."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "packages")
    code = "import sys; from keras_segformer.cli import main; sys.exit(main())"
    command = ("web", "--preset", "b0_camvid", "--size", "64", "--output", "site")
    answer = subprocess.run(
        [sys.executable, "-c", code, *command],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder / "packages")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode in (0, 2), answer.stderr
    return answer.stderr if answer.returncode else ""


@pytest.mark.slow
def test_types_of_the_checkout() -> None:
    assert mypy("--config-file", "pyproject.toml", "tests/public_types.py", folder=ROOT) == ""


@pytest.mark.slow
def test_types_of_the_wheel(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=False)
    [packages] = (tmp_path / "venv").glob("lib/python*/site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    shutil.copy(ROOT / "tests/public_types.py", tmp_path)
    options = ("--ignore-missing-imports", "--warn-unused-ignores")
    python = str(tmp_path / "venv/bin/python")
    assert mypy(*options, "--python-executable", python, "public_types.py", folder=tmp_path) == ""


def mypy(*arguments: str, folder: Path) -> str:
    """What mypy finds fault with."""
    command = [sys.executable, "-m", "mypy", "--no-error-summary", "--cache-dir", os.devnull, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False).stdout
