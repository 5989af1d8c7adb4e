from __future__ import annotations

import json
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from keras_segformer.errors import InvalidPresetError
from keras_segformer.presets.tensor_files import read_tensors
from keras_segformer.presets.torch_checkpoint import read_torch_checkpoint


def safetensors_bytes(kind: str, shape: list[int], content: bytes) -> bytes:
    """A safetensors file of one tensor `x`, of any dtype: https://huggingface.co/docs/safetensors."""
    header = json.dumps({"x": {"dtype": kind, "shape": shape, "data_offsets": [0, len(content)]}}).encode()
    return len(header).to_bytes(8, "little") + header + content


class TestSafetensors:
    def test_float32_and_integers_are_kept(self, tmp_path):
        tensors = {"a": np.arange(6, dtype="float32").reshape(2, 3), "num_batches_tracked": np.array(7)}
        save_file(tensors, tmp_path / "model.safetensors")
        read = read_tensors(str(tmp_path / "model.safetensors"))
        assert {name: array.dtype for name, array in read.items()} == {
            "a": np.dtype("float32"),
            "num_batches_tracked": np.dtype("int64"),
        }
        np.testing.assert_array_equal(read["a"], tensors["a"])
        assert read["num_batches_tracked"] == 7

    @pytest.mark.parametrize(
        ("kind", "dtype"), [("F16", np.float16), ("BF16", ml_dtypes.bfloat16), ("F64", np.float64)]
    )
    def test_other_floats_become_float32(self, tmp_path, kind, dtype):
        values = np.array([[1.5, -0.375], [1024, 2.0**-14]]).astype(dtype)
        (tmp_path / "model.safetensors").write_bytes(safetensors_bytes(kind, [2, 2], values.tobytes()))
        read = read_tensors(tmp_path / "model.safetensors")["x"]
        assert read.dtype == np.float32
        np.testing.assert_array_equal(read, [[1.5, -0.375], [1024, 2.0**-14]])

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"\x10",
            b"<html>Not found</html>" * 9,
            safetensors_bytes("F32", [2], b"\0" * 8)[:-1],
            safetensors_bytes("F32", [3], b"\0" * 8),
            safetensors_bytes("F32", [2], b"\0" * 8) + b"more",
            safetensors_bytes("F99", [2], b"\0" * 8),
            safetensors_bytes("F8_E8M0", [8], b"\0" * 8),
        ],
        ids=["empty", "one byte", "web page", "cut off", "wrong size", "too long", "unknown dtype", "unreadable dtype"],
    )
    def test_broken_files(self, tmp_path, content):
        (tmp_path / "model.safetensors").write_bytes(content)
        with pytest.raises(InvalidPresetError, match=r"model\.safetensors .*; delete it and download it again"):
            read_tensors(tmp_path / "model.safetensors")


class TestShards:
    @pytest.fixture
    def index(self, tmp_path) -> Path:
        save_file({"a": np.float32([1]), "b": np.float32([2])}, tmp_path / "model-00001-of-00002.safetensors")
        save_file({"c": np.float32([3])}, tmp_path / "model-00002-of-00002.safetensors")
        index = tmp_path / "model.safetensors.index.json"
        self.write(index, a="1", b="1", c="2")
        return index

    @staticmethod
    def write(index: Path, **shard_of: str) -> None:
        files = {name: f"model-0000{shard}-of-00002.safetensors" for name, shard in shard_of.items()}
        index.write_text(json.dumps({"metadata": {"total_size": 12}, "weight_map": files}))

    def test_all_shards_are_read(self, index):
        assert {name: float(array[0]) for name, array in read_tensors(index).items()} == {"a": 1, "b": 2, "c": 3}

    @pytest.mark.parametrize(
        ("shard_of", "message"),
        [
            ({"a": "1", "b": "1", "c": "2", "d": "3"}, r"names model-00003-of-00002\.safetensors, which is not beside"),
            ({"a": "1", "b": "1", "c": "2", "d": "2"}, "names tensors that its files lack, .*: d"),
            ({"a": "1", "c": "2"}, "holds 'b', which its index does not place there"),
            ({"a": "2", "b": "1", "c": "2"}, "holds 'a', which its index does not place there"),
        ],
    )
    def test_index_and_shards_must_agree(self, index, shard_of, message):
        self.write(index, **shard_of)
        with pytest.raises(InvalidPresetError, match=message):
            read_tensors(index)

    @pytest.mark.parametrize(
        "content",
        [
            "",
            "{",
            "[]",
            "{}",
            '{"weight_map": []}',
            '{"weight_map": {"a": 1}}',
            '{"weight_map": {"a": "../model.safetensors"}}',
            '{"weight_map": {"a": "/etc/model.safetensors"}}',
            '{"weight_map": {"a": "model.bin"}}',
            b"\xff",
        ],
    )
    def test_broken_index(self, index, content):
        index.write_bytes(content if isinstance(content, bytes) else content.encode())
        with pytest.raises(InvalidPresetError, match=r"not an index of safetensors files .* download it again"):
            read_tensors(index)

    def test_broken_shard_is_named(self, index):
        (index.parent / "model-00002-of-00002.safetensors").write_bytes(b"")
        with pytest.raises(InvalidPresetError, match=r"model-00002-of-00002\.safetensors is a broken"):
            read_tensors(index)


