"""The stages of ./tests/run: each is a function that returns results."""

import json
import os
import pathlib
import re
import subprocess
import tempfile
import time
import typing
import xml.etree.ElementTree

import tidy

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / ".qspec/build/release"
ASAN_BUILD = ROOT / ".qspec/build/asan"
PROGRAM = BUILD / "qspec"
STATUSES = ("passed", "failed", "skipped")

# A suite or script that takes longer than this hangs; a build may be slow.
TIMEOUT_SECONDS = 900
BUILD_TIMEOUT_SECONDS = 3600
SHOWN_LINES = 40

# LibTorch itself is not built with AddressSanitizer, and its allocator hides what ours would find.
SANITIZED_SUITES = ("test_core", "test_checkpoint", "test_text", "test_bindings")

# engine/tensor, engine/model, engine/model/ops and bindings/torch.
TORCH_FOLDERS = ("tensor", "model", "ops", "torch")


class Result(typing.NamedTuple):
    name: str
    status: str
    seconds: float
    message: str = ""


class Stage(typing.NamedTuple):
    name: str
    summary: str
    run: typing.Callable
    is_needed: bool = False  # the stages after it cannot run without it
    is_default: bool = True  # runs when no stage is named


def tail(text):
    return "\n".join(text.strip().splitlines()[-SHOWN_LINES:])


def execute(command, env=None, cwd=ROOT, timeout=TIMEOUT_SECONDS):
    """-> (exit code, stdout and stderr together, seconds)"""
    began = time.monotonic()
    try:
        done = subprocess.run([str(word) for word in command], cwd=cwd, text=True, errors="replace",
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=timeout,
                              env={**os.environ, **(env or {})})
        code, text = done.returncode, done.stdout
    except subprocess.TimeoutExpired as late:
        out = late.stdout or b""
        out = out.decode("utf-8", "replace") if isinstance(out, bytes) else out
        code, text = 124, f"{out}\nno end after {timeout} seconds"
    except FileNotFoundError as missing:
        code, text = 127, f"{missing.filename} is not installed: ./qspec setup --tests"
    return code, text, time.monotonic() - began


def one_command(name, command, env=None):
    code, text, seconds = execute(command, env)
    if code == 0:
        return Result(name, "passed", seconds)
    return Result(name, "failed", seconds, tail(text) + f"\n[exit {code}]")


def source_files(*suffixes):
    """Tracked files and new ones that git does not ignore; every file where there is no git."""
    code, text, _ = execute(["git", "ls-files", "--cached", "--others", "--exclude-standard"])
    if code == 0:
        paths = [ROOT / line for line in text.splitlines()]
    else:
        paths = [path for path in ROOT.rglob("*") if ".qspec" not in path.parts]
    return sorted(path for path in paths if path.suffix in suffixes and path.is_file())


def protocol_results(text, code, name):
    """Results of a program that prints "ok MS NAME" and "not ok MS NAME", details indented."""
    results = []
    for line in text.splitlines():
        match = re.match(r"(ok|not ok) +([0-9.]+) (.*)", line)
        if match:
            title, _, reason = match[3].partition(" # skip ")
            status = "failed" if match[1] != "ok" else "skipped" if reason else "passed"
            results.append(Result(title, status, float(match[2]) / 1000, reason))
        elif line.startswith("    ") and results and results[-1].status == "failed":
            last = results[-1]
            results[-1] = last._replace(message=last.message + line[4:] + "\n")
    if code != 0 and not any(result.status == "failed" for result in results):
        results.append(Result(name, "failed", 0, tail(text) + f"\n[exit {code}]"))
    return results


def junit_results(path):
    """Results out of the JUnit log that a Boost.Test suite writes."""
    for case in xml.etree.ElementTree.parse(path).getroot().iter("testcase"):
        name = ".".join(filter(None, (case.get("classname"), case.get("name"))))
        bad = [*case.iter("failure"), *case.iter("error")]
        skipped = case.find("skipped")
        status = "failed" if bad else "passed" if skipped is None else "skipped"
        message = "\n".join((item.text or item.get("message") or "").strip() for item in bad)
        if status == "skipped":
            reason = re.search(r"reason: '(?:precondition failed: )?(.*?)'",
                               case.findtext("system-out") or "")
            message = reason[1] if reason else "disabled"
        yield Result(name, status, float(case.get("time") or 0), message)


def boost_suite(name, command, env, folder):
    log = pathlib.Path(folder) / f"{name}.xml"
    code, text, seconds = execute([*command, f"--logger=JUNIT,error,{log}"], env, BUILD)
    try:
        results = list(junit_results(log))
    except (OSError, xml.etree.ElementTree.ParseError):
        results = []
    if code != 0 and not any(result.status == "failed" for result in results):
        results.append(Result(name, "failed", seconds, tail(text) + f"\n[exit {code}]"))
    if not results:
        results.append(Result(name, "failed", seconds, "no test case ran"))
    return results


def registered_suites(build):
    """-> {name: command}, as CTest knows them; None for one that is not built yet"""
    code, text, _ = execute(["ctest", "--test-dir", build, "--show-only=json-v1"])
    tests = json.loads(text)["tests"] if code == 0 else []
    return {test["name"]: test.get("command") for test in tests}


def boost_suites(suites, env=None):
    results = []
    with tempfile.TemporaryDirectory(prefix="qspec-suites-") as folder:
        for name, command in suites.items():
            results += boost_suite(name, command, env, folder)
    return results


