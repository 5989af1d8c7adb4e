from __future__ import annotations

import copyreg
import pickle
import zipfile
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file

from keras_segformer.errors import InvalidPresetError
from keras_segformer.presets import torch_checkpoint
from keras_segformer.presets.torch_checkpoint import check_legacy_checkpoint, read_torch_checkpoint

# PyTorch is not needed to write a checkpoint: these helpers put a pickle together from its opcodes.


def plain(value) -> bytes:
    """The opcodes of numbers, strings and containers of them."""
    return pickle.dumps(value, protocol=2)[2:-1]


def named(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


def call(function: bytes, *arguments: bytes) -> bytes:
    return function + b"(" + b"".join(arguments) + b"tR"


def dictionary(items: dict[str, bytes]) -> bytes:
    return b"}(" + b"".join(plain(key) + value for key, value in items.items()) + b"u"


def program(body: bytes) -> bytes:
    return b"\x80\x02" + body + b"."


ORDERED_DICT = call(named("collections", "OrderedDict"))


def storage(kind="FloatStorage", key="0", size=6) -> bytes:
    return b"(" + plain("storage") + named("torch", kind) + plain(key) + plain("cpu") + plain(size) + b"tQ"


def tensor(of: bytes | None = None, offset=0, shape=(2, 3), strides=(3, 1)) -> bytes:
    return call(
        named("torch._utils", "_rebuild_tensor_v2"),
        storage() if of is None else of,
        plain(offset),
        plain(shape),
        plain(strides),
        plain(False),
        ORDERED_DICT,
    )


SIX = np.arange(6, dtype="<f4")


def write(path: Path, body: bytes, records: dict[str, bytes] | None = None, compression=zipfile.ZIP_STORED) -> Path:
    records = {"byteorder": b"little", "data/0": SIX.tobytes(), "version": b"3\n"} | (records or {})
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in ({"data.pkl": program(body)} | records).items():
            archive.writestr(f"archive/{name}", content)
    return path


def read_one(path: Path, body: bytes, **options) -> np.ndarray:
    return read_torch_checkpoint(write(path, dictionary({"x": body}), **options))["x"]


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "model.pth"


class TestTensors:
    def test_matches_safetensors_bit_for_bit(self, shared):
        folder = shared / "golden" / "tiny_official"
        read = read_torch_checkpoint(folder / "segformer_official.pth")
        expected = load_file(folder / "segformer_official.safetensors")
        assert set(read) == set(expected)
        for name, array in expected.items():
            assert (read[name].dtype, read[name].shape) == (array.dtype, array.shape), name
            assert read[name].tobytes() == array.tobytes(), name

    @pytest.mark.parametrize("order", ["little", "big"])
    @pytest.mark.parametrize(
        ("kind", "dtype"),
        [
            ("FloatStorage", "f4"),
            ("HalfStorage", "f2"),
            ("DoubleStorage", "f8"),
            ("LongStorage", "i8"),
            ("IntStorage", "i4"),
            ("ShortStorage", "i2"),
            ("CharStorage", "i1"),
            ("ByteStorage", "u1"),
            ("BoolStorage", "?"),
        ],
    )
    def test_every_dtype_in_both_byte_orders(self, path, kind, dtype, order):
        expected = np.array([[0, 1, 2], [3, 100, 127]]).astype(dtype)
        stored = expected.astype(expected.dtype.newbyteorder(order))
        read = read_one(path, tensor(storage(kind)), records={"byteorder": order.encode(), "data/0": stored.tobytes()})
        assert read.dtype == np.dtype(dtype)
        assert read.dtype.isnative
        np.testing.assert_array_equal(read, expected)

    @pytest.mark.parametrize("order", ["little", "big"])
    def test_bfloat16_in_both_byte_orders(self, path, order):
        expected = np.array([[1.5, -2.25, 0], [3e38, 1e-38, 7]]).astype(ml_dtypes.bfloat16)
        stored = expected.view("u2").astype(np.dtype("u2").newbyteorder(order))
        records = {"byteorder": order.encode(), "data/0": stored.tobytes()}
        read = read_one(path, tensor(storage("BFloat16Storage")), records=records)
        assert read.dtype == ml_dtypes.bfloat16
        np.testing.assert_array_equal(read, expected)

    def test_no_byte_order_means_little(self, path):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("archive/data.pkl", program(dictionary({"x": tensor()})))
            archive.writestr("archive/data/0", SIX.tobytes())
        np.testing.assert_array_equal(read_torch_checkpoint(path)["x"], SIX.reshape(2, 3))

    @pytest.mark.parametrize(
        ("offset", "shape", "strides", "expected"),
        [
            (0, (3, 2), (1, 3), [[0, 3], [1, 4], [2, 5]]),  # transposed
            (1, (2, 2), (3, 1), [[1, 2], [4, 5]]),  # two of three columns
            (5, (), (), 5),
            (0, (1, 6), (10**12, 1), [[0, 1, 2, 3, 4, 5]]),  # the stride of an axis of length 1 is not used
            (0, (0, 3), (3, 1), np.zeros((0, 3))),
        ],
    )
    def test_strides_and_offset(self, path, offset, shape, strides, expected):
        read = read_one(path, tensor(offset=offset, shape=shape, strides=strides))
        assert read.dtype == np.float32
        assert read.flags.c_contiguous
        assert read.flags.writeable
        np.testing.assert_array_equal(read, expected)

    def test_parameters_are_tensors(self, path):
        parameter = call(named("torch._utils", "_rebuild_parameter"), tensor(), plain(True), ORDERED_DICT)
        np.testing.assert_array_equal(read_one(path, parameter), SIX.reshape(2, 3))

    def test_two_tensors_of_one_storage(self, path):
        body = dictionary({"a": tensor(), "b": tensor(shape=(3,), strides=(2,))})
        read = read_torch_checkpoint(write(path, body))
        np.testing.assert_array_equal(read["a"], SIX.reshape(2, 3))
        np.testing.assert_array_equal(read["b"], [0, 2, 4])


class TestStateDict:
    def test_mmsegmentation_checkpoint(self, path):
        meta = {"mmcv_version": "1.2.7", "CLASSES": ("wall", "sky"), "PALETTE": [[1, 2, 3]], "iter": 160000}
        optimizer = dictionary({"exp_avg": tensor()})
        body = dictionary({"meta": plain(meta), "state_dict": dictionary({"x": tensor()}), "optimizer": optimizer})
        assert set(read_torch_checkpoint(write(path, body))) == {"x"}

    def test_module_versions_are_dropped(self, path):
        # torch pickles a state dict as an OrderedDict with the attribute `_metadata`.
        items = b"(" + plain("x") + tensor() + b"u"
        body = ORDERED_DICT + items + dictionary({"_metadata": ORDERED_DICT}) + b"b"
        assert set(read_torch_checkpoint(write(path, body))) == {"x"}

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            (plain([1, 2]), "no state dict"),
            (plain({}), "no state dict"),
            (plain({"epoch": 3}), "'epoch', which is not a tensor"),
            (tensor(), "no state dict"),
            (b"}(" + plain(1) + tensor() + b"u", "1, which is not a tensor"),
            (dictionary({"state_dict": plain([1])}), "'state_dict', which is not a tensor"),
            (dictionary({"x": storage()}), "'x', which is not a tensor"),
        ],
    )
    def test_anything_else_is_refused(self, path, body, message):
        with pytest.raises(InvalidPresetError, match=message):
            read_torch_checkpoint(write(path, body))


