"""Whether presets can be had, without waiting for hubs that do not answer."""

from __future__ import annotations

import socket
import time

import pytest

from keras_segformer.presets import availability
from keras_segformer.presets.availability import is_available

NAME = "pvt_v2_b0_imagenet"


@pytest.fixture(autouse=True)
def empty_cache(monkeypatch):
    monkeypatch.delenv("KERAS_SEGFORMER_PRESETS", raising=False)
    monkeypatch.setattr(availability, "is_on_this_machine", lambda name: False)


def test_a_hub_that_refuses(monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert not is_available(NAME)


def test_a_hub_that_never_answers_is_not_waited_for(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.getsockname()[1]}")
        started = time.perf_counter()
        assert not is_available(NAME, seconds=0.2)
    assert time.perf_counter() - started < 10


def test_a_hub_that_lacks_it(monkeypatch):
    def missing(name: str) -> None:
        raise availability.PresetNotFoundError(name)

    monkeypatch.setattr(availability, "_hub_answers", lambda seconds: True)
    monkeypatch.setattr(availability, "locate", missing)
    assert not is_available(NAME)


def test_a_folder_of_presets(monkeypatch, tmp_path):
    monkeypatch.undo()
    (tmp_path / NAME).mkdir()
    monkeypatch.setenv("KERAS_SEGFORMER_PRESETS", str(tmp_path))
    assert is_available(NAME)
