"""setuptools with reproducible archives: the same files give the same bytes, whenever and wherever they are built.

setuptools takes the times of a wheel's files from SOURCE_DATE_EPOCH, but an sdist has those of the disk, the builder's
name and the hour of its compression. The README of both is that of `package_readme`.
"""

from __future__ import annotations

import gzip
import io
import os
import tarfile
from pathlib import Path
from typing import Any

from setuptools import build_meta
from setuptools.build_meta import (
    get_requires_for_build_editable,
    get_requires_for_build_sdist,
    get_requires_for_build_wheel,
)

from package_readme import package_readme

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
]

FIRST_TIME_OF_ZIP = 315532800
"""1980-01-01, the earliest time that a zip archive holds."""

README = Path("build/README.md")
"""Where pyproject.toml lets setuptools read it."""


def build_wheel(wheel_directory: str, config_settings: Any = None, metadata_directory: str | None = None) -> str:
    """Builds the wheel; the arguments are those of PEP 517."""
    _write_readme()
    os.environ.setdefault("SOURCE_DATE_EPOCH", str(FIRST_TIME_OF_ZIP))
    previous = os.umask(0o022)  # permissions are part of the archive
    try:
        return build_meta.build_wheel(wheel_directory, config_settings, metadata_directory)
    finally:
        os.umask(previous)


def build_sdist(sdist_directory: str, config_settings: Any = None) -> str:
    """Builds the sdist; the arguments are those of PEP 517."""
    _write_readme()
    name = build_meta.build_sdist(sdist_directory, config_settings)
    path = Path(sdist_directory) / name
    path.write_bytes(normalised(path.read_bytes()))
    return name


def build_editable(wheel_directory: str, config_settings: Any = None, metadata_directory: str | None = None) -> str:
    """Installs the checkout; the arguments are those of PEP 660."""
    _write_readme()
    return build_meta.build_editable(wheel_directory, config_settings, metadata_directory)


def prepare_metadata_for_build_wheel(metadata_directory: str, config_settings: Any = None) -> str:
    """Writes the metadata alone; the arguments are those of PEP 517."""
    _write_readme()
    return build_meta.prepare_metadata_for_build_wheel(metadata_directory, config_settings)


def prepare_metadata_for_build_editable(metadata_directory: str, config_settings: Any = None) -> str:
    """The same for the checkout; the arguments are those of PEP 660."""
    _write_readme()
    return build_meta.prepare_metadata_for_build_editable(metadata_directory, config_settings)


def _write_readme() -> None:
    README.parent.mkdir(exist_ok=True)
    README.write_text(package_readme(Path()), encoding="utf-8")


def normalised(archive: bytes) -> bytes:
    """Rewrites a compressed tar archive without what differs from build to build.

    Args:
        archive: A .tar.gz file.

    Returns:
        The same files in alphabetical order, of nobody and of one time.
    """
    time = int(os.environ.get("SOURCE_DATE_EPOCH", FIRST_TIME_OF_ZIP))
    result = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(archive)) as source,
        gzip.GzipFile(filename="", mode="wb", fileobj=result, mtime=time) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.PAX_FORMAT) as target,
    ):
        for member in sorted(source.getmembers(), key=lambda each: each.name):
            content = source.extractfile(member) if member.isfile() else None
            member.mtime, member.uid, member.gid, member.uname, member.gname, member.pax_headers = (
                time,
                0,
                0,
                "",
                "",
                {},
            )
            member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
            target.addfile(member, content)
    return result.getvalue()