SENTINEL = "a_pickle_was_here"
TOUCH = plain(f"open({SENTINEL!r}, 'w').close()")
EVAL = named("builtins", "eval")

# Each of them makes the file SENTINEL when Python's own `pickle` reads it.
ATTACKS = {
    "function": call(EVAL, TOUCH),
    "shell": call(named("os", "system"), plain(f"echo > {SENTINEL}")),
    "in a state dict": dictionary({"x": call(EVAL, TOUCH)}),
    "in the notes": dictionary({"meta": call(EVAL, TOUCH), "state_dict": ORDERED_DICT}),
    "as an argument": call(named("collections", "OrderedDict"), b"](" + plain(1) + call(EVAL, TOUCH) + b"ta"),
    "function from a function": call(call(named("builtins", "getattr"), EVAL, plain("__call__")), TOUCH),
    "stack global": b"\x8c\x08builtins\x8c\x04eval\x93(" + TOUCH + b"tR",
    "dotted name": b"\x80\x04\x8c\x02os\x8c\x0epath.os.system\x93(" + plain(f"echo > {SENTINEL}") + b"tR",
    "instance": b"(" + TOUCH + b"ibuiltins\neval\n",
    "object": b"(" + EVAL + TOUCH + b"o",
}


class TestSafety:
    @pytest.mark.parametrize("body", ATTACKS.values(), ids=ATTACKS)
    def test_the_attacks_work_on_pickle_itself(self, body, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        pickle.loads(program(body))
        assert Path(SENTINEL).exists()

    @pytest.mark.parametrize("body", ATTACKS.values(), ids=ATTACKS)
    def test_attacks_are_refused_and_run_nothing(self, body, path, monkeypatch):
        monkeypatch.chdir(path.parent)
        write(path, body)
        with pytest.raises(InvalidPresetError, match=r"(eval|system|getattr)`.* refused .* safetensors"):
            read_torch_checkpoint(path)
        assert not Path(SENTINEL).exists()

    @pytest.mark.parametrize(
        ("module", "name"),
        [
            ("torch", "load"),
            ("torch", "UntypedStorage"),
            ("torch._utils", "_rebuild_sparse_tensor"),
            ("torch.serialization", "os.system"),
            ("collections", "OrderedDict.fromkeys"),
            ("collections", "defaultdict"),
            ("numpy.core.multiarray", "_reconstruct"),
            ("keras_segformer.presets.torch_checkpoint", "_Archive"),
            ("__builtin__", "eval"),
        ],
    )
    def test_other_names_are_refused_by_name(self, path, module, name):
        write(path, dictionary({"x": tensor(), "meta": named(module, name)}))
        with pytest.raises(InvalidPresetError, match=f"`{module}.{name}`.* refused"):
            read_torch_checkpoint(path)

    def test_extension_codes_are_refused(self, path):
        copyreg.add_extension("builtins", "eval", 241)
        try:
            extension = b"\x82\xf1"
            assert pickle.loads(program(extension)) is eval  # from now on Python has it in its table
            write(path, dictionary({"x": extension}))
            with pytest.raises(InvalidPresetError, match=r"extension 241.* refused"):
                read_torch_checkpoint(path)
        finally:
            copyreg.remove_extension("builtins", "eval", 241)

    @pytest.mark.parametrize("state", [{"function": 1}, (None, {"function": 1}), (None, {"dtype": 1, "offset": 9})])
    @pytest.mark.parametrize(
        "target",
        [
            named("torch._utils", "_rebuild_tensor_v2"),
            named("torch._utils", "_rebuild_parameter"),
            named("collections", "OrderedDict"),
            named("torch", "FloatStorage"),
            storage(),
            tensor(),
            ORDERED_DICT,
        ],
        ids=["rebuild_tensor", "rebuild_parameter", "OrderedDict", "FloatStorage", "storage", "tensor", "dictionary"],
    )
    def test_nothing_of_the_reader_can_be_changed(self, path, target, state):
        write(path, target + plain(state) + b"b")
        with pytest.raises(InvalidPresetError):
            read_torch_checkpoint(path)
        np.testing.assert_array_equal(read_one(path, tensor()), SIX.reshape(2, 3))

    @pytest.mark.parametrize(
        "body",
        [
            call(named("torch._utils", "_rebuild_tensor_v2")),
            call(named("torch._utils", "_rebuild_tensor_v2"), *[plain(0)] * 6),
            tensor(of=plain("0")),
            tensor(of=tensor()),
            tensor(of=plain(("storage", "FloatStorage", "0", "cpu", 6)) + b"Q"),
            tensor(of=b"(" + plain("module") + named("torch", "FloatStorage") + plain("0") * 3 + b"tQ"),
            tensor(of=plain("0") + b"Q"),
            tensor(of=storage(key=0)),
            tensor(of=storage(size="6")),
            call(named("torch", "FloatStorage"), plain(6)),
            plain(6) + plain({"x": 1}) + b"b",
            named("collections", "OrderedDict") + b")\x81",
        ],
    )
    def test_misused_functions_are_a_broken_file(self, path, body):
        with pytest.raises(InvalidPresetError, match=r"broken PyTorch checkpoint .* download it again"):
            read_one(path, body)


class TestBrokenFiles:
    @pytest.mark.parametrize(
        ("description", "message"),
        [
            ({"shape": (2, 4), "strides": (4, 1)}, "more than the 6 numbers"),
            ({"shape": (2**62, 2**62), "strides": (0, 0)}, "more than the 6 numbers"),
            ({"shape": (10**9,), "strides": (0,)}, "more than the 6 numbers"),
            ({"shape": (2, 3), "strides": (4, 1)}, "reaches for number 6"),
            ({"shape": (2, 3), "strides": (2**62, 1)}, "reaches for number"),
            ({"shape": (5,), "strides": (2**60,)}, "reaches for number"),  # 4 * 2**60 numbers are 2**64 bytes
            ({"offset": 1}, "reaches for number 6"),
            ({"offset": 2**70, "shape": (), "strides": ()}, "reaches for number"),
            ({"offset": -1}, "natural numbers"),
            ({"strides": (-3, 1)}, "natural numbers"),
            ({"shape": (-2, -3)}, "natural numbers"),
            ({"shape": (2.0, 3)}, "natural numbers"),
            ({"shape": (True, True), "strides": (1, 1)}, "natural numbers"),
            ({"shape": (2, 3), "strides": (1,)}, "by 1 strides"),
            ({"shape": [2, 3]}, "unknown way"),
            ({"shape": (1,) * 99, "strides": (1,) * 99}, "dimension"),
            ({"shape": (0, 2**70), "strides": (1, 1)}, "broken"),
        ],
    )
    def test_impossible_views(self, path, description, message):
        with pytest.raises(InvalidPresetError, match=message):
            read_one(path, tensor(**description))

    @pytest.mark.parametrize(
        ("records", "message"),
        [
            ({"data/0": b""}, "0 bytes where 6 float32"),
            ({"data/0": SIX.tobytes()[:-1]}, "23 bytes where 6 float32"),
            ({"data/0": SIX.tobytes() + b"1234"}, "28 bytes where 6 float32"),
            ({"byteorder": b"middle"}, "byte order"),
            ({"second/data.pkl": b""}, "2 records data.pkl"),
        ],
    )
    def test_wrong_records(self, path, records, message):
        with pytest.raises(InvalidPresetError, match=message):
            read_one(path, tensor(), records=records)

    def test_missing_storage(self, path):
        with pytest.raises(InvalidPresetError, match=r"KeyError.*data/7"):
            read_one(path, tensor(storage(key="7")))

    def test_a_storage_key_cannot_leave_its_folder(self, path):
        with pytest.raises(InvalidPresetError, match="KeyError"):
            read_one(path, tensor(storage(key="../../../../etc/passwd")))

    def test_compressed_records_are_refused(self, path):
        with pytest.raises(InvalidPresetError, match="compressed"):
            read_one(path, tensor(), compression=zipfile.ZIP_DEFLATED)

    def test_a_zip_archive_of_something_else(self, path):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("config.json", "{}")
        with pytest.raises(InvalidPresetError, match=r"0 records data\.pkl"):
            read_torch_checkpoint(path)

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"", "no PyTorch checkpoint; delete it and download it again"),
            (b"<html>404</html>", "no PyTorch checkpoint; delete it and download it again"),
            (
                program(plain(0x1950A86A20F9469CFC6C)),
                "before PyTorch 1.6; install torch .* or convert it to safetensors",
            ),
        ],
        ids=["empty", "web page", "old format"],
    )
    def test_other_files(self, path, content, message):
        path.write_bytes(content)
        with pytest.raises(InvalidPresetError, match=message):
            read_torch_checkpoint(path)

    def test_a_file_cut_off(self, path):
        write(path, dictionary({"x": tensor()}))
        path.write_bytes(path.read_bytes()[:-30])
        with pytest.raises(InvalidPresetError, match="cut off; delete it and download it again"):
            read_torch_checkpoint(path)

    def test_a_changed_byte(self, path):
        write(path, dictionary({"x": tensor()}))
        path.write_bytes(path.read_bytes().replace(SIX.tobytes(), SIX[::-1].tobytes()))
        with pytest.raises(InvalidPresetError, match="CRC"):
            read_torch_checkpoint(path)

    def test_a_missing_file(self, path):
        with pytest.raises(FileNotFoundError):
            read_torch_checkpoint(path)

    @pytest.mark.parametrize("put", [b"r\xff\xff\xff\x7f", b"p2147483647\n"])
    def test_a_huge_memo_is_not_allocated(self, path, put):
        with pytest.raises(InvalidPresetError, match="'x', which is not a tensor"):
            read_one(path, plain(1) + put)

    @pytest.mark.parametrize("keys", ["u", "s", "d", "list"])
    def test_keys_whose_hash_takes_forever(self, path, keys):
        """Tuples of twice the same tuple: 2**100 steps, in which Python does not look at Ctrl-C."""
        key = plain(1) + b"2\x86" * 100
        pair = key + plain(1)
        body = {"u": b"}(" + pair + b"u", "s": b"}" + pair + b"s", "d": b"(" + pair + b"d"}.get(keys)
        body = body or call(named("collections", "OrderedDict"), b"]](" + pair + b"ea")
        with pytest.raises(InvalidPresetError, match="has a tuple as the key of a dictionary"):
            read_one(path, body)

    def test_sets_are_refused(self, path):
        with pytest.raises(InvalidPresetError, match="asks for a set"):
            read_one(path, b"\x8f(" + plain(1) + b"\x90")

    def test_an_unknown_storage_is_not_written_out(self, path):
        """As text, tuples of twice the same tuple have no end either."""
        pid = b"(" + plain("storage") + (plain(1) + b"2\x86" * 100) + plain("0") + plain("cpu") + plain(6) + b"tQ"
        with pytest.raises(InvalidPresetError, match="describes a storage in an unknown way"):
            read_one(path, pid)

    def test_many_tensors_over_one_storage(self, path):
        many = {f"x{index}": tensor() for index in range(2)}
        assert len(read_torch_checkpoint(write(path, dictionary(many)))) == 2  # as tied weights
        many = {f"x{index}": tensor() for index in range(3000)}
        with pytest.raises(InvalidPresetError, match=r"its tensors want 0\.1 MB of the 0\.0 MB that are stored"):
            read_torch_checkpoint(write(path, dictionary(many)))

    def test_large_descriptions_are_refused(self, path, monkeypatch):
        monkeypatch.setattr(torch_checkpoint, "_MAX_DESCRIPTION", 100)
        with pytest.raises(InvalidPresetError, match=r"record data\.pkl has more than"):
            read_one(path, tensor())

    @settings(max_examples=200)
    @given(data=st.data())
    def test_any_damage_is_an_invalid_preset(self, tmp_path_factory, data):
        path = write(tmp_path_factory.mktemp("damage") / "model.pth", dictionary({"x": tensor()}))
        content = bytearray(path.read_bytes())
        if data.draw(st.booleans()):
            del content[data.draw(st.integers(0, len(content) - 1)) :]
        else:
            for _ in range(data.draw(st.integers(1, 4))):
                content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
        path.write_bytes(content)
        try:
            tensors = read_torch_checkpoint(path)
        except InvalidPresetError:
            return
        assert all(isinstance(array, np.ndarray) for array in tensors.values())

    @settings(max_examples=200)
    @given(opcodes=st.binary(max_size=60))
    def test_any_program_is_an_invalid_preset(self, tmp_path_factory, opcodes):
        path = write(tmp_path_factory.mktemp("program") / "model.pth", opcodes)
        with pytest.raises(InvalidPresetError):
            read_torch_checkpoint(path)


