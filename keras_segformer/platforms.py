"""Detects where a notebook runs (Kaggle, Colab or elsewhere), and hides the differences."""

from __future__ import annotations

import enum
import glob
import os
import shutil
from pathlib import Path

from keras_segformer.files import atomic_file

__all__ = [
    "Platform",
    "current_platform",
    "find_data",
    "has_tpu",
    "offer_download",
    "output_folder",
    "secret",
    "training_strategy",
]

TPU_DEVICES = ("/dev/accel[0-9]*", "/dev/vfio/[0-9]*")
"""Patterns of the device files of TPUs: up to v4, and from v5e on."""

KAGGLE_INPUT = Path("/kaggle/input")
KAGGLE_OUTPUT = Path("/kaggle/working")
COLAB_FILES = Path("/content")
COLAB_DRIVE = COLAB_FILES / "drive" / "MyDrive"


class Platform(enum.Enum):
    """A place where notebooks run."""

    KAGGLE = "Kaggle"
    COLAB = "Colab"
    OTHER = "this machine"


def current_platform() -> Platform:
    """The platform of this process, by the environment variables that Kaggle and Colab set.

    Example:

    >>> current_platform()                                                 # doctest: +SKIP
    <Platform.COLAB: 'Colab'>
    """
    # Kaggle first: its images are built on those of Colab, whose variables and packages they inherit.
    if "KAGGLE_KERNEL_RUN_TYPE" in os.environ:
        return Platform.KAGGLE
    return Platform.COLAB if "COLAB_RELEASE_TAG" in os.environ else Platform.OTHER


def output_folder() -> Path:
    """Returns the folder for results: the one that Kaggle keeps or that Colab's file browser shows, or `outputs`.

    Returns:
        The folder; it may have to be made.

    Example:

    >>> output_folder()                                                    # doctest: +SKIP
    PosixPath('/kaggle/working')
    """
    return {Platform.KAGGLE: KAGGLE_OUTPUT, Platform.COLAB: COLAB_FILES}.get(current_platform(), Path("outputs"))


def find_data(name: str | os.PathLike[str]) -> Path:
    """Finds a folder or archive of the user's own.

    Args:
        name: A path; or the name of a data set that was added to the notebook on Kaggle, of something uploaded to
            Colab, or of a folder at the top of a Google Drive mounted there.

    Returns:
        The path.

    Raises:
        FileNotFoundError: It is in none of these places.

    Example:

    >>> find_data("my-pictures")                                           # doctest: +SKIP
    PosixPath('/kaggle/input/my-pictures')
    """
    platform = current_platform()
    pattern = glob.escape(os.fspath(name))
    patterns = {
        # By name alone in older notebooks, by kind and owner in newer ones.
        Platform.KAGGLE: [KAGGLE_INPUT / folder / pattern for folder in ("", "datasets/*", "competitions")],
        Platform.COLAB: [COLAB_FILES / pattern, COLAB_DRIVE / pattern],
        Platform.OTHER: [],
    }
    for place in [pattern, *patterns[platform]]:
        for path in glob.glob(str(place)):
            return Path(path)
    remedy = {
        Platform.KAGGLE: "add the data set to the notebook (Add Input) and give its name, as its address has it",
        Platform.COLAB: f"upload it to {COLAB_FILES} (Files, at the left), or mount your Drive (drive.mount in "
        "google.colab) and give its name there",
        Platform.OTHER: "give the path of your folder",
    }
    raise FileNotFoundError(f"There is no '{name}' on {platform.value}; {remedy[platform]}.")


def secret(name: str) -> str:
    """Reads a secret, such as an access token: from Kaggle's or Colab's store, elsewhere from the environment.

    Args:
        name: Its name.

    Returns:
        Its value.

    Raises:
        ValueError: There is no such secret, or the notebook may not read it.

    Example:

    ```python
    os.environ["HF_TOKEN"] = secret("HF_TOKEN")
    ```
    """
    platform = current_platform()
    if platform is Platform.OTHER:
        if name not in os.environ:
            raise ValueError(f"There is no secret {name!r} on this machine; set the environment variable {name}.")
        return os.environ[name]
    try:
        return _stored_secret(platform, name)
    except Exception as error:  # both have exceptions of their own, without a common base
        remedy = {
            Platform.KAGGLE: "add it under Add-ons → Secrets, attach it to this notebook and switch Internet on",
            Platform.COLAB: "add it under Secrets (the key at the left) and give this notebook access",
        }
        raise ValueError(
            f"The secret {name!r} cannot be read on {platform.value} ({error}); {remedy[platform]}."
        ) from error


def _stored_secret(platform: Platform, name: str) -> str:
    if platform is Platform.KAGGLE:
        from kaggle_secrets import UserSecretsClient

        return UserSecretsClient().get_secret(name)
    from google.colab import userdata

    return userdata.get(name)


def has_tpu() -> bool:
    """Returns True if this machine has a TPU.

    Example:

    >>> has_tpu()
    False
    """
    return any(glob.glob(pattern) for pattern in TPU_DEVICES)


def training_strategy() -> str:
    """The strategy that uses all accelerators of this machine, with the backend that Keras has.

    Returns:
        `"mirrored"` for several GPUs and TensorFlow, `"data-parallel"` for several GPUs or TPU cores and JAX,
        otherwise `"none"`; `keras_segformer.training.open_strategy` takes it.

    Raises:
        ValueError: There is a TPU and the backend is another than JAX, which would leave it idle.

    Example:

    >>> training_strategy()
    'none'
    """
    import keras

    backend = keras.backend.backend()
    if has_tpu() and backend != "jax":
        raise ValueError(
            f"Keras reaches the TPU of this machine through JAX, and its backend is {backend}; restart the notebook, "
            "and set the environment variable KERAS_BACKEND to jax before anything imports Keras."
        )
    if backend == "jax":
        import jax

        return "data-parallel" if jax.local_device_count() > 1 else "none"
    if backend == "tensorflow":
        import tensorflow as tf

        return "mirrored" if len(tf.config.list_physical_devices("GPU")) > 1 else "none"
    return "none"


def offer_download(path: str | os.PathLike[str]) -> Path:
    """Makes a file or folder easy to download.

    In Colab the browser downloads it; in Kaggle it lies in the notebook's output. A folder becomes a zip archive
    beside it.

    Args:
        path: The file or folder.

    Returns:
        The file: the one given, its copy in the output of Kaggle, or the archive.

    Raises:
        FileNotFoundError: There is no such file or folder.

    Example:

    >>> offer_download("preset")                                           # doctest: +SKIP
    PosixPath('/content/preset.zip')
    """
    path = Path(path).resolve()
    if not path.exists():
        raise FileNotFoundError(f"There is no '{path}' to download; run the cells that write it first.")
    platform = current_platform()
    folder = path.parent
    if platform is Platform.KAGGLE and not path.is_relative_to(KAGGLE_OUTPUT.resolve()):
        folder = KAGGLE_OUTPUT
    file = _as_file(path, folder)
    if platform is Platform.COLAB:
        from google.colab import files

        files.download(str(file))
    return file


def _as_file(path: Path, folder: Path) -> Path:
    """The path as one file in a folder."""
    if path.is_dir():
        file = folder / f"{path.name}.zip"
        with atomic_file(file) as temporary:
            shutil.make_archive(str(temporary.with_suffix("")), "zip", path.parent, path.name)
        return file
    file = folder / path.name
    if file != path:
        with atomic_file(file) as temporary:
            shutil.copyfile(path, temporary)
    return file


def __dir__() -> list[str]:
    return list(__all__)
