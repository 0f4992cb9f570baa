"""What qspec reads in a file of torch.save against torch.load(weights_only=True).

    python pickle_parity.py QSPEC_PROGRAM [--files N] [--seed N]

State dicts of many kinds (every dtype, views, shared storages, parameters, empty and scalar
tensors, dictionaries of both kinds) must be read with equal names, dtypes, shapes and bytes. Of
archives and pickles with bytes changed at random, what qspec accepts must be what torch reads;
qspec may refuse more. What it must refuse, or report, is named. Exit status 1 when one differs.
"""

import argparse
import collections
import hashlib
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import warnings
import zipfile

try:
    import torch
except ImportError as missing:
    print(missing)
    sys.exit(77)

ROOT = pathlib.Path(__file__).resolve().parent
SHOWN = 5
DTYPES = [torch.bool, torch.uint8, torch.int8, torch.int16, torch.uint16, torch.float16,
          torch.bfloat16, torch.int32, torch.uint32, torch.float32, torch.complex64, torch.float64,
          torch.int64, torch.uint64, torch.float8_e5m2, torch.float8_e4m3fn, torch.float8_e8m0fnu,
          torch.float8_e4m3fnuz, torch.float8_e5m2fnuz, torch.float4_e2m1fn_x2]


def bytes_of(tensor):
    tensor = tensor.detach().contiguous()
    if tensor.numel() == 0:
        return b""
    return tensor.reshape(-1).view(torch.uint8).numpy().tobytes()


def row(name, tensor):
    """As qspec counts: of a dtype of pairs, the elements."""
    shape = list(tensor.shape)
    if tensor.dtype == torch.float4_e2m1fn_x2:
        shape[-1] *= 2
    return {"name": name, "dtype": str(tensor.dtype).removeprefix("torch."), "shape": shape,
            "sha256": hashlib.sha256(bytes_of(tensor)).hexdigest()}


class Maker:
    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.torch_rng = torch.Generator().manual_seed(seed)

    def storage(self, dtype, elements):
        width = torch.empty(0, dtype=dtype).element_size()
        high = 2 if dtype == torch.bool else 256
        data = torch.randint(0, high, (elements * width,), generator=self.torch_rng)
        return data.to(torch.uint8).view(dtype)

    def shape(self):
        return [self.rng.choice([1, 1, 2, 3, 4, 5]) for _ in range(self.rng.randint(0, 4))]

    def tensor(self):
        dtype, shape = self.rng.choice(DTYPES), self.shape()
        if dtype == torch.float4_e2m1fn_x2 and not shape:
            shape = [2]
        if self.rng.random() < 0.08:
            shape.append(0)
        count = 1
        for extent in shape:
            count *= extent
        before, after = self.rng.choice([0, 0, 3]), self.rng.choice([0, 0, 5])
        whole = self.storage(dtype, before + count + after)
        return whole[before:before + count].reshape(shape)

    def state_dict(self):
        state = self.rng.choice([dict, collections.OrderedDict])()
        for i in range(self.rng.randint(1, 6)):
            tensor = self.tensor()
            if tensor.is_floating_point() and tensor.element_size() > 1 and self.rng.random() < 0.3:
                tensor = torch.nn.Parameter(tensor, requires_grad=self.rng.random() < 0.5)
            name = self.rng.choice(["layer.{}.weight", "schicht_ü.{}", "model.h.{}.bias"]).format(i)
            state[name] = tensor
            if self.rng.random() < 0.3:
                state[name + ".tied"] = tensor
            if tensor.dim() > 0 and tensor.shape[0] > 1 and self.rng.random() < 0.3:
                state[name + ".part"] = tensor.detach()[1:]
        if isinstance(state, collections.OrderedDict) and self.rng.random() < 0.5:
            state._metadata = collections.OrderedDict({"": {"version": 1}, "layer": {"version": 2}})
        return state


