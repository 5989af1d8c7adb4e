"""Puts a preset on the Hugging Face hub or on Kaggle, with its model card."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from keras_segformer.licenses import License
from keras_segformer.models import SegFormerNetwork
from keras_segformer.presets.card import preset_card
from keras_segformer.presets.hub_download import HUGGING_FACE, KAGGLE
from keras_segformer.presets.loading import load_segmenter

CARD = "README.md"

_KAGGLE_LICENSES = {"Apache-2.0": "Apache 2.0"}
_OTHER_LICENSE = "Other (specified in description)"


def upload_preset(uri: str, preset: str | os.PathLike[str], public: bool = False) -> str:
    """Uploads a preset folder.

    The folder is loaded first, so that nothing broken reaches a hub. Where it has no `README.md`, a model card without
    scores is written for it. The credentials are those of the hubs' own tools: `hf auth login` or `HF_TOKEN`, and
    `KAGGLE_USERNAME` with `KAGGLE_KEY`.

    Args:
        uri: `"hf://org/repo"` or `"kaggle://owner/model/framework/variation"`. What is not there yet is made; an
            existing repository gets a commit, an existing variation a version.
        preset: The folder, as `SegFormer.save_to_preset`, `save_to_transformers` or a training run wrote it.
        public: Whether a new repository of the Hugging Face hub is public. Those of Kaggle are private at first.

    Returns:
        The address of the page.

    Raises:
        NotADirectoryError: `preset` is not a folder.
        InvalidPresetError: The folder cannot be loaded.
        ValueError: `uri` is not the address of a hub.
        ConnectionError: The hub cannot be reached, or refuses.

    Example:

    >>> upload_preset("https://example.com", ".")
    Traceback (most recent call last):
    ...
    ValueError: 'https://example.com' is not the address of a hub; write hf://org/repo or kaggle://...
    """
    if not uri.startswith((HUGGING_FACE, KAGGLE)):
        raise ValueError(
            f"{uri!r} is not the address of a hub; write hf://org/repo or kaggle://owner/model/framework/variation."
        )
    folder = Path(preset)
    if not folder.is_dir():
        raise NotADirectoryError(f"{str(folder)!r} is not a folder; name one that `save_to_preset` or a run wrote.")
    model = load_segmenter(SegFormerNetwork, folder)
    with tempfile.TemporaryDirectory() as temporary:
        copy = _copied(folder, Path(temporary), preset_card(model, uri.rpartition("/")[2]))
        try:
            return _upload(uri, copy, model.license, public)
        # The hubs' libraries and the transports below them raise errors of no common base.
        except Exception as error:
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            raise ConnectionError(
                f"Cannot upload to {uri} ({reason}); check the address, and log in with a token that may write."
            ) from error


def _copied(folder: Path, target: Path, card: str) -> Path:
    """The files of a preset, with a card, in another folder; hidden files and folders are left out."""
    for file in folder.iterdir():
        if file.is_file() and not file.name.startswith("."):
            shutil.copyfile(file, target / file.name)
    if not (target / CARD).exists():
        (target / CARD).write_text(card, encoding="utf-8")
    return target


def _upload(uri: str, folder: Path, license: License | None, public: bool) -> str:
    if uri.startswith(KAGGLE):
        return _upload_to_kaggle(uri.removeprefix(KAGGLE), folder, license)
    return _upload_to_hugging_face(uri.removeprefix(HUGGING_FACE), folder, public)


def _upload_to_hugging_face(repository: str, folder: Path, public: bool) -> str:
    from huggingface_hub import HfApi

    api = HfApi(endpoint=os.environ.get("HF_ENDPOINT") or None, library_name="keras-segformer")
    url = api.create_repo(repository, private=not public, exist_ok=True)
    api.upload_folder(repo_id=repository, folder_path=folder, commit_message="Upload a preset of keras-segformer")
    return str(url)


def _upload_to_kaggle(handle: str, folder: Path, license: License | None) -> str:
    from kagglehub import model_upload

    name = None if license is None else _KAGGLE_LICENSES.get(license.name, _OTHER_LICENSE)
    model_upload(handle, str(folder), license_name=name)
    return f"https://www.kaggle.com/models/{handle}"
