from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from keras_segformer.files import atomic_file, atomic_files, atomic_folder, write_file


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


def test_write_file_takes_text_and_bytes(tmp_path):
    write_file(tmp_path / "text", "Straße")
    write_file(tmp_path / "bytes", b"\0\1")
    assert (tmp_path / "text").read_text("utf-8") == "Straße"
    assert (tmp_path / "bytes").read_bytes() == b"\0\1"


def test_files_of_a_set_are_renamed_when_all_are_complete(tmp_path):
    targets = [tmp_path / "a.tflite", tmp_path / "a.json"]
    for target in targets:
        target.write_text("old")
    with pytest.raises(ValueError, match="half"), atomic_files(targets) as [model, _]:
        model.write_text("new")
        raise ValueError("half")
    assert [target.read_text() for target in targets] == ["old", "old"]
    with atomic_files(targets) as temporaries:
        for temporary in temporaries:
            temporary.write_text("new")
        assert [target.read_text() for target in targets] == ["old", "old"]
    assert [target.read_text() for target in targets] == ["new", "new"]
    assert names(tmp_path) == {"a.tflite", "a.json"}


def test_a_set_with_a_folder_in_the_way_is_refused_before_the_work(tmp_path):
    (tmp_path / "m.json").mkdir()
    with (
        pytest.raises(IsADirectoryError, match=r"is a folder; remove it, or choose another name: '.*m\.json'"),
        atomic_files([tmp_path / "m.tflite", tmp_path / "m.json"]),
    ):
        raise AssertionError("the body runs")
    assert names(tmp_path) == {"m.json"}


def test_a_second_writer_is_refused(tmp_path):
    target = tmp_path / "preset"
    with atomic_folder(target) as temporary:
        (temporary / "config.json").write_text("first")
        with pytest.raises(OSError, match="another process is writing it") as raised, atomic_folder(target):
            pytest.fail("the body must not run")
        assert raised.value.errno == errno.EBUSY
    assert (target / "config.json").read_text() == "first"


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="this system has no user ids")
@pytest.mark.parametrize("kind", ["link", "of another user"])
def test_a_folder_of_locks_that_another_user_has_made_is_not_used(tmp_path, monkeypatch, kind):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    locks = tmp_path / f"keras_segformer_locks_{os.getuid()}"
    if kind == "link":
        (tmp_path / "elsewhere").mkdir()
        locks.symlink_to(tmp_path / "elsewhere")
    else:
        locks.mkdir()
        user = os.getuid()
        locks.rename(tmp_path / f"keras_segformer_locks_{user + 1}")
        monkeypatch.setattr("os.getuid", lambda: user + 1)
    with pytest.raises(PermissionError, match="belongs to another user; remove it"):
        write_file(tmp_path / "text", "new")
    assert not (tmp_path / "text").exists()


def test_what_killed_writers_left_is_cleared(tmp_path):
    (tmp_path / ".0123abcd.preset").mkdir()
    (tmp_path / ".0123abcd.preset" / "half").touch()
    (tmp_path / ".0123abcd.other").touch()
    with atomic_folder(tmp_path / "preset") as temporary:
        (temporary / "config.json").touch()
    assert names(tmp_path) == {"preset", ".0123abcd.other"}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems exchange names in two steps")
def test_no_moment_without_the_folder(tmp_path, monkeypatch):
    """On Linux the names are exchanged: a rename of the old folder, which leaves a moment without one, is not used."""
    target = tmp_path / "preset"
    target.mkdir()
    (target / "old").touch()
    monkeypatch.setattr(Path, "rename", lambda *_: pytest.fail("renamed"))
    with atomic_folder(target, overwrite=True) as temporary:
        (temporary / "new").touch()
    assert names(target) == {"new"}
    assert names(tmp_path) == {"preset"}


def test_links_to_nowhere_may_lie_in_a_folder(tmp_path):
    with atomic_folder(tmp_path / "preset") as temporary:
        (temporary / "link").symlink_to("/nowhere")
    assert (tmp_path / "preset/link").is_symlink()


def test_systems_that_cannot_exchange_names(tmp_path, monkeypatch):
    monkeypatch.setattr("keras_segformer.files._exchange", lambda *_: False)
    test_atomic_folder_overwrites_as_a_whole(tmp_path)


FULL_DISK = """
import importlib.util, resource, sys
from pathlib import Path
spec = importlib.util.spec_from_file_location("files", sys.argv[1])
files = importlib.util.module_from_spec(spec)
spec.loader.exec_module(files)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    files.write_file(sys.argv[2], b"x" * 2_000_000)
except OSError as error:
    print(error)
with files.atomic_folder(sys.argv[3], overwrite=True) as folder:
    files.write_bytes(folder / "weights", b"x" * 2_000_000)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="this system has no such limit")
def test_a_full_disk_is_named_and_costs_nothing(tmp_path):
    file, folder = tmp_path / "file.txt", tmp_path / "preset"
    file.write_text("old")
    folder.mkdir()
    (folder / "old.txt").write_text("old")
    module = sys.modules["keras_segformer.files"].__file__
    command = [sys.executable, "-c", FULL_DISK, module, file, folder]
    process = subprocess.run(command, check=False, capture_output=True, text=True)
    for text in (process.stdout, process.stderr):
        assert "2.0 MB are needed and" in text
        assert "MB are free; make room, or choose a folder on another disk" in text
    assert file.read_text() == "old"
    assert names(folder) == {"old.txt"}
    assert names(tmp_path) == {"file.txt", "preset"}
