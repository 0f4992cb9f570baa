"""Reads and writes safetensors files with the standard library alone, for building broken ones."""

import json
import struct
import typing


class Tensor(typing.NamedTuple):
    dtype: str  # as stored: "F16"
    shape: list
    data: bytes


def read_safetensors(path):
    """-> (metadata, {name: Tensor}) in the file's order"""
    blob = path.read_bytes()
    (length,) = struct.unpack_from("<Q", blob)
    header = json.loads(blob[8 : 8 + length])
    metadata = header.pop("__metadata__", {})
    body = memoryview(blob)[8 + length :]
    return metadata, {
        name: Tensor(entry["dtype"], entry["shape"], bytes(body[slice(*entry["data_offsets"])]))
        for name, entry in header.items()
    }


def safetensors_bytes(metadata, tensors):
    """The file's bytes; the tensors lie in the order of the dictionary, without holes."""
    header, offset = {"__metadata__": metadata}, 0
    for name, tensor in tensors.items():
        end = offset + len(tensor.data)
        header[name] = {"dtype": tensor.dtype, "shape": tensor.shape, "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + b"".join(t.data for t in tensors.values())


def write_safetensors(path, metadata, tensors):
    path.write_bytes(safetensors_bytes(metadata, tensors))
