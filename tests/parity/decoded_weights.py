"""What the parity scripts of weight formats share: made checkpoints, decoded by qspec and compared bit
for bit with what a library makes of the same tensors.

A Checkpoint holds modules of any size under one quantization_config, as decode.lua reads them.
"""

import json
import pathlib
import subprocess
import tempfile

import torch
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).resolve().parent
SHOWN = 10


class Checkpoint:
    """`dtype`: in which the weights are decoded and compared."""

    def __init__(self, name, config, dtype=torch.float32, metadata=None):
        self.name, self.config, self.dtype = name, config, dtype
        self.metadata = metadata or {}
        self.modules, self.tensors, self.wanted, self.extra = [], {}, {}, {}

    def add(self, shape, tensors, wanted, kind="linear", module_class="Linear", name=None):
        """`tensors` by suffix, without the dot; returns the module's name."""
        name = name or f"m{len(self.modules)}.proj"
        self.modules.append({"name": name, "shape": list(shape), "kind": kind,
                             "class": module_class})
        for suffix, value in tensors.items():
            self.tensors[f"{name}.{suffix}"] = value.detach().contiguous().clone()
        self.wanted[name] = wanted.detach()
        return name

    def write(self, folder):
        (folder / "config.json").write_text(json.dumps({"quantization_config": self.config}))
        (folder / "modules.json").write_text(json.dumps(self.modules))
        save_file(self.tensors, folder / "model.safetensors", self.metadata)
        for file, value in self.extra.items():
            (folder / file).write_text(json.dumps(value))


def read(folder, entry, dtype):
    data = bytearray((folder / entry["file"]).read_bytes())
    return torch.frombuffer(data, dtype=dtype).reshape(entry["shape"]) if data else None


def same_bits(found, wanted):
    width = {2: torch.int16, 4: torch.int32}[wanted.element_size()]
    nan = wanted.isnan() & found.isnan()
    return bool(((found.view(width) == wanted.contiguous().view(width)) | nan).all())


def check_module(checkpoint, out, entry):
    name = entry["name"]
    if "error" in entry:
        return f"{name}: {entry['error']}"
    wanted = checkpoint.wanted[name].to(checkpoint.dtype)
    found = read(out, entry, checkpoint.dtype)
    if list(found.shape) != list(wanted.shape):
        return f"{name}: shape {list(found.shape)}, wanted {list(wanted.shape)}"
    if same_bits(found, wanted):
        return None
    off = (found != wanted) & ~(found.isnan() & wanted.isnan())
    at = off.nonzero()[0].tolist() if off.any() else "the sign of a zero"
    where = tuple(at) if isinstance(at, list) else ...
    return (f"{name} {list(wanted.shape)}: {int(off.sum())} of {off.numel()} differ, first at {at}: "
            f"{found[where] if at != where else ''} wanted {wanted[where] if at != where else ''}")


def check(program, checkpoint):
    """Faults of one checkpoint, as lines."""
    with tempfile.TemporaryDirectory() as scratch:
        folder, out = pathlib.Path(scratch) / "model", pathlib.Path(scratch) / "out"
        folder.mkdir()
        out.mkdir()
        checkpoint.write(folder)
        dtype = str(checkpoint.dtype).split(".")[1]
        done = subprocess.run([program, "lua", HERE / "decode.lua", folder, out, dtype],
                              capture_output=True, text=True)
        if done.returncode != 0:
            return [f"{checkpoint.name}: {done.stderr.strip()}"]
        index = json.loads((out / "index.json").read_text())
        faults = [fault for entry in index if (fault := check_module(checkpoint, out, entry))]
        missing = set(checkpoint.wanted) - {entry["name"] for entry in index}
        faults += [f"{name}: not taken for packed" for name in sorted(missing)]
        facts = json.loads((out / "facts.json").read_text())
        faults += [f"{fact.get('module')}: {fact['kind']} {fact.get('key')}: {fact['found']}, wanted "
                   f"{fact['wanted']}" for fact in facts]
        return [f"{checkpoint.name}: {fault}" for fault in faults]


def main(program, checkpoints):
    weights = faults = 0
    for checkpoint in checkpoints:
        found = check(program, checkpoint)
        for line in found[:SHOWN]:
            print(line)
        faults += len(found)
        weights += len(checkpoint.wanted)
    print(f"{weights} weights, {faults} faults")
    return 1 if faults or not weights else 0