class TestLegacyFiles:
    """Files from before PyTorch 1.6, which PyTorch itself reads once they have been looked at."""

    @staticmethod
    def write(path: Path, body: bytes, size: int = 24) -> Path:
        head = (program(plain(0x1950A86A20F9469CFC6C)), program(plain(1001)), program(plain({"little_endian": True})))
        path.write_bytes(b"".join(head) + program(body) + program(plain(["0"])) + bytes(size))
        return path

    @staticmethod
    def tensor() -> bytes:
        view = plain(None)
        items = plain("storage") + named("torch", "FloatStorage") + plain("0") + plain("cpu") + plain(6) + view
        return tensor(b"(" + items + b"tQ")

    def test_tensors(self, path):
        check_legacy_checkpoint(self.write(path, dictionary({"x": self.tensor()})))

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            (b"}(" + plain(1) + b"2\x86" * 100 + plain(1) + b"u", "tuple as the key"),
            (named("os", "system"), r"os\.system"),
            (plain(1), "no state dict"),
        ],
    )
    def test_anything_else_is_refused(self, path, body, message):
        with pytest.raises(Exception, match=message):
            check_legacy_checkpoint(self.write(path, body))

    def test_many_tensors_over_one_storage(self, path):
        many = dictionary({f"x{index}": self.tensor() for index in range(3)} | {"y": tensor(shape=(6,), strides=(1,))})
        check_legacy_checkpoint(self.write(path, many))
        long = dictionary(
            {"x": self.tensor().replace(plain(6), plain(60_000)).replace(plain((2, 3)), plain((2, 30_000)))}
        )
        with pytest.raises(ValueError, match=r"its tensors want 0\.2 MB"):
            check_legacy_checkpoint(self.write(path, long))
