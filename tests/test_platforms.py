"""Kaggle, Colab and other machines, with stand-ins for what only those have."""

from __future__ import annotations

import sys
import types
import zipfile
from collections.abc import Callable
from pathlib import Path

import jax
import keras
import pytest
import tensorflow as tf

from keras_segformer import platforms
from keras_segformer.platforms import Platform
from keras_segformer.training.strategies import STRATEGIES

SIGNS = {Platform.KAGGLE: "KAGGLE_KERNEL_RUN_TYPE", Platform.COLAB: "COLAB_RELEASE_TAG"}

Go = Callable[[Platform], None]


@pytest.fixture
def go(tmp_path, monkeypatch) -> Go:
    """Moves to a platform, whose folders are in the temporary one."""
    for name, folder in (("KAGGLE_INPUT", "kaggle/input"), ("KAGGLE_OUTPUT", "kaggle/working")):
        monkeypatch.setattr(platforms, name, tmp_path / folder)
    monkeypatch.setattr(platforms, "COLAB_FILES", tmp_path / "content")
    monkeypatch.setattr(platforms, "COLAB_DRIVE", tmp_path / "content/drive/MyDrive")
    for sign in SIGNS.values():
        monkeypatch.delenv(sign, raising=False)
    monkeypatch.chdir(tmp_path)

    def move(platform: Platform) -> None:
        if platform in SIGNS:
            monkeypatch.setenv(SIGNS[platform], "")

    return move


def install(monkeypatch: pytest.MonkeyPatch, name: str, **content: object) -> None:
    """Puts a module where `import` finds it."""
    module = types.ModuleType(name)
    vars(module).update(content)
    monkeypatch.setitem(sys.modules, name, module)
    package, _, child = name.rpartition(".")
    if package:
        monkeypatch.setattr(sys.modules[package], child, module, raising=False)


def install_colab(monkeypatch: pytest.MonkeyPatch, child: str, **content: object) -> None:
    install(monkeypatch, "google")
    install(monkeypatch, "google.colab")
    install(monkeypatch, f"google.colab.{child}", **content)


class TestPlatform:
    @pytest.mark.parametrize("platform", Platform)
    def test_is_known_by_its_sign(self, go, platform):
        go(platform)
        assert platforms.current_platform() is platform

    def test_kaggle_is_itself_on_an_image_of_colab(self, go):
        go(Platform.COLAB)
        go(Platform.KAGGLE)
        assert platforms.current_platform() is Platform.KAGGLE

    @pytest.mark.parametrize(
        ("platform", "folder"),
        [(Platform.KAGGLE, "/kaggle/working"), (Platform.COLAB, "/content"), (Platform.OTHER, "outputs")],
    )
    def test_output_folder(self, monkeypatch, platform, folder):
        monkeypatch.setattr(platforms, "current_platform", lambda: platform)
        assert platforms.output_folder() == Path(folder)


class TestData:
    @pytest.mark.parametrize(
        ("platform", "place"),
        [
            *((platform, "pets") for platform in Platform),
            (Platform.KAGGLE, "kaggle/input/pets"),
            (Platform.KAGGLE, "kaggle/input/datasets/me/pets"),
            (Platform.KAGGLE, "kaggle/input/competitions/pets"),
            (Platform.COLAB, "content/pets"),
            (Platform.COLAB, "content/drive/MyDrive/pets"),
        ],
    )
    def test_is_found(self, go, tmp_path, platform, place):
        go(platform)
        (tmp_path / place).mkdir(parents=True)
        assert platforms.find_data("pets").resolve() == tmp_path / place

    def test_a_folder_inside(self, go, tmp_path):
        go(Platform.KAGGLE)
        (tmp_path / "kaggle/input/datasets/me/pets/cats [1]").mkdir(parents=True)
        assert platforms.find_data("pets/cats [1]") == tmp_path / "kaggle/input/datasets/me/pets/cats [1]"

    def test_an_absolute_path_is_itself(self, go, tmp_path):
        go(Platform.COLAB)
        (tmp_path / "anywhere").mkdir()
        assert platforms.find_data(tmp_path / "anywhere") == tmp_path / "anywhere"

    @pytest.mark.parametrize(
        ("platform", "remedy"),
        [(Platform.KAGGLE, "Add Input"), (Platform.COLAB, "drive.mount"), (Platform.OTHER, "path of your folder")],
    )
    def test_missing(self, go, platform, remedy):
        go(platform)
        with pytest.raises(FileNotFoundError, match=f"There is no 'pets' on {platform.value}.*{remedy}"):
            platforms.find_data("pets")


