"""Tokenizers of transformers' classes against qspec's: every component of the backend, then ids and texts.

    python tokenizer_class_parity.py QSPEC_PROGRAM

Each folder is loaded by AutoTokenizer; the backend as JSON must be equal to what qspec makes of the
folder, component by component, and the ids and decoded texts of some strings too, where qspec's
engine has the components.
"""

import json
import pathlib
import struct
import subprocess
import sys
import tempfile

import transformers
from tokenizer_folders import CORPUS, folders
from tokenizers import Tokenizer

TEXTS = [*CORPUS[:6], "", " ", "  leading", "trailing  ", "<|endoftext|>x<s> </s>the the", "a<|im_end|> b",
         "hello , world . it 's ' fine ' ! isn 't", "<tool> the <pad><image>", "\n\n\t", "é́ ﬁ Ⅷ ½"]
IGNORED = ("version", "truncation", "padding")


def lua(program, script, *arguments):
    path = pathlib.Path(__file__).with_name(script)
    done = subprocess.run([program, "lua", str(path), *map(str, arguments)], check=True,
                          stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def differences(wanted, found, path=""):
    if isinstance(wanted, dict) and isinstance(found, dict):
        for key in sorted(set(wanted) | set(found)):
            yield from differences(wanted.get(key), found.get(key), f"{path}.{key}")
    elif wanted != found:
        yield f"{path}: wanted {json.dumps(wanted, ensure_ascii=False)[:300]}\n" \
              f"        found  {json.dumps(found, ensure_ascii=False)[:300]}"


def backend(tokenizer):
    described = with_short_scores(json.loads(tokenizer.to_str()))
    return {key: value for key, value in described.items() if key not in IGNORED}


def with_short_scores(described):
    """Scores as the 32-bit floats of the model file: the library's JSON reader rounds longer ones."""
    if described["model"]["type"] == "Unigram":
        described["model"]["vocab"] = [[piece, struct.unpack("f", struct.pack("f", score))[0]]
                                       for piece, score in described["model"]["vocab"]]
    return described


def expected_texts(tokenizer):
    rows = []
    for text in TEXTS:
        ids = tokenizer(text)["input_ids"]
        rows.append([ids, tokenizer(text, add_special_tokens=False)["input_ids"],
                     tokenizer.decode(ids, skip_special_tokens=True), tokenizer.decode(ids)])
    return rows


def main():
    program = str(pathlib.Path(sys.argv[1]).resolve())
    transformers.logging.set_verbosity_error()
    wrong = executed = 0
    with tempfile.TemporaryDirectory() as root:
        made = list(folders(pathlib.Path(root)))
        described = lua(program, "describe_tokenizer.lua", *(folder for _, folder in made))
        for (name, folder), ours in zip(made, described):
            tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
            problems = [ours["error"]] if "error" in ours else list(differences(
                backend(tokenizer.backend_tokenizer),
                backend(Tokenizer.from_str(json.dumps(ours["tokenizer"])))))
            wanted = {name: str(value) for name, value in tokenizer.special_tokens_map.items()}
            if ours.get("special", wanted) != wanted:
                problems.append(f"special tokens: wanted {wanted}, found {ours['special']}")
            (folder / "work.json").write_text(json.dumps({"texts": TEXTS}))
            found = lua(program, "tokenize_folder.lua", folder, folder / "work.json")
            if isinstance(found, list):
                executed += 1
                for text, want, got in zip(TEXTS, expected_texts(tokenizer), found):
                    if want != got:
                        problems.append(f"{text!r}: wanted {want}\n        found  {got}")
            wrong += bool(problems)
            for problem in problems[:4]:
                print(f"{name} ({type(tokenizer).__name__}, {ours.get('class')}): {problem}")
    print(f"{len(made) - wrong} of {len(made)} tokenizers equal, {executed} of them run")
    return 1 if wrong else 0


sys.exit(main())
