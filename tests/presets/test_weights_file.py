"""Weights files made in memory, and those that reach for other files."""

from __future__ import annotations

import h5py
import keras
import numpy as np
import pytest

from keras_segformer.errors import WeightsMismatchError
from keras_segformer.presets.weights_file import open_weights, weights_bytes


def small_model() -> keras.Model:
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4), keras.layers.BatchNormalization()])
    model.compile("adam", "mse")
    return model


def test_the_bytes_are_those_of_keras_own_file(tmp_path):
    model = small_model()
    (tmp_path / "ours.weights.h5").write_bytes(weights_bytes(model))
    other = small_model()
    other.load_weights(tmp_path / "ours.weights.h5")
    for ours, theirs in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    model.save_weights(tmp_path / "keras.weights.h5")
    listed = []
    for name in ("ours", "keras"):
        with open_weights(tmp_path / f"{name}.weights.h5") as file:
            listed.append([])
            file.visit(listed[-1].append)
    assert listed[0] == listed[1]


def _external_data(file: h5py.File, secret: str) -> None:
    file.create_dataset("vars/0", (4,), "uint8", external=[(secret, 0, 4)])


def _external_link(file: h5py.File, secret: str) -> None:
    file["vars/0"] = h5py.ExternalLink(secret, "/a")


def _soft_link(file: h5py.File, secret: str) -> None:
    file["vars/0"] = h5py.SoftLink("/elsewhere")


def _virtual_data(file: h5py.File, secret: str) -> None:
    layout = h5py.VirtualLayout((4,), "uint8")
    layout[:] = h5py.VirtualSource(secret, "a", (4,))
    file.create_virtual_dataset("vars/0", layout)


@pytest.mark.parametrize("spoil", [_external_data, _external_link, _soft_link, _virtual_data])
def test_files_that_reach_for_others_are_refused(tmp_path, spoil):
    (tmp_path / "secret").write_bytes(b"1234")
    with h5py.File(tmp_path / "bad.weights.h5", "w") as file:
        file.create_group("vars")
        spoil(file, str(tmp_path / "secret"))
    with pytest.raises(WeightsMismatchError, match=r"refers to data outside of itself at /vars/0"):
        open_weights(tmp_path / "bad.weights.h5")


@pytest.mark.parametrize("content", [b"", b"not HDF5", b"\x89HDF\r\n\x1a\n" + b"\0" * 100])
def test_broken_files_are_named(content):
    with pytest.raises(WeightsMismatchError, match="is not a readable HDF5 file"):
        open_weights(content)


def _unwritten(file: h5py.File) -> None:
    file.create_dataset("vars/0", (10**12,), "float32")


def _compressed(file: h5py.File) -> None:
    file.create_dataset("vars/0", data=np.zeros(100_000, "float32"), compression="gzip")


def _group_in_itself(file: h5py.File) -> None:
    file["vars/vars"] = file["vars"]


def _linked_twice(file: h5py.File) -> None:
    file["vars/0"] = np.zeros(9)
    file["vars/1"] = file["vars/0"]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_unwritten, "describes 4000000000000 bytes at /vars/0 and holds 0"),
        (_compressed, "describes 400000 bytes at /vars/0 and holds"),
        (_group_in_itself, "holds /vars/vars under another name too"),
        (_linked_twice, "holds /vars/1 under another name too"),
    ],
)
def test_files_that_describe_more_than_they_hold_are_refused(tmp_path, spoil, message):
    with h5py.File(tmp_path / "bad.weights.h5", "w") as file:
        file.create_group("vars")
        spoil(file)
    with pytest.raises(WeightsMismatchError, match=message):
        open_weights(tmp_path / "bad.weights.h5")
