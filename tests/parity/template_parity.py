"""Chat templates of qspec against jinja2 as transformers configures it, byte for byte.

    python template_parity.py QSPEC_PROGRAM

Templates in the manner of fourteen families times some hundred conversations, and then templates and
expressions drawn at random. Where one side fails so must the other. What qspec refuses as
unsupported is counted apart, and may not be more than a small share of the random ones.
"""

import collections
import copy
import datetime
import json
import pathlib
import subprocess
import sys
import tempfile
import warnings

from chat_templates import TEMPLATES, contexts
from random_templates import random_case
from transformers.utils import chat_template_utils

RANDOM_CASES = 6000
MOST_UNSUPPORTED = 0.02
SHOWN = 12
NOW = datetime.datetime(2024, 2, 29, 13, 5, 9)


class Clock(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return NOW


def of_jinja(template, context):
    try:
        compiled = chat_template_utils._cached_compile_jinja_template(template)
        text = compiled.render(**copy.deepcopy(context))  # the filter indent changes lists
        text.encode("utf-8")
        return {"text": text}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


def of_qspec(program, cases):
    script = pathlib.Path(__file__).with_name("render.lua")
    with tempfile.NamedTemporaryFile("w", suffix=".json") as work:
        json.dump({"now": NOW.strftime("%Y-%m-%dT%H:%M:%SZ"),
                   "cases": [{"template": t, "context": c} for t, c in cases]}, work)
        work.flush()
        done = subprocess.run([program, "lua", str(script), work.name], check=True,
                              stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def compare(name, program, cases):
    """How many cases agree, and how many are refused as unsupported."""
    equal = unsupported = errors = shown = 0
    refusals = collections.Counter()
    for start in range(0, len(cases), 2000):
        chunk = cases[start:start + 2000]
        for (template, context), found in zip(chunk, of_qspec(program, chunk)):
            wanted = of_jinja(template, context)
            if "text" in wanted and " at 0x" in wanted["text"]:
                same = found.get("kind") == "unsupported"  # an address: nothing to compare
            elif found.get("kind") == "unsupported" and "text" in wanted:
                unsupported += 1
                refusals[found["error"].split(" (")[0]] += 1
                same = True
            elif "error" in wanted or "error" in found:
                same = "error" in wanted and "error" in found
                errors += same
            else:
                same = wanted == found
            equal += same
            if (not same or found.get("kind") == "internal") and shown < SHOWN:
                shown += 1
                shown_context = f"    with   {context!r}\n" if name == "families" else ""
                print(f"{name}: {template!r}\n{shown_context}    wanted {wanted!r}\n"
                      f"    found  {found!r}")
    print(f"{name}: {equal} of {len(cases)} equal, {errors} of them errors on both sides, "
          f"{unsupported} refused as unsupported")
    for reason, count in refusals.most_common(SHOWN):
        print(f"    {count} x {reason}")
    return len(cases) - equal, unsupported


def main():
    chat_template_utils.datetime = Clock
    warnings.simplefilter("ignore", SyntaxWarning)
    program = str(pathlib.Path(sys.argv[1]).resolve())
    families = [(template, context) for template in TEMPLATES.values() for context in contexts()]
    wrong, refused = compare("families", program, families)
    drawn = [random_case(seed) for seed in range(RANDOM_CASES)]
    wrong_random, refused_random = compare("random", program, drawn)
    if refused:
        print("a template of a family is refused")
    if refused_random > MOST_UNSUPPORTED * len(drawn):
        print(f"more than {MOST_UNSUPPORTED:.0%} of the random ones are refused")
    return 1 if wrong or wrong_random or refused \
        or refused_random > MOST_UNSUPPORTED * len(drawn) else 0


sys.exit(main())