def built(name, build, targets):
    """The result of building; of a failed one the compiler's errors rather than all its words."""
    code, text, seconds = execute(["cmake", "--build", build, "--target", *targets],
                                  timeout=BUILD_TIMEOUT_SECONDS)
    if code == 0:
        return Result(name, "passed", seconds)
    errors = [line for line in text.splitlines() if " error: " in line or line.startswith("FAILED")]
    return Result(name, "failed", seconds, "\n".join(errors[:SHOWN_LINES]) or tail(text))


def setup():
    began = time.monotonic()
    code = subprocess.run([ROOT / "qspec", "setup", "--tests"]).returncode
    message = "" if code == 0 else "see its own messages above"
    status = "failed" if code else "passed"
    return [Result("qspec setup", status, time.monotonic() - began, message)]


def lint():
    sources = source_files(".cc", ".h", ".cu")
    scripts = [ROOT / "qspec", ROOT / ".ci/run", ROOT / "tests/parity/setup"]
    return [
        one_command("clang-format", ["clang-format-14", "--dry-run", "-Werror", *sources]),
        one_command("luacheck", ["luacheck", "--quiet", "--no-color", "."]),
        one_command("shellcheck", ["shellcheck", *scripts]),
    ]


def clang_tidy(includes_torch):
    """A stage over the sources that include LibTorch's headers, or over those that do not."""
    def stage():
        sources = [path for path in source_files(".cc")
                   if path.relative_to(ROOT).parts[0] in ("engine", "bindings")
                   and (path.parent.name in TORCH_FOLDERS) == includes_torch]
        return [Result(name, "failed" if message else "passed", seconds, message)
                for name, seconds, message in tidy.check(ROOT, BUILD, sources)]
    return stage


def engine():
    build = built("build of the suites", BUILD, ["all"])
    if build.status == "failed":
        return [build]
    suites = registered_suites(BUILD)
    if not suites:
        return [build, Result("suites", "failed", 0, f"CTest knows no suite in {BUILD}")]
    return [build, *boost_suites(suites)]


def lua():
    results = []
    runner = ROOT / "tests/support/run_lua_tests.lua"
    with tempfile.TemporaryDirectory(prefix="qspec-lua-") as folder:
        env = {"QSPEC_TEST_TMPDIR": folder, "HF_HOME": folder, "NO_COLOR": "1"}
        for path in source_files(".lua"):
            if path.name.endswith("_test.lua"):
                code, text, _ = execute([PROGRAM, "lua", runner, path], env)
                results += protocol_results(text, code, path.name)
    return results


def script(folder, timeout=TIMEOUT_SECONDS):
    """A stage that is a program of its own: tests/FOLDER/run."""
    def stage():
        code, text, _ = execute([ROOT / "tests" / folder / "run", "--program", PROGRAM],
                                timeout=timeout)
        return protocol_results(text, code, folder)
    return stage


def spec():
    with tempfile.TemporaryDirectory(prefix="qspec-spec-") as folder:
        return [one_command("qspec run specs/bloom.lua",
                            [ROOT / "qspec", "run", ROOT / "specs/bloom.lua"], {"HF_HOME": folder})]


def sanitize():
    configure = ["cmake", "--preset", "asan"]
    torch = os.environ.get("QSPEC_TORCH")
    if torch:
        configure.append(f"-DQSPEC_TORCH={torch}")
    configured = one_command("configure with sanitizers", configure)
    if configured.status == "failed":
        return [configured]
    wanted = [name for name in registered_suites(ASAN_BUILD) if name in SANITIZED_SUITES]
    build = built("build with sanitizers", ASAN_BUILD, wanted)
    if build.status == "failed":
        return [configured, build]
    suites = registered_suites(ASAN_BUILD)
    env = {"ASAN_OPTIONS": "detect_leaks=1:allocator_may_return_null=1",
           "UBSAN_OPTIONS": "print_stacktrace=1"}
    return [configured, build] + [result._replace(name="sanitized " + result.name)
                                  for result in boost_suites({name: suites[name] for name in wanted},
                                                             env)]


ALL = [
    Stage("setup", "./qspec setup: packages, LibTorch, the program", setup, True),
    Stage("lint", "clang-format, luacheck, shellcheck", lint),
    Stage("engine", "Boost.Test of engine and bindings; the fuzz corpora replayed", engine),
    Stage("lua", "the Lua tests, in the program's own interpreter", lua),
    Stage("cli", "transcripts of the program", script("cli")),
    Stage("mutants", "broken checkpoints: each noticed and named", script("mutants")),
    Stage("spec", "the shipped spec on the shipped models", spec),
    Stage("parity", "formats, configs and tokenizers against the Python libraries from PyPI",
          script("parity", timeout=2 * TIMEOUT_SECONDS)),
    Stage("sanitize", "suites without LibTorch, with AddressSanitizer and UBSan", sanitize),
    Stage("tidy", "clang-tidy on what does not include LibTorch", clang_tidy(False)),
    Stage("tidytorch", "clang-tidy on what includes LibTorch: some minutes, only when named",
          clang_tidy(True), is_default=False),
]


def run(stage):
    """The stage's results; a fault of the stage itself is a failed result."""
    try:
        return stage.run()
    except Exception as fault:  # whatever it is, the other stages still run
        return [Result(stage.name, "failed", 0, f"{type(fault).__name__}: {fault}")]
