"""Reads the tensors of PyTorch checkpoints without PyTorch and without executing anything of the file.

Since PyTorch 1.6 a checkpoint is an uncompressed zip archive of one folder: `data.pkl` describes the objects,
`data/<key>` holds the bytes of one storage each, `byteorder` says how they are ordered
(https://docs.pytorch.org/docs/stable/notes/serialization.html). A pickle is a program that may call any function
it can name. Here it can name the few things that tensors need, and what those make are inert descriptions; the
bytes are looked at after the program has ended, and only for the tensors of the state dict.

A file can neither ask for more memory than it has bytes, nor for a time out of proportion to its size.
"""

from __future__ import annotations

import io
import math
import os
import pickle
import pickletools
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import ml_dtypes
import numpy as np

from keras_segformer.errors import InvalidPresetError

_STORAGE_DTYPES = {
    "FloatStorage": np.float32,
    "HalfStorage": np.float16,
    "BFloat16Storage": ml_dtypes.bfloat16,
    "DoubleStorage": np.float64,
    "LongStorage": np.int64,
    "IntStorage": np.int32,
    "ShortStorage": np.int16,
    "CharStorage": np.int8,
    "ByteStorage": np.uint8,
    "BoolStorage": np.bool_,
}

_BYTE_ORDERS = {b"little": "<", b"big": ">"}

# The largest published SegFormer has 1,300 tensors, described in 0.2 MB.
_MAX_DESCRIPTION = 16 * 2**20
# Tensors may share storage, as tied weights do. More than this many times the bytes of the file is no model.
_MAX_SHARING = 2
_KEYS = (str, int, float, bytes, type(None))

_PICKLE_START = b"\x80"
_ZIP_START = b"PK"


