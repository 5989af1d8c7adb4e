from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from keras_segformer.files import atomic_file, atomic_folder


def names(folder: Path) -> set[str]:
    """Everything in a folder, hidden and temporary names included."""
    return {entry.name for entry in folder.iterdir()}


class Interruption(BaseException):
    """Stands for KeyboardInterrupt and the like, which `except Exception` does not see."""


def test_atomic_file_replaces_and_leaves_nothing_else(tmp_path):
    target = tmp_path / "deep" / "config.json"
    for text in ("old", "new"):
        with atomic_file(target) as temporary:
            temporary.write_text(text)
            assert temporary.parent == target.parent
            assert temporary.name.endswith(".config.json")
        assert target.read_text() == text
    assert names(target.parent) == {"config.json"}


@pytest.mark.parametrize("error", [ValueError, Interruption])
def test_atomic_file_keeps_the_old_one_when_the_body_fails(tmp_path, error):
    target = tmp_path / "config.json"
    target.write_text("old")
    with pytest.raises(error), atomic_file(target) as temporary:
        temporary.write_text("half")
        raise error
    assert target.read_text() == "old"
    assert names(tmp_path) == {"config.json"}


def test_atomic_file_wants_something_written(tmp_path):
    with pytest.raises(FileNotFoundError), atomic_file(tmp_path / "config.json"):
        pass
    assert names(tmp_path) == set()


def test_atomic_file_writes_through_a_link(tmp_path):
    target, link = tmp_path / "target.txt", tmp_path / "link.txt"
    link.symlink_to(target)
    with atomic_file(link) as temporary:
        temporary.write_text("new")
    assert link.is_symlink()
    assert target.read_text() == "new"


def test_atomic_file_has_the_permissions_of_any_new_file(tmp_path):
    (tmp_path / "plain").write_text("")
    with atomic_file(tmp_path / "atomic") as temporary:
        temporary.write_text("")
    assert (tmp_path / "atomic").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize("empty_folder_is_there", [False, True])
def test_atomic_folder_is_made(tmp_path, empty_folder_is_there):
    target = tmp_path / "deep" / "preset"
    if empty_folder_is_there:
        target.mkdir(parents=True)
    with atomic_folder(target) as temporary:
        (temporary / "config.json").write_text("new")
        assert temporary.parent == target.parent
    assert names(target) == {"config.json"}
    assert names(target.parent) == {"preset"}


def test_atomic_folder_takes_a_relative_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with atomic_folder("preset") as temporary:
        (temporary / "config.json").write_text("new")
    assert names(tmp_path / "preset") == {"config.json"}


def test_atomic_folder_refuses_an_occupied_folder_before_the_work(tmp_path):
    (tmp_path / "preset").mkdir()
    (tmp_path / "preset" / "old.txt").write_text("old")
    with pytest.raises(FileExistsError, match="overwrite=True"), atomic_folder(tmp_path / "preset"):
        pytest.fail("the body must not run")
    assert names(tmp_path) == {"preset"}


def test_atomic_folder_refuses_a_folder_that_was_filled_meanwhile(tmp_path):
    target = tmp_path / "preset"
    with pytest.raises(FileExistsError, match="overwrite=True"), atomic_folder(target) as temporary:
        (temporary / "config.json").write_text("new")
        target.mkdir()
        (target / "other.txt").write_text("of another process")
    assert names(target) == {"other.txt"}
    assert names(tmp_path) == {"preset"}


@pytest.mark.parametrize("overwrite", [False, True])
def test_atomic_folder_refuses_a_file(tmp_path, overwrite):
    (tmp_path / "preset").write_text("a file")
    with pytest.raises(FileExistsError, match="is a file"), atomic_folder(tmp_path / "preset", overwrite):
        pytest.fail("the body must not run")
    assert (tmp_path / "preset").read_text() == "a file"


def test_atomic_folder_overwrites_as_a_whole(tmp_path):
    target = tmp_path / "preset"
    target.mkdir()
    (target / "old.txt").write_text("old")
    with atomic_folder(target, overwrite=True) as temporary:
        (temporary / "new.txt").write_text("new")
        assert names(target) == {"old.txt"}
    assert names(target) == {"new.txt"}
    assert names(tmp_path) == {"preset"}


@pytest.mark.parametrize("error", [ValueError, Interruption])
def test_atomic_folder_keeps_the_old_one_when_the_body_fails(tmp_path, error):
    target = tmp_path / "preset"
    target.mkdir()
    (target / "old.txt").write_text("old")
    with pytest.raises(error), atomic_folder(target, overwrite=True) as temporary:
        (temporary / "new.txt").write_text("half")
        raise error
    assert names(target) == {"old.txt"}
    assert names(tmp_path) == {"preset"}


def test_atomic_folder_puts_the_old_one_back_when_the_new_one_cannot_be_moved(tmp_path):
    target = tmp_path / "preset"
    target.mkdir()
    (target / "old.txt").write_text("old")
    with pytest.raises(FileNotFoundError), atomic_folder(target, overwrite=True) as temporary:
        temporary.rmdir()
    assert names(target) == {"old.txt"}
    assert names(tmp_path) == {"preset"}


# The module is loaded from its file: importing the package would load Keras for nothing.
KILLED_WHILE_WRITING = """
import importlib.util, os, signal, sys
spec = importlib.util.spec_from_file_location("files", sys.argv[1])
files = importlib.util.module_from_spec(spec)
spec.loader.exec_module(files)
with files.atomic_file(sys.argv[2]) as file, files.atomic_folder(sys.argv[3], overwrite=True) as folder:
    file.write_text("half")
    (folder / "new.txt").write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_a_killed_process_leaves_the_old_data(tmp_path):
    file, folder = tmp_path / "file.txt", tmp_path / "preset"
    file.write_text("old")
    folder.mkdir()
    (folder / "old.txt").write_text("old")
    module = sys.modules["keras_segformer.files"].__file__
    process = subprocess.run([sys.executable, "-c", KILLED_WHILE_WRITING, module, file, folder], check=False)
    assert process.returncode == -signal.SIGKILL
    assert file.read_text() == "old"
    assert names(folder) == {"old.txt"}