class TestTorchFiles:
    def test_matches_safetensors_bit_for_bit(self, shared):
        folder = shared / "golden" / "tiny_official"
        read = read_tensors(folder / "segformer_official.pth")
        expected = load_file(folder / "segformer_official.safetensors")
        assert set(read) == set(expected)
        for name, array in expected.items():
            assert (read[name].dtype, read[name].shape) == (array.dtype, array.shape), name
            assert read[name].tobytes() == array.tobytes(), name

    @pytest.mark.parametrize("suffix", [".pth", ".pt", ".bin"])
    def test_broken_files(self, tmp_path, suffix):
        path = tmp_path / f"model{suffix}"
        path.write_bytes(b"PK\3\4 and no more")
        with pytest.raises(InvalidPresetError, match=f"model{suffix} .*; delete it and download it again"):
            read_tensors(path)


class TestWithTorch:
    """What PyTorch writes, read by PyTorch and by our reader."""

    @pytest.fixture
    def torch(self):
        return pytest.importorskip("torch", minversion="2.6", reason="PyTorch 2.6 or newer is not installed")

    def test_both_readers_agree(self, torch, tmp_path):
        module = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
        state_dict = module.state_dict()
        state_dict["parameter"] = torch.nn.Parameter(torch.randn(3, 2).t())
        state_dict["half"] = torch.randn(4).half()
        state_dict["bfloat16"] = torch.randn(2, 3).bfloat16()[:, 1:]
        torch.save({"meta": {"CLASSES": ("wall",)}, "state_dict": state_dict}, tmp_path / "model.pth")
        by_torch = torch.load(tmp_path / "model.pth", weights_only=True)["state_dict"]
        ours = read_tensors(tmp_path / "model.pth")
        assert set(by_torch) == set(ours) == set(state_dict)
        for name, array in ours.items():
            assert array.dtype == (np.int64 if name.endswith("num_batches_tracked") else np.float32)
            np.testing.assert_array_equal(array, by_torch[name].to(torch.float64).detach().numpy())

    def test_files_from_before_1_6(self, torch, tmp_path):
        torch.save({"x": torch.arange(3.0)}, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
        np.testing.assert_array_equal(read_tensors(tmp_path / "old.pth")["x"], [0, 1, 2])
        with pytest.raises(InvalidPresetError, match=r"before PyTorch 1\.6; install torch"):
            read_torch_checkpoint(tmp_path / "old.pth")

    @pytest.mark.parametrize("content", [{"epoch": 3}, Path("x")])
    def test_more_than_tensors_is_refused(self, torch, tmp_path, content):
        torch.save(content, tmp_path / "model.pth")
        with pytest.raises(InvalidPresetError, match=r"broken PyTorch checkpoint|was refused"):
            read_tensors(tmp_path / "model.pth")


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("model.onnx", r"\.safetensors, .*\.pth"),
        ("b0.tflite", r"with --model, .*TFLiteModel"),
        ("best.keras", r"keras\.models\.load_model"),
        ("model.weights.h5", "the folder that the weights are in"),
    ],
)
def test_other_kinds(tmp_path, name, remedy):
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(InvalidPresetError, match=rf"{name} is not a preset; .*{remedy}"):
        read_tensors(tmp_path / name)


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="check its name"):
        read_tensors(tmp_path / "model.safetensors")
