from __future__ import annotations

import dataclasses
import hashlib
import http.server
import importlib
import json
import os
import threading
import time
from pathlib import Path

import huggingface_hub.constants
import huggingface_hub.utils
import pytest

from keras_segformer.cli import main
from keras_segformer.errors import InvalidPresetError, PresetNotFoundError
from keras_segformer.presets import hub_download, lookup
from keras_segformer.presets.catalogue import PRESETS, PresetInfo
from keras_segformer.presets.hub_download import HubError
from keras_segformer.presets.lookup import PresetLocation, locate
from keras_segformer.presets.trust import memory_file

WEIGHTS = b"weights" * 1000
MAIN, OLDER = "a" * 40, "b" * 40


class Hub(http.server.ThreadingHTTPServer):
    """What the hubs' libraries need of their servers, on this machine."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), HubRequest)
        self.files = {"config.json": b"{}", "model.safetensors": WEIGHTS}
        self.older_files = {"config.json": b'{"older": true}', "model.safetensors": b"older" * 10}
        self.refusal: tuple[int, str] | None = None  # status and the hub's name for it
        self.cut_off: set[str] = set()  # files of which half is sent, and nothing at the next request
        self.downloads: list[str] = []  # files sent or half sent
        self.pause = 0.0  # seconds before an answer
        self.drip = 0.0  # seconds between the bytes of weights
        self.requests = 0
        self.main = MAIN

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class HubRequest(http.server.BaseHTTPRequestHandler):
    server: Hub

    def do_HEAD(self):
        self.answer()

    def do_GET(self):
        self.answer()

    def do_POST(self):
        self.message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.answer()

    def answer(self):
        self.server.requests += 1
        time.sleep(self.server.pause)
        path = self.path.partition("?")[0]
        match path.strip("/").split("/"):
            case _ if self.server.refusal:
                status, code = self.server.refusal
                self.send(b"{}", status, {"X-Error-Code": code, "Content-Type": "application/json"})
            case ["api", "models", "org", "tiny", "revision", "main"]:
                files = self.files_of(self.server.main)
                self.send_json({"id": "org/tiny", "sha": self.server.main, "siblings": self.siblings(files)})
            case ["api", "models", "org", "tiny", "revision", name] if name in ("older", OLDER):
                self.send_json({"id": "org/tiny", "sha": OLDER, "siblings": self.siblings(self.server.older_files)})
            case ["api", "models", "org", "tiny", "revision", _]:
                self.send(b"", 404, {"X-Error-Code": "RevisionNotFound"})
            case ["api", "models", "org", "tiny", "tree", revision]:
                self.send_json(
                    [
                        {"type": "file", "path": name, "size": len(content), "oid": hashlib.sha1(content).hexdigest()}
                        for name, content in self.files_of(revision).items()
                    ]
                )
            case ["org", "tiny", "resolve", revision, name] if name in self.files_of(revision):
                content = self.files_of(revision)[name]
                headers = {"ETag": f'"{hashlib.sha1(content).hexdigest()}"', "X-Repo-Commit": revision}
                self.send_file(name, content, headers)
            case ["v1", "models.ModelApiService", "GetModelInstance"]:
                self.send_json({"versionNumber": 3})
            case ["v1", "models.ModelApiService", "ListModelInstanceVersionFiles"]:
                self.send_json({"files": [{"name": name} for name in self.server.files], "nextPageToken": ""})
            case ["v1", "models.ModelApiService", "DownloadModelInstanceVersion"]:
                self.send_file(self.message["path"], self.server.files[self.message["path"]], {})
            case _:
                self.send(b"", 404, {"X-Error-Code": "RepoNotFound"})

    def files_of(self, revision: str) -> dict[str, bytes]:
        return self.server.older_files if revision == OLDER else self.server.files

    @staticmethod
    def siblings(files: dict[str, bytes]) -> list[dict[str, str]]:
        return [{"rfilename": name} for name in files]

    def send_json(self, content) -> None:
        self.send(json.dumps(content).encode(), 200, {"Content-Type": "application/json"})

    def send_file(self, name: str, content: bytes, headers: dict[str, str]) -> None:
        if self.command == "HEAD":
            self.send(content, 200, headers)
        elif name not in self.server.cut_off:
            self.server.downloads.append(name)
            self.send(content, 200, headers)
        elif name not in self.server.downloads:
            self.server.downloads.append(name)
            self.send(content, 200, headers, sent=len(content) // 2)
        else:
            self.send(b"", 500, {})

    def send(self, content: bytes, status: int, headers: dict[str, str], sent: int | None = None) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if self.server.drip and content == WEIGHTS:
            for byte in content:
                self.wfile.write(bytes([byte]))
                time.sleep(self.server.drip)
        self.wfile.write(content[:sent])

    def log_message(self, *_):
        """Keep the tests' output clean."""


