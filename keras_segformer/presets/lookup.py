"""Finds the files of a preset: on this machine, or on a hub by way of the catalogue or a URL."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from keras_segformer.errors import InvalidPresetError, PresetNotFoundError
from keras_segformer.presets.catalogue import BUNDLED, PRESETS, PresetInfo, suggest
from keras_segformer.presets.hub_download import HUGGING_FACE, KAGGLE, HubError, download, is_cached
from keras_segformer.presets.trust import check_trusted

PRESETS_VARIABLE = "KERAS_SEGFORMER_PRESETS"
BUNDLED_FOLDER = Path(__file__).parent / "bundled"


@dataclasses.dataclass(frozen=True)
class PresetLocation:
    """The files of a preset on this machine.

    Args:
        path: A folder, or a single file of weights.
        origin: Where they come from, as messages name it.
        info: The catalogue entry, where there is one.
    """

    path: Path
    origin: str
    info: PresetInfo | None = None


def locate(preset: str | os.PathLike[str]) -> PresetLocation:
    """Find the files of a preset, and download them where they are not on this machine.

    Files whose digests the catalogue lacks are trusted at their first download and held against it at later ones. The
    hub libraries keep downloads in their own caches, where an interrupted download leaves nothing that a later
    call would take, and honour their own environment variables (`HF_HOME`, `HF_HUB_OFFLINE`, `HF_ENDPOINT`,
    `KAGGLEHUB_CACHE`).

    Args:
        preset: One of

            - a catalogue name: the folders named in the environment variable `KERAS_SEGFORMER_PRESETS` (a list like
              `PATH`) are searched for a folder of that name, then the presets that come with this package; else it
              is downloaded. A folder of the working directory is never taken for it: write `"./b0_ade20k"`;
            - the path of a folder or file, or the name of a folder inside one of `KERAS_SEGFORMER_PRESETS`;
            - `"hf://org/repo"` or `"hf://org/repo@revision"`, a repository of the Hugging Face hub;
            - `"kaggle://owner/model/framework/variation"`, with `/version` or without.

    Returns:
        The location.

    Raises:
        PresetNotFoundError: It is nowhere, or the hub cannot be reached or refuses; the message lists every place
            that was searched.
        InvalidPresetError: A downloaded file is not the one that the catalogue knows, or has changed since it was
            first downloaded.

    Example:

    >>> import tempfile
    >>> locate(tempfile.gettempdir()).info is None
    True
    """
    reference = os.fspath(preset)
    if not reference:
        raise PresetNotFoundError(f"The name of the preset is empty. {suggest(reference)}")
    if reference.startswith((HUGGING_FACE, KAGGLE)):
        return _fetch(reference, _info_of(reference))
    info = PRESETS.get(reference) if isinstance(preset, str) else None
    places = list(_local_places(preset, info))
    for place in places:
        if place.exists():
            return PresetLocation(place, str(place), info)
    if info is not None and info.source == BUNDLED:
        raise PresetNotFoundError(
            f"{reference} comes with keras-segformer but is not at {_listed(places)}; install it again."
        )
    if info is not None:
        return _fetch(info.source, info, places)
    raise PresetNotFoundError(f"There is no preset at {_listed(places)}. {suggest(reference)}")


def is_on_this_machine(name: str) -> bool:
    """Whether a preset of the catalogue can be loaded without a network.

    Args:
        name: Its name.

    Returns:
        True if one of the folders for presets, this package or the cache of the Hugging Face hub has it.

    Example:

    >>> is_on_this_machine("b0_camvid")
    True
    """
    info = PRESETS[name]
    return any(place.exists() for place in _local_places(name, info)) or is_cached(info.source)


def _info_of(source: str) -> PresetInfo | None:
    """The catalogue entry of a hub URL, whose licence applies no matter how the weights are referred to."""
    unversioned = source.partition("@")[0]
    return next((info for info in PRESETS.values() if info.source.partition("@")[0] == unversioned), None)


def _local_places(preset: str | os.PathLike[str], info: PresetInfo | None) -> Iterator[Path]:
    """Where a preset may lie on this machine, first choice first."""
    if info is None:
        yield Path(preset).expanduser().absolute()
    if isinstance(preset, str) and preset == Path(preset).name:
        folders = os.environ.get(PRESETS_VARIABLE, "").split(os.pathsep)
        for folder in [*filter(None, folders), BUNDLED_FOLDER]:
            yield Path(folder).expanduser().absolute() / preset


def _listed(places: list[Path]) -> str:
    return ", ".join(map(str, places))


def _fetch(source: str, info: PresetInfo | None, searched: list[Path] | None = None) -> PresetLocation:
    """Download a preset; `searched` are the places where its name was looked up before."""
    try:
        folder = download(source)
    except HubError as error:
        before = f" It is not at {_listed(searched)} either." if searched else ""
        remedy = _remedy(source, info.name if searched else None)
        raise PresetNotFoundError(f"Cannot download {source} ({error}).{before} {remedy}") from error
    # The digests are those of the revision that the catalogue names. They say nothing of weights in another format.
    if info is None or info.source != source or not _verify(folder, info.sha256):
        check_trusted(source, folder)
    return PresetLocation(folder, source, info)


def _remedy(source: str, name: str | None) -> str:
    """How to bring a preset to a machine that cannot download it."""
    folder = f"FOLDER/{name}" if name else "FOLDER"
    if source.startswith(KAGGLE):
        how = f"download https://www.kaggle.com/models/{source.removeprefix(KAGGLE)} to {folder}"
    else:
        repository, _, revision = source.removeprefix(HUGGING_FACE).partition("@")
        option = f" --revision {revision}" if revision else ""
        how = f"run `hf download {repository}{option} --local-dir {folder}`"
    use = f"name FOLDER in the environment variable {PRESETS_VARIABLE}" if name else "pass FOLDER as the preset"
    check = "" if name else "Check the address. "
    return f"{check}On a machine that has access to it, {how}; then copy FOLDER to this one and {use}."


def _verify(folder: Path, sha256: Mapping[str, str]) -> bool:
    """Compare downloaded files with the digests that the catalogue knows; false where it knows none of them."""
    found = False
    for name, expected in sha256.items():
        # What the hub's cache shows is a link; only without the file behind it would it download again.
        file = (folder / name).resolve()
        if not file.exists():
            continue
        with file.open("rb") as content:
            actual = hashlib.file_digest(content, "sha256").hexdigest()
        if actual != expected:
            raise InvalidPresetError(
                f"{name} has the SHA-256 {actual} where the catalogue expects {expected}; delete {file} and load the "
                "preset again."
            )
        found = True
    return found