class TestSecret:
    def test_kaggle(self, go, monkeypatch):
        class UserSecretsClient:
            def get_secret(self, label: str) -> str:
                return {"TOKEN": "k"}[label]

        go(Platform.KAGGLE)
        install(monkeypatch, "kaggle_secrets", UserSecretsClient=UserSecretsClient)
        assert platforms.secret("TOKEN") == "k"
        with pytest.raises(ValueError, match=r"'OTHER' cannot be read on Kaggle.*Add-ons → Secrets"):
            platforms.secret("OTHER")

    def test_colab(self, go, monkeypatch):
        go(Platform.COLAB)
        install_colab(monkeypatch, "userdata", get={"TOKEN": "c"}.__getitem__)
        assert platforms.secret("TOKEN") == "c"
        with pytest.raises(ValueError, match=r"'OTHER' cannot be read on Colab.*give this notebook access"):
            platforms.secret("OTHER")

    def test_environment_elsewhere(self, go, monkeypatch):
        go(Platform.OTHER)
        monkeypatch.setenv("TOKEN", "e")
        monkeypatch.delenv("OTHER", raising=False)
        assert platforms.secret("TOKEN") == "e"
        with pytest.raises(ValueError, match="set the environment variable OTHER"):
            platforms.secret("OTHER")


class TestStrategy:
    @pytest.fixture
    def tpu(self, tmp_path, monkeypatch) -> Path:
        """Where the device file of a TPU would be."""
        device = tmp_path / "vfio" / "0"
        monkeypatch.setattr(platforms, "TPU_DEVICES", (f"{tmp_path}/accel[0-9]*", f"{tmp_path}/vfio/[0-9]*"))
        return device

    @pytest.mark.parametrize(
        ("backend", "devices", "strategy"),
        [
            ("tensorflow", 0, "none"),
            ("tensorflow", 1, "none"),
            ("tensorflow", 2, "mirrored"),
            ("jax", 1, "none"),
            ("jax", 8, "data-parallel"),
            ("torch", 2, "none"),
        ],
    )
    def test_uses_all_devices(self, monkeypatch, tpu, backend, devices, strategy):
        monkeypatch.setattr(keras.backend, "backend", lambda: backend)
        monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [kind] * devices)
        monkeypatch.setattr(jax, "local_device_count", lambda: devices)
        assert platforms.training_strategy() == strategy
        assert strategy in STRATEGIES

    def test_a_tpu_needs_jax(self, monkeypatch, tpu):
        tpu.parent.mkdir()
        (tpu.parent / "vfio").touch()  # the driver's own file, which other machines have too
        assert not platforms.has_tpu()
        tpu.touch()
        assert platforms.has_tpu()
        monkeypatch.setattr(keras.backend, "backend", lambda: "tensorflow")
        with pytest.raises(ValueError, match="KERAS_BACKEND to jax before"):
            platforms.training_strategy()


class TestDownload:
    @pytest.fixture
    def preset(self, tmp_path) -> Path:
        """A folder with a file."""
        folder = tmp_path / "run" / "preset.v1"
        folder.mkdir(parents=True)
        (folder / "config.json").write_text("{}")
        return folder

    def test_a_folder_becomes_an_archive(self, go, preset):
        go(Platform.OTHER)
        archive = platforms.offer_download(preset)
        assert archive == preset.parent / "preset.v1.zip"
        with zipfile.ZipFile(archive) as file:
            assert file.read("preset.v1/config.json") == b"{}"
        assert sorted(path.name for path in preset.parent.iterdir()) == ["preset.v1", "preset.v1.zip"]

    def test_a_file_stays(self, go, preset):
        go(Platform.OTHER)
        assert platforms.offer_download(preset / "config.json") == preset / "config.json"
        assert [path.name for path in preset.iterdir()] == ["config.json"]

    def test_kaggle_gets_it_into_its_output(self, go, preset, tmp_path):
        go(Platform.KAGGLE)
        output = tmp_path / "kaggle/working"
        assert platforms.offer_download(preset) == output / "preset.v1.zip"
        assert platforms.offer_download(preset / "config.json") == output / "config.json"
        inside = output / "run" / "model.tflite"
        inside.parent.mkdir()
        inside.touch()
        assert platforms.offer_download(inside) == inside

    def test_colab_sends_it_to_the_browser(self, go, preset, monkeypatch):
        sent: list[str] = []
        go(Platform.COLAB)
        install_colab(monkeypatch, "files", download=sent.append)
        archive = platforms.offer_download(preset)
        assert sent == [str(archive)]
        assert archive.is_file()

    def test_nothing_there(self, go):
        go(Platform.OTHER)
        with pytest.raises(FileNotFoundError, match="run the cells that write it"):
            platforms.offer_download("preset")
