"""A checkpoint in memory, to be edited and saved elsewhere."""

import json
import shutil
import struct

import nf4
from safetensors_file import read_safetensors, safetensors_bytes

WEIGHTS = "model.safetensors"
STATE = ".quant_state.bitsandbytes__"


class Model:
    def __init__(self, source, dense):
        self.source, self.dense_folder = source, dense
        self.metadata, self.tensors = read_safetensors(source / WEIGHTS)
        self.config = json.loads((source / "config.json").read_text())
        self.shards = None  # file name -> names of tensors; None is one file without an index
        self.index = None  # the index's content; made by shard()
        self.cut = 0  # bytes to leave out at the end of the last weights file

    def dense(self):
        return read_safetensors(self.dense_folder / WEIGHTS)[1]

    def replace(self, name, **changes):
        self.tensors[name] = self.tensors[name]._replace(**changes)

    def packed_weights(self):
        return [name for name in self.tensors if name + ".absmax" in self.tensors]

    def set_state(self, name, text):
        self.replace(name, shape=[len(text)], data=text)

    def edit_state(self, weight, **changes):
        name = weight + STATE + "nf4"
        state = json.loads(self.tensors[name].data) | changes
        self.set_state(name, json.dumps(state).encode())

    def quantize_from_dense(self, name, source):
        dense = self.dense()[source]
        values = struct.unpack(f"<{len(dense.data) // 2}e", dense.data)
        self.tensors.pop(name, None)
        self.tensors |= nf4.quantized_tensors(name, dense.shape, values)

    def shard(self):
        names = list(self.tensors)
        halves = names[: len(names) // 2], names[len(names) // 2 :]
        self.shards = {f"model-{i}-of-00002.safetensors": list(half)
                       for i, half in zip(("00001", "00002"), halves)}
        self.index = {
            "metadata": {"total_size": sum(len(t.data) for t in self.tensors.values())},
            "weight_map": {name: file for file, held in self.shards.items() for name in held},
        }

    def save(self, target):
        target.mkdir(parents=True, exist_ok=True)
        for path in self.source.iterdir():
            if path.name not in (WEIGHTS, "config.json") and path.is_file():
                shutil.copyfile(path, target / path.name)
        (target / "config.json").write_text(json.dumps(self.config, indent=2) + "\n")
        files = self.shards if self.shards is not None else {WEIGHTS: list(self.tensors)}
        for file, names in files.items():
            held = {name: self.tensors[name] for name in names}
            blob = safetensors_bytes(self.metadata, held)
            (target / file).write_bytes(blob[: len(blob) - self.cut])
        if self.index:
            (target / f"{WEIGHTS}.index.json").write_text(json.dumps(self.index, indent=2) + "\n")