def fetch_here(source: str) -> Path:
    """`download` in this process, whose libraries the tests have pointed at a hub of their own."""
    try:
        return hub_download.fetch(source)
    except Exception as error:
        raise HubError(" ".join(f"{type(error).__name__}: {error}".split())) from error


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """A hub with the repository `org/tiny`, and empty caches."""
    monkeypatch.setattr(lookup, "download", fetch_here)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    server = Hub()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hugging_face"))
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def no_presets_on_this_machine(monkeypatch, tmp_path):
    monkeypatch.delenv("KERAS_SEGFORMER_PRESETS", raising=False)
    monkeypatch.setattr(lookup, "BUNDLED_FOLDER", tmp_path / "bundled")


def folder_of(path: Path, *names: str) -> Path:
    for name in names:
        (path / name).mkdir(parents=True)
    return path


def catalogue_of(monkeypatch, **sha256: str) -> PresetInfo:
    """Make `tiny` the only preset of the catalogue; digests by file name, with `_` for the dot."""
    digests = {name.replace("_", "."): digest for name, digest in sha256.items()}
    info = dataclasses.replace(PRESETS["b0_ade20k"], name="tiny", source="hf://org/tiny", sha256=digests)
    monkeypatch.setattr(lookup, "PRESETS", {"tiny": info})
    return info


def read(location: PresetLocation) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in location.path.iterdir()}


