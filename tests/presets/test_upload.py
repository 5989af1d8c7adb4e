"""Presets go to the hubs whole, with a card and with their licence."""

from __future__ import annotations

import importlib

import pytest
from huggingface_hub import ModelCard

from keras_segformer import License, SegFormer
from keras_segformer.cli import main
from keras_segformer.errors import InvalidPresetError
from keras_segformer.presets.upload import upload_preset
from loopback_hubs import upload_hub
from tiny import tiny_config

FILES = {"config.json", "preprocessor.json", "metadata.json", "model.weights.h5", "README.md"}
FREE = License("Apache-2.0", "https://www.apache.org/licenses/LICENSE-2.0", non_commercial=False)
STRICT = License("Licence of a Vendor", "https://example.com/licence", non_commercial=True)
HUGGING_FACE, KAGGLE = "hf://me/tiny", "kaggle://me/segformer/keras/tiny"


@pytest.fixture(scope="module")
def preset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("upload") / "preset"
    SegFormer(tiny_config(), license=STRICT).save_to_preset(folder)
    (folder / ".hidden").write_text("x")
    return folder


@pytest.fixture
def hub(monkeypatch, tmp_path):
    with upload_hub() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        # What the library reads from the variable when it is imported; old versions take some addresses from there.
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", server.url)
        monkeypatch.setenv("HF_TOKEN", "hf_token")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.setenv("KAGGLE_USERNAME", "me")
        monkeypatch.setenv("KAGGLE_KEY", "key")
        monkeypatch.setenv("KAGGLE_CONFIG_DIR", str(tmp_path))
        kaggle_env = importlib.import_module("kagglesdk.kaggle_env")
        monkeypatch.setitem(kaggle_env._env_to_endpoint, kaggle_env.KaggleEnv.PROD, server.url)
        yield server


def is_private(hub) -> bool:
    """Whether a private repository was asked for, in the words of old or new versions of the library."""
    request = hub.requests["create_repo"]
    return request.get("visibility") == "private" or bool(request.get("private"))


def test_hugging_face(hub, preset):
    assert upload_preset(HUGGING_FACE, preset) == f"{hub.url}/me/tiny"
    assert hub.files.keys() == FILES
    assert hub.files["model.weights.h5"] == (preset / "model.weights.h5").read_bytes()
    assert is_private(hub)


def test_public(hub, preset):
    upload_preset(HUGGING_FACE, preset, public=True)
    assert not is_private(hub)


def test_a_card_is_written_where_there_is_none(hub, preset):
    upload_preset(HUGGING_FACE, preset)
    card = ModelCard(hub.files["README.md"].decode())
    assert card.data.license == "other"
    assert card.data.license_name == "licence-of-a-vendor"
    assert card.data.license_link == STRICT.url
    assert card.data.pipeline_tag == "image-segmentation"
    for text in ("# tiny\n", "## Intended use", "non-commercial use", "## Limits", STRICT.terms):
        assert text in card.text
    assert not (preset / "README.md").exists()


def test_the_card_of_a_run_is_kept(hub, tmp_path):
    SegFormer(tiny_config()).save_to_preset(tmp_path / "run")
    (tmp_path / "run/README.md").write_text("---\nlicense: mit\n---\n# Mine\n")
    upload_preset(HUGGING_FACE, tmp_path / "run")
    assert hub.files["README.md"] == b"---\nlicense: mit\n---\n# Mine\n"


def test_kaggle(hub, preset):
    assert upload_preset(KAGGLE, preset) == "https://www.kaggle.com/models/me/segformer/keras/tiny"
    assert hub.files.keys() == FILES
    assert hub.files["model.weights.h5"] == (preset / "model.weights.h5").read_bytes()
    assert hub.calls == ["GetModel", "CreateModelInstance"]
    body = hub.requests["CreateModelInstance"]["body"]
    assert (body["instanceSlug"], body["licenseName"]) == ("tiny", "Other (specified in description)")
    upload_preset(KAGGLE, preset)
    assert hub.calls[-1] == "CreateModelInstanceVersion"


def test_free_licence_on_kaggle(hub, tmp_path):
    SegFormer(tiny_config(), license=FREE).save_to_preset(tmp_path / "free")
    upload_preset(KAGGLE, tmp_path / "free")
    assert hub.requests["CreateModelInstance"]["body"]["licenseName"] == "Apache 2.0"


def test_broken_presets_stay_here(hub, tmp_path):
    (tmp_path / "preset").mkdir()
    (tmp_path / "preset/config.json").write_text("{}")
    with pytest.raises(InvalidPresetError):
        upload_preset(HUGGING_FACE, tmp_path / "preset")
    assert hub.calls == []


@pytest.mark.parametrize("uri", [HUGGING_FACE, KAGGLE])
def test_refused(hub, preset, uri):
    hub.refusal = 403
    with pytest.raises(ConnectionError, match=r"Cannot upload to .*403.*; check the address, and log in"):
        upload_preset(uri, preset)


@pytest.mark.parametrize("uri", ["me/tiny", "https://huggingface.co/me/tiny", ""])
def test_other_addresses(preset, uri):
    with pytest.raises(ValueError, match=r"is not the address of a hub; write hf://org/repo"):
        upload_preset(uri, preset)


def test_not_a_folder(tmp_path):
    with pytest.raises(NotADirectoryError, match="is not a folder; name one"):
        upload_preset(HUGGING_FACE, tmp_path / "nowhere")


def test_command(hub, preset, capsys):
    assert main(["upload", str(preset), HUGGING_FACE]) == 0
    assert "The preset is at " in capsys.readouterr().out
    assert hub.files.keys() == FILES
