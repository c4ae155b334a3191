"""The tensors of a safetensors file as bytes: enough to sum them and to write them again, without torch.

The format: eight bytes with the length of a JSON header, the header (each tensor's type, shape and place, and free
metadata), the data (https://github.com/huggingface/safetensors#format).
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_LENGTH = struct.Struct("<Q")
_HEADER_LIMIT = 16 * 1024 * 1024
_METADATA = "__metadata__"
_TYPES = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "I64": "int64",
    "I32": "int32",
    "I16": "int16",
    "I8": "int8",
    "U8": "uint8",
    "BOOL": "bool",
}


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """One tensor.

    Parameters
    ----------
    name : str
    dtype : str
        As torch calls it, without its prefix: ``float32``.
    shape : tuple of int
    data : buffer
        Its bytes, little-endian, row by row.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    data: bytes | memoryview


@dataclass(frozen=True, slots=True)
class TensorFile:
    """A safetensors file, whole.

    Parameters
    ----------
    header : mapping
        As the file has it.
    data : memoryview
        What follows the header.
    """

    header: Mapping[str, Any]
    data: memoryview

    @classmethod
    def read(cls, path: Path) -> TensorFile:
        """Read a file.

        Raises
        ------
        OSError
            If it cannot be read.
        ValueError
            If it is no safetensors file.
        """
        with path.open("rb") as stream:
            header = _header(stream.read(_LENGTH.size), stream.read)
            return cls(header, memoryview(stream.read()))

    @property
    def tensors(self) -> tuple[StoredTensor, ...]:
        """The tensors.

        Raises
        ------
        ValueError
            If one does not lie in the file.
        """
        found = []
        for name, entry in self.header.items():
            if name == _METADATA:
                continue
            try:
                start, stop = entry["data_offsets"]
                dtype, shape = _TYPES[entry["dtype"]], tuple(entry["shape"])
            except (KeyError, TypeError, ValueError):
                raise ValueError(f"the entry of tensor {name!r} is not understood") from None
            if not 0 <= start <= stop <= len(self.data):
                raise ValueError(f"tensor {name!r} lies outside the file (cut short?)")
            found.append(StoredTensor(name, dtype, shape, self.data[start:stop]))
        return tuple(found)

    def with_metadata(self, metadata: Mapping[str, str]) -> bytes:
        """Return the bytes of a file with the same tensors and other metadata."""
        others = {name: entry for name, entry in self.header.items() if name != _METADATA}
        text = json.dumps({_METADATA: dict(metadata), **others}, separators=(",", ":"), ensure_ascii=False)
        header = text.encode("utf-8")
        header += b" " * (-len(header) % _LENGTH.size)
        return _LENGTH.pack(len(header)) + header + self.data


def read_metadata(path: Path) -> Mapping[str, Any]:
    """Return the metadata of a file; its tensors are not read.

    Raises
    ------
    OSError
        If it cannot be read.
    ValueError
        If it is no safetensors file.
    """
    with path.open("rb") as stream:
        found = _header(stream.read(_LENGTH.size), stream.read).get(_METADATA, {})
    if not isinstance(found, dict):
        raise ValueError("its metadata is no mapping")
    return found


def digest(tensors: Iterable[StoredTensor], facts: Mapping[str, Any]) -> str:
    """Return the SHA-256 over tensors, sorted by name (name, type, shape, bytes), and facts as sorted JSON."""
    sha256 = hashlib.sha256()
    for tensor in sorted(tensors, key=lambda t: t.name):
        sha256.update(f"{tensor.name} torch.{tensor.dtype} {tensor.shape}\n".encode())
        sha256.update(tensor.data)
    sha256.update(json.dumps(facts, sort_keys=True, ensure_ascii=False).encode("utf-8"))
    return sha256.hexdigest()


def _header(head: bytes, read: Any) -> dict[str, Any]:
    if len(head) != _LENGTH.size:
        raise ValueError("it is too short")
    (size,) = _LENGTH.unpack(head)
    if size > _HEADER_LIMIT:
        raise ValueError("its header is too long")
    header = json.loads(read(size))
    if not isinstance(header, dict):
        raise ValueError("its header is no mapping")
    return header