class TestThisMachine:
    def test_folder(self, tmp_path):
        assert locate(tmp_path) == locate(str(tmp_path)) == PresetLocation(tmp_path, str(tmp_path))

    def test_file(self, tmp_path):
        (tmp_path / "mit_b0.pth").write_bytes(b"")
        assert locate(tmp_path / "mit_b0.pth").path == tmp_path / "mit_b0.pth"

    def test_relative_and_home(self, tmp_path, monkeypatch):
        folder_of(tmp_path, "mine")
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("HOME", str(tmp_path))
        for preset in ("mine", "./mine", Path("mine"), "~/mine"):
            assert locate(preset).path == tmp_path / "mine"

    def test_presets_folders_are_searched_in_order(self, tmp_path, monkeypatch):
        first, second = folder_of(tmp_path / "1", "b1_ade20k"), folder_of(tmp_path / "2", "b0_ade20k", "b1_ade20k")
        folders = [tmp_path / "missing", "", first, second]
        monkeypatch.setenv("KERAS_SEGFORMER_PRESETS", os.pathsep.join(map(str, folders)))
        assert locate("b0_ade20k") == PresetLocation(
            second / "b0_ade20k", str(second / "b0_ade20k"), PRESETS["b0_ade20k"]
        )
        assert locate("b1_ade20k").path == first / "b1_ade20k"

    def test_presets_folders_may_hold_names_of_their_own(self, tmp_path, monkeypatch):
        monkeypatch.setenv("KERAS_SEGFORMER_PRESETS", str(folder_of(tmp_path, "my_streets")))
        assert locate("my_streets") == PresetLocation(tmp_path / "my_streets", str(tmp_path / "my_streets"))

    @pytest.mark.parametrize("name", ["../outside", "inside/deeper"])
    def test_presets_folders_are_searched_for_plain_names_only(self, tmp_path, monkeypatch, name):
        folder_of(tmp_path, "outside", "presets/inside/deeper", "elsewhere/work")
        monkeypatch.chdir(tmp_path / "elsewhere" / "work")
        monkeypatch.setenv("KERAS_SEGFORMER_PRESETS", str(tmp_path / "presets"))
        with pytest.raises(PresetNotFoundError):
            locate(name)

    def test_bundled_presets_come_after_the_named_folders(self, tmp_path, monkeypatch):
        folder_of(tmp_path / "bundled", "b0_ade20k")
        assert locate("b0_ade20k").path == tmp_path / "bundled" / "b0_ade20k"
        monkeypatch.setenv("KERAS_SEGFORMER_PRESETS", str(folder_of(tmp_path / "own", "b0_ade20k")))
        assert locate("b0_ade20k").path == tmp_path / "own" / "b0_ade20k"

    def test_a_folder_of_the_working_directory_is_not_taken_for_a_catalogue_name(self, tmp_path, monkeypatch):
        folder_of(tmp_path, "b0_ade20k", "presets/b0_ade20k")
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("KERAS_SEGFORMER_PRESETS", "presets")
        assert locate("b0_ade20k").path == tmp_path / "presets" / "b0_ade20k"
        assert locate("./b0_ade20k").path == locate(Path("b0_ade20k")).path == tmp_path / "b0_ade20k"

    def test_not_found_lists_every_place(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("KERAS_SEGFORMER_PRESETS", os.pathsep.join(["/presets/a", "/presets/b"]))
        with pytest.raises(PresetNotFoundError) as error:
            locate("b0_ade21k")
        for place in (tmp_path / "b0_ade21k", "/presets/a/b0_ade21k", "/presets/b/b0_ade21k", tmp_path / "bundled"):
            assert str(place) in str(error.value)
        assert "Did you mean 'b0_ade20k'?" in str(error.value)

    @pytest.mark.parametrize("preset", ["", "./nowhere", Path("b0_ade20k"), "C:\\nowhere", "\0"])
    def test_not_found(self, preset, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        with pytest.raises(PresetNotFoundError, match="`keras-segformer presets` lists the catalogue"):
            locate(preset)


class TestHuggingFace:
    def test_download(self, hub):
        hub.files |= {
            "README.md": b"#",
            "pytorch_model.bin": b"pickle",
            "tf_model.h5": b"tf",
            "optimizer.pt": b"pickle",
        }
        location = locate("hf://org/tiny")
        assert (location.origin, location.info) == ("hf://org/tiny", None)
        assert read(location) == {"config.json": b"{}", "model.safetensors": WEIGHTS}
        assert sorted(hub.downloads) == ["config.json", "model.safetensors"]

    def test_our_own_preset_and_shards(self, hub):
        names = ["config.json", "preprocessor.json", "metadata.json", "model.weights.h5"]
        names += ["model.safetensors.index.json", "model-00001-of-00002.safetensors"]
        hub.files = dict.fromkeys(names, b"{}")
        assert set(read(locate("hf://org/tiny"))) == set(names)

    @pytest.mark.parametrize("name", ["pytorch_model.bin", "segformer.b0.512x512.ade.160k.pth"])
    def test_pickled_weights_where_there_are_no_others(self, hub, name):
        hub.files = {"config.json": b"{}", name: WEIGHTS, "training_args.bin": b"pickle"}
        assert read(locate("hf://org/tiny")) == {"config.json": b"{}", name: WEIGHTS}

    def test_revision(self, hub):
        assert read(locate("hf://org/tiny@older")) == hub.older_files
        assert read(locate("hf://org/tiny")) == hub.files

    def test_the_second_call_needs_no_network(self, hub):
        location = locate("hf://org/tiny")
        hub.shutdown()
        hub.server_close()
        assert locate("hf://org/tiny") == location
        assert read(location)["model.safetensors"] == WEIGHTS

    def test_offline_mode(self, hub, monkeypatch):
        location = locate("hf://org/tiny")
        requests = hub.requests
        # Before version 1.0 the library looks at the switch only when it opens a session.
        reset_sessions = getattr(huggingface_hub.utils, "reset_sessions", lambda: None)
        with monkeypatch.context() as offline:
            offline.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
            reset_sessions()
            assert locate("hf://org/tiny") == location
            with pytest.raises(PresetNotFoundError, match="HF_HUB_OFFLINE"):
                locate("hf://org/another")
        reset_sessions()
        assert hub.requests == requests

    def test_an_interrupted_download_leaves_nothing_to_be_taken_later(self, hub):
        hub.cut_off = {"model.safetensors"}
        with pytest.raises(PresetNotFoundError, match=r"Cannot download hf://org/tiny .*500"):
            locate("hf://org/tiny")
        cache = Path(huggingface_hub.constants.HF_HUB_CACHE)
        assert hub.downloads.count("model.safetensors") == 1
        assert WEIGHTS[: len(WEIGHTS) // 2] not in [
            file.read_bytes() for file in cache.rglob("blobs/*") if file.is_file()
        ]

        hub.refusal = (503, "")  # what is complete of the repository is no preset without its weights
        with pytest.raises(PresetNotFoundError):
            locate("hf://org/tiny")

        hub.refusal, hub.cut_off = None, set()
        assert read(locate("hf://org/tiny")) == hub.files

    @pytest.mark.parametrize(
        ("refusal", "reason"),
        [
            ((404, "RepoNotFound"), "RepositoryNotFoundError: 404"),
            ((401, "RepoNotFound"), "RepositoryNotFoundError: 401"),
            ((403, "GatedRepo"), "GatedRepoError: 403"),
            ((500, ""), "LocalEntryNotFoundError"),
        ],
    )
    def test_refused(self, hub, refusal, reason):
        hub.refusal = refusal
        with pytest.raises(PresetNotFoundError) as error:
            locate("hf://org/tiny@older")
        message = str(error.value)
        assert "\n" not in message
        assert message.startswith("Cannot download hf://org/tiny@older (")
        assert reason in message
        assert "`hf download org/tiny --revision older --local-dir FOLDER`" in message
        assert message.endswith("pass FOLDER as the preset.")

    @pytest.mark.parametrize(
        ("source", "reason"),
        [
            ("hf://org/tiny@nowhere", "Revision Not Found"),
            ("hf://org/another", "Repository Not Found"),
            ("hf://a/b/c", "HFValidationError"),
            ("hf://", "HFValidationError"),
        ],
    )
    def test_no_such_address(self, hub, source, reason):
        with pytest.raises(PresetNotFoundError, match=f"{reason}.*Check the address"):
            locate(source)

    def test_a_repository_without_weights(self, hub):
        hub.files = {"config.json": b"{}", "model.onnx": b"x"}
        with pytest.raises(PresetNotFoundError, match=r"has no file \*\.safetensors, .*pytorch_model\.bin"):
            locate("hf://org/tiny")


class TestCatalogue:
    def test_download_by_name(self, hub, monkeypatch):
        info = catalogue_of(monkeypatch)
        location = locate("tiny")
        assert (location.origin, location.info) == ("hf://org/tiny", info)
        assert read(location) == hub.files

    def test_local_folders_come_first(self, hub, monkeypatch, tmp_path):
        info = catalogue_of(monkeypatch, model_safetensors="0" * 64)
        monkeypatch.setenv("KERAS_SEGFORMER_PRESETS", str(folder_of(tmp_path, "tiny")))
        assert locate("tiny") == PresetLocation(tmp_path / "tiny", str(tmp_path / "tiny"), info)
        assert hub.requests == 0

    def test_the_right_digest(self, hub, monkeypatch):
        catalogue_of(monkeypatch, model_safetensors=hashlib.sha256(WEIGHTS).hexdigest())
        assert read(locate("tiny")) == hub.files

    @pytest.mark.parametrize("preset", ["tiny", "hf://org/tiny"])
    def test_a_wrong_digest_and_its_remedy(self, hub, monkeypatch, preset):
        catalogue_of(monkeypatch, model_safetensors=hashlib.sha256(WEIGHTS).hexdigest())
        damaged = WEIGHTS[::-1]
        hub.files["model.safetensors"] = damaged
        for _ in range(2):  # the damaged file stays in the hub's cache
            with pytest.raises(InvalidPresetError) as error:
                locate(preset)
        message = str(error.value)
        assert hashlib.sha256(WEIGHTS).hexdigest() in message
        assert hashlib.sha256(damaged).hexdigest() in message
        hub.files["model.safetensors"] = WEIGHTS
        Path(message.partition("delete ")[2].partition(" and load")[0]).unlink()
        assert read(locate(preset)) == hub.files

    def test_the_licence_belongs_to_every_revision_but_the_digest_to_one(self, hub, monkeypatch):
        info = catalogue_of(monkeypatch, model_safetensors=hashlib.sha256(WEIGHTS).hexdigest())
        location = locate("hf://org/tiny@older")
        assert location.info == info
        assert read(location) == hub.older_files

    def test_a_pinned_commit(self, hub, monkeypatch):
        info = dataclasses.replace(catalogue_of(monkeypatch), source=f"hf://org/tiny@{OLDER}")
        monkeypatch.setattr(lookup, "PRESETS", {"tiny": info})
        assert read(locate("tiny")) == hub.older_files
        hub.shutdown()
        hub.server_close()
        assert read(locate("tiny")) == hub.older_files  # a commit that is in the cache needs no hub

    def test_a_listed_file_may_be_missing(self, hub, monkeypatch):
        catalogue_of(monkeypatch, model_safetensors="0" * 64)
        hub.files = {"config.json": b"{}", "pytorch_model.bin": WEIGHTS}
        assert read(locate("tiny")) == hub.files
        # The catalogue knows nothing of this format: remembered instead, as where it knows no digest at all.
        assert "pytorch_model.bin" in json.loads(memory_file().read_text())["hf://org/tiny"]

    def test_not_found_lists_every_place(self, hub, monkeypatch, tmp_path):
        hub.shutdown()
        hub.server_close()
        monkeypatch.setenv("KERAS_SEGFORMER_PRESETS", os.pathsep.join(["/presets/a", "/presets/b"]))
        start = time.monotonic()
        with pytest.raises(PresetNotFoundError) as error:
            locate("b0_ade20k")
        assert time.monotonic() - start < 15  # the library itself tries for 23 seconds
        message = str(error.value)
        for place in ("/presets/a/b0_ade20k", "/presets/b/b0_ade20k", str(tmp_path / "bundled" / "b0_ade20k")):
            assert place in message
        assert "hf://nvidia/segformer-b0-finetuned-ade-512-512" in message
        revision = PRESETS["b0_ade20k"].source.partition("@")[2]
        repository = "nvidia/segformer-b0-finetuned-ade-512-512"
        command = f"hf download {repository} --revision {revision} --local-dir FOLDER/b0_ade20k"
        assert f"run `{command}`; then copy FOLDER to this one and name FOLDER in" in message
        assert message.endswith("KERAS_SEGFORMER_PRESETS.")


class TestTrustOnFirstUse:
    """Files whose digests the catalogue lacks may not change."""

    def replace(self, hub) -> tuple[str, str]:
        """New weights behind a new commit, as a publisher uploads them; the digests of the old and the new ones."""
        new = b"other" * 1000
        hub.older_files = hub.files | {"model.safetensors": new}
        hub.main = OLDER
        return hashlib.sha256(WEIGHTS).hexdigest(), hashlib.sha256(new).hexdigest()

    @pytest.mark.parametrize("preset", ["tiny", "hf://org/tiny"])
    def test_a_change_is_an_error_that_names_both(self, hub, monkeypatch, preset, capsys):
        catalogue_of(monkeypatch)
        monkeypatch.setattr("keras_segformer.cli.presets.PRESETS", lookup.PRESETS)
        locate(preset)
        locate(preset)
        old, new = self.replace(hub)
        for _ in range(2):
            with pytest.raises(InvalidPresetError) as error:
                locate(preset)
        assert f"model.safetensors of hf://org/tiny has the SHA-256 {new}, and had {old}" in str(error.value)
        assert "`keras-segformer presets --trust hf://org/tiny`" in str(error.value)
        assert main(["presets", "--trust", preset, "hf://org/other"]) == 0
        assert capsys.readouterr().out == f"{preset}: forgotten\nhf://org/other: nothing was remembered\n"
        assert read(locate(preset)) == hub.older_files

    def test_a_revision_is_another_source(self, hub):
        locate("hf://org/tiny")
        assert read(locate("hf://org/tiny@older")) == hub.older_files
        remembered = json.loads(memory_file().read_text())
        assert remembered["hf://org/tiny"]["model.safetensors"] == hashlib.sha256(WEIGHTS).hexdigest()
        assert set(remembered) == {"hf://org/tiny", "hf://org/tiny@older"}

    def test_what_cannot_be_remembered_is_said(self, hub, monkeypatch, caplog):
        def full(*_):
            raise OSError("No space left on device")

        monkeypatch.setattr("keras_segformer.presets.trust.write_file", full)
        assert read(locate("hf://org/tiny")) == hub.files
        assert "A later change of hf://org/tiny will not be noticed" in caplog.text

    @pytest.mark.parametrize("content", ["{", "[]", '{"hf://org/tiny": 1}', "[" * 1000])
    def test_a_broken_memory_is_named(self, hub, content):
        memory_file().parent.mkdir(parents=True)
        memory_file().write_text(content)
        with pytest.raises(InvalidPresetError, match=r"digests\.json, the digests of earlier downloads.*trust anew"):
            locate("hf://org/tiny")

    def test_the_digests_for_the_catalogue(self, hub, monkeypatch, capsys):
        catalogue_of(monkeypatch)
        assert main(["presets", "--digests", "tiny"]) == 0
        [(name, printed)] = json.loads(capsys.readouterr().out).items()
        assert (name, printed["source"]) == ("tiny", f"hf://org/tiny@{MAIN}")
        assert printed["sha256"]["model.safetensors"] == hashlib.sha256(WEIGHTS).hexdigest()

    def test_entries_with_a_revision(self, hub, monkeypatch):
        info = dataclasses.replace(catalogue_of(monkeypatch), source="hf://org/tiny@older")
        monkeypatch.setattr(lookup, "PRESETS", {"tiny": info})
        assert read(locate("tiny")) == hub.older_files
        assert locate("hf://org/tiny").info == info


class TestSlowHubs:
    """In the process that downloads, which gives up after a stated time."""

    @pytest.fixture(autouse=True)
    def short_time(self, hub, monkeypatch, tmp_path):
        monkeypatch.setattr(lookup, "download", hub_download.download)
        monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hugging_face"))
        monkeypatch.setenv("KERAS_SEGFORMER_HUB_SECONDS", "2")

    def test_a_hub_of_usual_speed(self, hub, monkeypatch):
        monkeypatch.setenv("KERAS_SEGFORMER_HUB_SECONDS", "60")
        assert read(locate("hf://org/tiny")) == hub.files
        hub.refusal = (404, "RepoNotFound")
        with pytest.raises(PresetNotFoundError, match=r"Cannot download hf://org/else \(RepositoryNotFoundError: 404"):
            locate("hf://org/else")

    @pytest.mark.parametrize("manner", [{"pause": 60}, {"drip": 0.1}], ids=["silent", "dripping"])
    def test_others_are_given_up(self, hub, manner):
        vars(hub).update(manner)
        start = time.monotonic()
        with pytest.raises(PresetNotFoundError, match=r"\(\d+ bytes arrived in 2 s, and 2048 are the least; try again"):
            locate("hf://org/tiny")
        assert time.monotonic() - start < 30
        hub.pause = hub.drip = 0

    @pytest.mark.parametrize("value", ["", "0", "soon"])
    def test_the_time_is_a_number(self, monkeypatch, value):
        monkeypatch.setenv("KERAS_SEGFORMER_HUB_SECONDS", value)
        with pytest.raises(ValueError, match="must be a positive number of seconds"):
            locate("hf://org/tiny")


class TestKaggle:
    @pytest.fixture(autouse=True)
    def kaggle(self, hub, monkeypatch, tmp_path):
        pytest.importorskip("kagglehub", minversion="0.4", reason="older versions of kagglehub have other servers")
        kaggle_env = importlib.import_module("kagglesdk.kaggle_env")
        monkeypatch.setitem(kaggle_env._env_to_endpoint, kaggle_env.KaggleEnv.PROD, hub.url)
        monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path / "kaggle"))
        monkeypatch.setenv("KAGGLE_CONFIG_DIR", str(tmp_path))

    @pytest.mark.parametrize("version", ["", "/2"])
    def test_download(self, hub, version):
        source = f"kaggle://org/tiny/keras/small{version}"
        location = locate(source)
        assert (location.origin, location.info) == (source, None)
        assert location.path.name == (version.removeprefix("/") or "3")
        assert read(location) == hub.files
        downloads = list(hub.downloads)
        assert locate(source) == location
        assert hub.downloads == downloads

    def test_an_interrupted_download_is_not_taken_later(self, hub):
        hub.cut_off = {"model.safetensors"}
        with pytest.raises(PresetNotFoundError, match="Cannot download kaggle://org/tiny/keras/small/2"):
            locate("kaggle://org/tiny/keras/small/2")
        hub.cut_off = set()
        assert read(locate("kaggle://org/tiny/keras/small/2")) == hub.files

    @pytest.mark.parametrize("status", [401, 403, 404])
    def test_refused(self, hub, status):
        hub.refusal = (status, "")
        with pytest.raises(PresetNotFoundError) as error:
            locate("kaggle://org/tiny/keras/small")
        assert str(status) in str(error.value)
        assert "download https://www.kaggle.com/models/org/tiny/keras/small to FOLDER" in str(error.value)

    @pytest.mark.parametrize("handle", ["", "org", "org/tiny", "org/tiny/keras/small/latest", "org/tiny/nothing/small"])
    def test_malformed(self, handle):
        with pytest.raises(PresetNotFoundError, match=r"(Invalid|ValueError|KeyError).*Check the address"):
            locate(f"kaggle://{handle}")