def read_torch_checkpoint(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """Read the state dict of a `.pth`, `.pt` or `.bin` file.

    Args:
        path: A file that `torch.save` wrote: a state dict, or a dictionary that has one at `"state_dict"`.

    Returns:
        Arrays by name, with the dtypes of the file.

    Raises:
        FileNotFoundError: There is no such file.
        InvalidPresetError: The file is broken, older than PyTorch 1.6, or asks for anything but tensors.

    Example:

    ```python
    tensors = read_torch_checkpoint("segformer.b0.512x512.ade.160k.pth")
    tensors["decode_head.linear_pred.weight"].shape  # (150, 256, 1, 1)
    ```
    """
    path = Path(path)
    with path.open("rb") as file:
        if not zipfile.is_zipfile(file):
            raise InvalidPresetError(_not_a_zip(path, file))
        try:
            archive = _Archive(file)
            return archive.read_tensors(find_state_dict(archive.read_description(), _Tensor))
        except _RefusedError as error:
            raise InvalidPresetError(
                f"{path} asks for {error}, which no tensor needs, and was refused before anything of it was executed; "
                "where you trust its author, save its state dict as safetensors with PyTorch and read that."
            ) from None
        # A broken archive or pickle may raise about anything.
        except Exception as error:
            raise InvalidPresetError(
                f"{path} is a broken PyTorch checkpoint ({type(error).__name__}: {error}); delete it and download it "
                "again."
            ) from error


def find_state_dict(checkpoint: Any, tensor_type: type) -> dict[str, Any]:
    """Find the tensors in what a checkpoint holds.

    Args:
        checkpoint: A state dict, or a dictionary with a state dict at `"state_dict"`, as mmsegmentation writes it
            beside its notes and the state of its optimiser.
        tensor_type: The class of the tensors.

    Returns:
        The state dict.

    Raises:
        ValueError: There is none.
    """
    if isinstance(checkpoint, dict) and isinstance(checkpoint.get("state_dict"), dict):
        checkpoint = checkpoint["state_dict"]
    if not isinstance(checkpoint, dict) or not checkpoint:
        raise ValueError("it holds no state dict")
    for name, value in checkpoint.items():
        if not isinstance(name, str) or not isinstance(value, tensor_type):
            raise ValueError(f"its state dict holds {name!r}, which is not a tensor")
    return checkpoint


def check_legacy_checkpoint(path: str | os.PathLike[str]) -> None:
    """Holds a file from before PyTorch 1.6 against the limits of this reader, before PyTorch reads it.

    Args:
        path: The file: pickles of a magic number, a protocol version, facts about the system and the checkpoint, then
            the storages.

    Raises:
        ValueError: It asks for more than tensors, or for more of them than it has bytes.
        Exception: It is broken; the unpickler raises many kinds.

    Example:

    ```python
    check_legacy_checkpoint("segformer.b0.512x512.ade.160k.pth")
    ```
    """
    content = Path(path).read_bytes()
    file = io.BytesIO(content)
    for _ in range(4):
        start = file.tell()
        _check_opcodes(file)
        file.seek(start)
        checkpoint = _Unpickler(file).load()
    _check_total(find_state_dict(checkpoint, _Tensor), len(content))


def _not_a_zip(path: Path, file: io.BufferedReader) -> str:
    """Describes a file that does not end with the directory of a zip archive."""
    file.seek(0)
    start = file.read(2)
    if start.startswith(_PICKLE_START):
        return (
            f"{path} is in the format from before PyTorch 1.6; install torch 2.6 or newer to have it read, or convert "
            "it to safetensors."
        )
    if start == _ZIP_START:
        return f"{path} is cut off; delete it and download it again."
    return f"{path} is no PyTorch checkpoint; delete it and download it again."


class _RefusedError(Exception):
    """The pickle asks for something that no tensor needs."""


class _StorageType(NamedTuple):
    """Stands for `torch.FloatStorage` and the other storage types."""

    dtype: type


class _Storage(NamedTuple):
    """A run of numbers in the archive, described."""

    dtype: type
    key: str
    size: int


class _Tensor(NamedTuple):
    """A strided view of a storage, described; offset and strides count elements."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _Function(NamedTuple):
    """Something the pickle may call. Immutable, lest one file change what the next one calls."""

    function: Callable[..., Any]

    def __call__(self, *args: Any) -> Any:
        return self.function(*args)


class _OrderedDict(dict):
    """Stands for `collections.OrderedDict`."""

    __slots__ = ()

    def __init__(self, items: Any = ()) -> None:
        pairs = list(items)
        for key, _ in pairs:
            _check_key(key)
        super().__init__(pairs)

    def __setstate__(self, state: Any) -> None:
        """Drop the attributes: torch keeps the version of each module in `_metadata`."""


def _rebuild_tensor(
    storage: Any, offset: Any, shape: Any, strides: Any, requires_grad: Any, hooks: Any, metadata: Any = None
) -> _Tensor:
    """Stands for `torch._utils._rebuild_tensor_v2`; what concerns gradients is dropped."""
    if not isinstance(storage, _Storage) or not isinstance(shape, tuple) or not isinstance(strides, tuple):
        raise ValueError("it describes a tensor in an unknown way")
    if any(type(number) is not int or number < 0 for number in (offset, *shape, *strides)):
        raise ValueError("it describes a tensor by something else than natural numbers")
    if len(shape) != len(strides):
        raise ValueError(f"it describes a tensor of shape {shape} by {len(strides)} strides")
    return _Tensor(storage, offset, shape, strides)


def _rebuild_parameter(data: Any, requires_grad: Any, hooks: Any) -> Any:
    """Stands for `torch._utils._rebuild_parameter`."""
    return data


_GLOBALS: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): _Function(_OrderedDict),
    ("torch._utils", "_rebuild_tensor_v2"): _Function(_rebuild_tensor),
    ("torch._utils", "_rebuild_parameter"): _Function(_rebuild_parameter),
} | {("torch", name): _StorageType(dtype) for name, dtype in _STORAGE_DTYPES.items()}


def _check_view(tensor: _Tensor) -> None:
    """Refuse a view that reaches beyond its storage. NumPy checks too, but with numbers that can overflow."""
    count = math.prod(tensor.shape)
    # Views that repeat numbers of their storage are refused too: a few bytes could ask for terabytes.
    if count > tensor.storage.size:
        raise ValueError(f"a tensor of shape {tensor.shape} wants more than the {tensor.storage.size} numbers stored")
    last = tensor.offset + sum(
        (length - 1) * stride for length, stride in zip(tensor.shape, tensor.strides, strict=True)
    )
    if count > 0 and last >= tensor.storage.size:
        raise ValueError(f"a tensor reaches for number {last} of a storage that has {tensor.storage.size}")


def _check_total(tensors: Mapping[str, _Tensor], available: int) -> None:
    """Refuse tensors that share their storage so often that together they need far more memory than the file has."""
    wanted = sum(math.prod(tensor.shape) * np.dtype(tensor.storage.dtype).itemsize for tensor in tensors.values())
    if wanted > _MAX_SHARING * available:
        raise ValueError(f"its tensors want {wanted / 1e6:.1f} MB of the {available / 1e6:.1f} MB that are stored")


def _check_key(key: Any) -> None:
    # The hash of a tuple is made anew at every use. Of tuples within tuples, each twice the same, it takes time that
    # doubles with every level, in which Python does not look at Ctrl-C.
    if type(key) not in _KEYS:
        raise ValueError(f"it has a {type(key).__name__.strip('_')} as the key of a dictionary")


def _check_opcodes(description: io.BytesIO) -> None:
    """Refuse what `_Unpickler` cannot, in the pickle at the position of a file."""
    start = description.tell()
    for opcode, argument, position in pickletools.genops(description):
        if position - start > _MAX_DESCRIPTION:
            raise ValueError(f"its pickle has more than {_MAX_DESCRIPTION / 1e6:.0f} MB")
        # Python looks up extension codes in a table of the whole process.
        if opcode.name.startswith("EXT"):
            raise _RefusedError(f"extension {argument}")
        # What is in a set is hashed, as keys are.
        if opcode.name in ("EMPTY_SET", "FROZENSET", "ADDITEMS"):
            raise _RefusedError("a set")


class _Unpickler(pickle._Unpickler):
    """Runs a pickle that can reach nothing but `_GLOBALS`.

    This is Python's unpickler that is written in Python: it keeps the memo in a dictionary, so that an index costs
    nothing, can be interrupted, and lets the keys of dictionaries be looked at before they are hashed.
    """

    dispatch: ClassVar = dict(pickle._Unpickler.dispatch)

    def _check_keys(self, items: list[Any]) -> None:
        for key in items[::2]:
            _check_key(key)

    def load_dict(self) -> None:
        self._check_keys(self.stack)
        super().load_dict()

    def load_setitem(self) -> None:
        self._check_keys(self.stack[-2:])
        super().load_setitem()

    def load_setitems(self) -> None:
        self._check_keys(self.stack)
        super().load_setitems()

    dispatch |= {pickle.DICT[0]: load_dict, pickle.SETITEM[0]: load_setitem, pickle.SETITEMS[0]: load_setitems}

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _GLOBALS:
            raise _RefusedError(f"`{module}.{name}`")
        return _GLOBALS[module, name]

    def persistent_load(self, pid: Any) -> _Storage:
        # ("storage", type, key, device, number of elements); before PyTorch 1.6 a view of another storage came last.
        kind, storage_type, key, _, size, *view = pid
        known = isinstance(storage_type, _StorageType) and isinstance(key, str) and type(size) is int
        if kind != "storage" or not known or view not in ([], [None]):
            raise ValueError("it describes a storage in an unknown way")
        return _Storage(storage_type.dtype, key, size)


class _Archive:
    """The records of a checkpoint's zip archive."""

    def __init__(self, file: io.BufferedReader):
        self._zip = zipfile.ZipFile(file)
        self._size = file.seek(0, io.SEEK_END)
        names = self._zip.namelist()
        folders = [name.removesuffix("/data.pkl") for name in names if name.endswith("/data.pkl")]
        if len(folders) != 1:
            raise ValueError(f"it is a zip archive with {len(folders)} records data.pkl")
        self._folder = folders[0]
        # Older files lack the record; they come from little-endian machines.
        byte_order = self._read("byteorder") if f"{self._folder}/byteorder" in names else b"little"
        if byte_order not in _BYTE_ORDERS:
            raise ValueError(f"its byte order is {byte_order[:16]!r}")
        self._byte_order = _BYTE_ORDERS[byte_order]

    def read_description(self) -> Any:
        """What the pickle builds, with descriptions in the place of tensors."""
        description = io.BytesIO(self._read("data.pkl", _MAX_DESCRIPTION))
        _check_opcodes(description)
        description.seek(0)
        return _Unpickler(description).load()

    def read_tensors(self, tensors: Mapping[str, _Tensor]) -> dict[str, np.ndarray]:
        """Copy the numbers of tensors out of their storages, each of which is read once."""
        names_of: dict[str, list[str]] = {}
        for name, tensor in tensors.items():
            self._check_tensor(tensor)
            names_of.setdefault(tensor.storage.key, []).append(name)
        stored = sum(self._record(f"data/{key}").file_size for key in names_of)
        if stored > self._size:
            raise ValueError(f"its records overlap: {stored} bytes in a file of {self._size}")
        _check_total(tensors, stored)
        arrays = {}
        for key, names in names_of.items():
            storage = self._read(f"data/{key}")
            arrays |= {name: self._read_tensor(tensors[name], storage) for name in names}
        return {name: arrays[name] for name in tensors}

    def _check_tensor(self, tensor: _Tensor) -> None:
        storage, dtype = tensor.storage, np.dtype(tensor.storage.dtype)
        size = self._record(f"data/{storage.key}").file_size
        if size != storage.size * dtype.itemsize:
            raise ValueError(f"a storage has {size} bytes where {storage.size} {dtype} are announced")
        _check_view(tensor)

    def _read_tensor(self, tensor: _Tensor, storage: bytes) -> np.ndarray:
        dtype = np.dtype(tensor.storage.dtype)
        # As unsigned integers, since not every version of ml_dtypes can swap the bytes of its types.
        numbers = np.ndarray(
            tensor.shape,
            f"{self._byte_order}u{dtype.itemsize}",
            buffer=storage,
            offset=tensor.offset * dtype.itemsize,
            strides=[stride * dtype.itemsize for stride in tensor.strides],
        )
        return numbers.astype(f"=u{dtype.itemsize}", order="C").view(dtype)

    def _record(self, name: str) -> zipfile.ZipInfo:
        record = self._zip.getinfo(f"{self._folder}/{name}")
        # PyTorch stores as is; compression would let a small file fill the memory.
        if record.compress_type != zipfile.ZIP_STORED:
            raise ValueError(f"its record {name} is compressed")
        return record

    def _read(self, name: str, most: int | None = None) -> bytes:
        record = self._record(name)
        if most is not None and record.file_size > most:
            raise ValueError(f"its record {name} has more than {most / 1e6:.0f} MB")
        return self._zip.read(record)