def read_by_torch(path):
    """The rows that torch reads, or None when it refuses or reads something else."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            state = torch.load(path, map_location="cpu", weights_only=True)
        return sorted((row(name, tensor) for name, tensor in state.items()
                       if isinstance(tensor, torch.Tensor)), key=lambda one: one["name"])
    except Exception:  # torch leaks errors of many types
        return None


def read_by_qspec(program, folder, paths):
    work = folder / "work.json"
    work.write_text(json.dumps({"paths": [str(path) for path in paths]}))
    output = subprocess.run([program, "lua", str(ROOT / "read_tensors.lua"), str(work)],
                            capture_output=True, check=True).stdout
    answers = json.loads(output)
    for answer in answers:
        if "tensors" in answer:
            answer["tensors"].sort(key=lambda one: one["name"])
    return answers


def rewritten(path, target, change):
    """A copy of the archive whose pickle went through `change`, checksums made anew by torch."""
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        top = names[0].split("/")[0]
        writer = torch._C.PyTorchFileWriter(str(target))
        for name in names:
            inner = name[len(top) + 1:]
            if inner in ("version", ".data/serialization_id", ".format_version",
                         ".storage_alignment", "byteorder"):
                continue
            data = archive.read(name)
            data = change(data) if inner == "data.pkl" else data
            writer.write_record(inner, data, len(data))
        writer.write_end_of_file()


def storage_ranges(path):
    with zipfile.ZipFile(path) as archive, open(path, "rb") as file:
        for info in archive.infolist():
            if "/data/" not in info.filename:
                continue
            file.seek(info.header_offset)
            header = file.read(30)
            begin = (info.header_offset + 30 + int.from_bytes(header[26:28], "little")
                     + int.from_bytes(header[28:30], "little"))
            yield range(begin, begin + info.file_size)


def changed(data, rng, count):
    data = bytearray(data)
    for _ in range(count):
        data[rng.randrange(len(data))] = rng.choice([0, 1, 255, rng.randrange(256)])
    return bytes(data)


def change_archive(path, target, rng):
    """Changes bytes anywhere but in storages, whose checksums qspec does not read."""
    data = bytearray(path.read_bytes())
    stored = set()
    for one in storage_ranges(path):
        stored.update(one)
    free = [at for at in range(len(data)) if at not in stored]
    for at in rng.choices(free, k=rng.randint(1, 3)):
        data[at] = rng.choice([0, 1, 255, rng.randrange(256)])
    target.write_bytes(data)


REFUSED = {  # what torch writes and qspec does not read, and how it says so
    "transposed": ({"a": torch.arange(6.0).reshape(2, 3).t()}, "tensor 'a' has stride 3"),
    "expanded": ({"a": torch.zeros(1).expand(4)}, "tensor 'a' has stride 0"),
    "nested": ({"state_dict": {"a": torch.zeros(2)}}, "'state_dict' is a dictionary"),
    "a list": ([torch.zeros(2)], "the file holds a list"),
    "a module": (torch.nn.Linear(2, 2), "torch.nn.modules.linear.Linear"),
    "sparse": ({"a": torch.eye(3).to_sparse()}, "torch._utils._rebuild_sparse_tensor"),
    "complex128": ({"a": torch.zeros(2, dtype=torch.complex128)}, "torch.ComplexDoubleStorage"),
    "a set": ({"a": {1, 2}}, "__builtin__.set"),
}


def check_refused(program, folder):
    paths = []
    for i, (value, _) in enumerate(REFUSED.values()):
        paths.append(folder / f"refused-{i}.bin")
        torch.save(value, paths[-1])
    faults = []
    for (name, (_, wanted)), answer in zip(REFUSED.items(), read_by_qspec(program, folder, paths)):
        if wanted not in answer.get("message", ""):
            faults.append(f"{name}: wanted '{wanted}' in {answer}")
    legacy = folder / "legacy.bin"
    torch.save({"a": torch.zeros(2)}, legacy, _use_new_zipfile_serialization=False)
    newer = folder / "protocol.bin"
    torch.save({"a": torch.zeros(2)}, newer, pickle_protocol=4)
    for path, wanted in ((legacy, "torch before 1.6"), (newer, "protocol 4")):
        answer = read_by_qspec(program, folder, [path])[0]
        if wanted not in answer.get("message", ""):
            faults.append(f"{path.name}: wanted '{wanted}' in {answer}")
    return len(REFUSED) + 2, faults


def write_files(folder, count, seed):
    """Whole files, and broken ones made of them."""
    rng = random.Random(seed)
    whole, broken = [], []
    for i in range(count):
        whole.append(folder / f"{i}.bin")
        torch.save(Maker(seed + i).state_dict(), whole[-1])
        for j in range(3):
            broken.append(folder / f"{i}-archive-{j}.bin")
            change_archive(whole[-1], broken[-1], rng)
            broken.append(folder / f"{i}-pickle-{j}.bin")
            rewritten(whole[-1], broken[-1], lambda data: changed(data, rng, rng.randint(1, 2)))
    return whole, broken


def compare(program, folder, paths, may_refuse):
    """How many of the files qspec accepts, and where it and torch differ."""
    accepted, faults = 0, []
    for path, answer in zip(paths, read_by_qspec(program, folder, paths)):
        if may_refuse and "tensors" not in answer:
            continue
        accepted += 1
        wanted = read_by_torch(path)
        if wanted is None or answer.get("tensors") != wanted:
            faults.append(f"{path.name}: torch reads {wanted}, qspec {answer}")
    return accepted, faults


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--files", type=int, default=100)
    parser.add_argument("--seed", type=int, default=20240607)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="qspec-parity-") as name:
        folder = pathlib.Path(name)
        whole, broken = write_files(folder, args.files, args.seed)
        _, faults = compare(args.program, folder, whole, may_refuse=False)
        accepted, differing = compare(args.program, folder, broken, may_refuse=True)
        named, missed = check_refused(args.program, folder)
        faults += differing + missed
    for fault in faults[:SHOWN]:
        print(fault)
    print(f"{len(whole)} files read alike, {len(broken)} broken ones ({accepted} accepted), "
          f"{named} refused by name: {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
