"""clang-tidy over many files, in parallel; a file that passed is not checked again until it, any
header of ours, its compile command or the configuration changes."""

import concurrent.futures
import hashlib
import json
import os
import subprocess
import time

TOOL = "clang-tidy-14"
SHOWN_LINES = 30


def common_key(root):
    digest = hashlib.sha256((root / ".clang-tidy").read_bytes())
    for folder in ("engine", "bindings"):
        for header in sorted((root / folder).rglob("*.h")):
            digest.update(str(header.relative_to(root)).encode() + header.read_bytes())
    return digest.hexdigest()


def compile_commands(build):
    entries = json.loads((build / "compile_commands.json").read_text())
    return {entry["file"]: entry["command"] for entry in entries}


def check_one(root, build, source, key):
    """-> (name, seconds, message); the message is empty when there is no finding"""
    name = f"clang-tidy {source.relative_to(root)}"
    passed = root / ".qspec/tidy" / hashlib.sha256(key + source.read_bytes()).hexdigest()
    if passed.exists():
        return name, 0.0, ""
    began = time.monotonic()
    try:
        done = subprocess.run([TOOL, "--quiet", "-p", build, source], cwd=root, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except FileNotFoundError:
        return name, 0.0, f"{TOOL} is not installed: ./qspec setup --tests"
    if done.returncode == 0:
        passed.parent.mkdir(parents=True, exist_ok=True)
        passed.touch()
        return name, time.monotonic() - began, ""
    lines = [line for line in done.stdout.splitlines() if not line.endswith("warnings generated.")]
    return name, time.monotonic() - began, "\n".join(lines[:SHOWN_LINES]) or "failed, said nothing"


def check(root, build, sources):
    """Yields (name, seconds, message) for each source that the build knows."""
    commands = compile_commands(build)
    common = common_key(root)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = [pool.submit(check_one, root, build, source,
                            (common + commands[str(source)]).encode())
                for source in sources if str(source) in commands]
        for job in jobs:
            yield job.result()
