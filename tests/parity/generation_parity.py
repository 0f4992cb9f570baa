"""Generation of qspec against transformers, on tiny random models.

    tests/parity/generation_parity.py PROGRAM [NAME|FOLDER...]

Batches of prompts of unequal lengths must give the ids that transformers' generate gives of the same
batch, padded on the left, in float32 and bfloat16. Every option that generate obeys is tried alone,
and the scores of the next token must be those of transformers' own logits processors, the filters of
sampling among them. Stop strings must end what StopStringCriteria ends, with the tokenizer of the
model in each FOLDER. Exit status 1 when something is not equal. Needs tests/parity/setup.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
import transformers
from transformers import GenerationConfig
from transformers.generation.stopping_criteria import StopStringCriteria

import architectures_parity
from architectures_cases import CASES

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
EXAMPLE = "examples/models/bloom-tiny"
PAD = 1
LENGTHS = (3, 9, 13, 1)
NEW_TOKENS = 12
NEVER = -1e38
# Of scores: both are the same kernels; of the logarithms of shares, which qspec sums in fp64.
SCORE_BOUND, LOGPROB_BOUND = 1e-6, 1e-4

MODELS = ("llama", "bloom", "gpt2", "qwen2", "gemma2", "opt", "mpt")
RULES = [
    {"repetition_penalty": 1.7},
    {"encoder_repetition_penalty": 1.6},
    {"no_repeat_ngram_size": 1},
    {"no_repeat_ngram_size": 2},
    {"encoder_no_repeat_ngram_size": 2},
    {"bad_words_ids": "LIKELY"},
    {"sequence_bias": [[[5], 2.0], [[7, 9], 4.0], [[11], -3.0]]},
    {"suppress_tokens": "LIKELY"},
    {"begin_suppress_tokens": "LIKELY"},
    {"forced_bos_token_id": 17},
    {"forced_bos_token_id": 17, "begin_suppress_tokens": "LIKELY"},
    {"forced_eos_token_id": 19},
    {"forced_eos_token_id": [19, 23]},
    {"eos_token_id": "MADE"},
    {"eos_token_id": "MADE", "min_new_tokens": 6},
    {"eos_token_id": "MADE", "min_length": 16},
    {"eos_token_id": "MADE", "min_length": 16, "min_new_tokens": 2},
    {"eos_token_id": "MADE", "exponential_decay_length_penalty": [2, 1.4]},
    {"remove_invalid_values": True, "suppress_tokens": "LIKELY"},
    {"renormalize_logits": True},
    {"max_length": 20},
    {"max_length": 20, "max_new_tokens": 4},
    {"repetition_penalty": 1.3, "no_repeat_ngram_size": 2, "bad_words_ids": "LIKELY",
     "eos_token_id": "MADE", "min_new_tokens": 4, "suppress_tokens": [3, 4]},
]
FILTERS = [
    {}, {"top_k": 0}, {"temperature": 0.3, "top_k": 0}, {"temperature": 2.5}, {"top_k": 3},
    {"top_k": 1}, {"top_k": 100000}, {"top_p": 0.5, "top_k": 0}, {"top_p": 0.999, "top_k": 0},
    {"top_p": 0.0}, {"min_p": 0.2, "top_k": 0}, {"min_p": 1.0}, {"typical_p": 0.6, "top_k": 0},
    {"epsilon_cutoff": 0.01, "top_k": 0}, {"eta_cutoff": 0.05, "top_k": 0},
    {"top_h": 0.4, "top_k": 0}, {"top_h": 1.0, "top_k": 0},
    {"temperature": 0.7, "top_k": 20, "top_p": 0.9, "min_p": 0.05, "typical_p": 0.95},
]


def prompts(lengths=LENGTHS):
    generator = torch.Generator().manual_seed(3)
    return [torch.randint(3, 199, (length,), generator=generator).tolist() for length in lengths]


def padded(rows):
    width = max(map(len, rows))
    ids = torch.tensor([[PAD] * (width - len(row)) + row for row in rows])
    mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows])
    return ids, mask


def generate(model, rows, options):
    """The ids of each row without padding, and the log-probabilities of what was made."""
    ids, mask = padded(rows)
    given = {"eos_token_id": None, "pad_token_id": PAD, "do_sample": False, **options}
    given.setdefault("max_length" if "max_length" in given else "max_new_tokens", NEW_TOKENS)
    with torch.no_grad():
        out = model.generate(ids, attention_mask=mask, return_dict_in_generate=True,
                             output_scores=True, **given)
    made, logprobs = [], []
    ends = given["eos_token_id"]
    ends = set(ends if isinstance(ends, list) else [ends])
    for index, row in enumerate(rows):
        new = out.sequences[index, ids.shape[1]:].tolist()
        stop = next((i + 1 for i, token in enumerate(new) if token in ends), len(new))
        made.append(row + new[:stop])
        logprobs.append([float(torch.log_softmax(out.scores[i][index], -1)[new[i]])
                         for i in range(stop)])
    return made, logprobs


def filled(options, plain):
    """The options with ids that matter: those that are made without any."""
    likely = sorted({token for row in plain for token in row[-NEW_TOKENS:]})[::2]
    made = [row[len(prompt) + 3] for row, prompt in zip(plain, prompts())]
    out = dict(options)
    for key, value in options.items():
        if value == "LIKELY":
            out[key] = likely
            if key == "bad_words_ids":
                out[key] = [[token] for token in likely] + [plain[0][-3:-1], plain[1][-2:]]
        elif value == "MADE":
            out[key] = made[:2]
    return out


def questions_of_batches(model):
    plain, _ = generate(model, prompts(), {})
    yield {"prompts": prompts(), "options": {}}
    for row in prompts():
        yield {"prompts": [row], "options": {}}
    yield {"prompts": prompts(), "options": filled({"eos_token_id": "MADE"}, plain)}


def questions_of_rules(model):
    plain, _ = generate(model, prompts(), {})
    for options in RULES:
        options = filled(options, plain)
        yield {"prompts": prompts(), "options": options}
        yield {"prompts": [prompts()[3]], "options": options}


def questions_of_scores(model):
    generator = torch.Generator().manual_seed(4)
    for options in FILTERS:
        for spread in (0.5, 4.0):
            scores = (torch.randn(199, generator=generator) * spread).tolist()
            yield {"scores": scores, "ids": [5, 6, 5, 9], "prompt_length": 2,
                   "options": {"do_sample": True, **options}}
    for options in RULES:
        # renormalize_logits moves all scores by the same, which nothing shows.
        skipped = {"max_length", "renormalize_logits"} & options.keys()
        if skipped or "LIKELY" in options.values() or "MADE" in options.values():
            continue
        scores = (torch.randn(199, generator=generator) * 3).tolist()
        yield {"scores": scores, "ids": [5, 6, 5, 9], "prompt_length": 2, "options": options}


def sent(question):
    if "prompts" not in question:
        return question
    options = {"pad_token_id": PAD, **question["options"]}
    if "max_length" not in options:
        options.setdefault("max_new_tokens", NEW_TOKENS)
    return {**question, "options": options}


def processors(model, question):
    given = GenerationConfig(**{**GenerationConfig._get_default_generation_params(),
                                **question["options"]})
    given._eos_token_tensor = None
    if "max_new_tokens" not in question["options"]:
        given.max_length = question["prompt_length"] + 20
    prompt = torch.tensor([question["ids"][:question["prompt_length"]]])
    return model._get_logits_processor(given, input_ids_seq_length=question["prompt_length"],
                                       encoder_input_ids=prompt, device="cpu")


def score_difference(model, question, answer):
    wanted = processors(model, question)(torch.tensor([question["ids"]]),
                                         torch.tensor([question["scores"]]))[0]
    found = torch.tensor(answer)
    found[found <= NEVER] = -torch.inf
    if not torch.equal(found.isinf(), wanted.isinf()):
        return f"{int((~found.isinf()).sum())} scores are left, wanted {int((~wanted.isinf()).sum())}"
    difference = (found - wanted)[~wanted.isinf()].abs().max()
    return None if difference <= SCORE_BOUND else f"scores differ by {difference:.1e}"


def difference(model, question, answer):
    if isinstance(answer, dict):
        return answer["error"]
    if "scores" in question:
        return score_difference(model, question, answer)
    wanted, logprobs = generate(model, question["prompts"], question["options"])
    for row, ids, shares, prompt in zip(answer, wanted, logprobs, question["prompts"]):
        if row["ids"] != ids:
            return f"ids {row['ids'][len(prompt):]}, wanted {ids[len(prompt):]}"
        for found, share in zip(row["logprobs"], shares):
            is_near = abs(float(found) - share) <= LOGPROB_BOUND or model.dtype != torch.float32
            if not is_near:
                return f"a log-probability of {found}, wanted {share}"
    return None


def ask(program, questions, model_folder):
    with tempfile.TemporaryDirectory() as folder:
        given, made = pathlib.Path(folder, "questions.json"), pathlib.Path(folder, "answers.json")
        given.write_text(json.dumps(questions))
        subprocess.run([program, "lua", HERE / "generation.lua", given, made, model_folder],
                       check=True)
        return json.loads(made.read_text())


def report(what, count, problems):
    print(f"{'not ok' if problems else 'ok'} {what}: {count} questions", flush=True)
    for problem in problems:
        print("    " + problem)
    return not problems


def check(program, name, dtype, make_questions):
    with tempfile.TemporaryDirectory() as folder:
        architectures_parity.save(name, dtype, pathlib.Path(folder))
        model = transformers.AutoModelForCausalLM.from_pretrained(folder).eval()
        model.generation_config = GenerationConfig()
        questions = list(make_questions(model))
        answers = ask(program, [sent(question) for question in questions], folder)
    problems = []
    for question, answer in zip(questions, answers):
        problem = difference(model, question, answer)
        if problem:
            problems.append(f"{question['options']}, {len(question.get('prompts', []))} prompts: "
                            f"{problem}")
    return report(f"{name} {dtype} {make_questions.__name__}", len(questions), problems)


def random_sequences(tokenizer):
    generator = torch.Generator().manual_seed(5)
    for length in [1, 2, 3, 5, 8] * 60:
        yield torch.randint(0, len(tokenizer) + 3, (length,), generator=generator).tolist()


def stop_strings_within(tokenizer, sequences):
    """Pieces of what the sequences say, cut anywhere, and some that nothing says."""
    texts = [tokenizer.decode([i for i in ids if i < len(tokenizer)]) for ids in sequences]
    pieces = sorted({text[-k:] for k in (1, 2, 4, 7) for text in texts[k::9] if text[-k:]})
    return [[piece] for piece in pieces] + [pieces[:5], ["never said", ". The"], [" ", "\u00e9"]]


def check_stop_strings(program, model_folder):
    tokenizer = transformers.AutoTokenizer.from_pretrained(model_folder)
    model = transformers.AutoModelForCausalLM.from_pretrained(model_folder).eval()
    sequences = list(random_sequences(tokenizer))
    questions = [{"sequences": sequences, "stop_strings": strings}
                 for strings in stop_strings_within(tokenizer, sequences)]
    prompts = [("Hello my name is", ["from"]), ("Hello my name is", ["am a s", "zzz"]),
               ("The capital of France is", [". T", "letters"]), ("Two plus three is", "."),
               ("Two plus three is", ["plus"])]
    questions += [{"text": text, "options": {"stop_strings": stops, "max_new_tokens": 12,
                                             "eos_token_id": 2}} for text, stops in prompts]
    problems = []
    for question, answer in zip(questions, ask(program, questions, model_folder)):
        if "text" in question:
            ids = tokenizer(question["text"], return_tensors="pt")
            wanted = model.generate(**ids, do_sample=False, tokenizer=tokenizer,
                                    **question["options"])[0].tolist()
        else:
            criteria = StopStringCriteria(tokenizer, question["stop_strings"])
            wanted = [bool(criteria(torch.tensor([ids]), None)[0]) for ids in sequences]
        if answer != wanted:
            where = [ids for ids, a, b in zip(sequences, answer, wanted) if a != b][:1]
            problems.append(f"{question.get('stop_strings', question)}: {where or answer}")
    return report(f"stop strings of {model_folder}", len(questions), problems)


def main():
    program, names = sys.argv[1], sys.argv[2:]
    plan = [(name, dtype, questions_of_batches) for name in MODELS
            for dtype in ("float32", "bfloat16")]
    plan += [("llama", "float32", questions_of_rules), ("bloom", "float32", questions_of_rules),
             ("llama", "float32", questions_of_scores)]
    good = True
    for name, dtype, make_questions in plan:
        if not names or name in names:
            good &= check(program, name, dtype, make_questions)
    folders = [name for name in names if os.path.isdir(name)] if names else [ROOT / EXAMPLE]
    for folder in folders:
        good &= check_stop_strings(program, folder)
    return 0 if good else 1


if __name__ == "__main__":
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    sys.exit(main())
