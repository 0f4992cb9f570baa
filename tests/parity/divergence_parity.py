"""Perplexity and divergence of qspec against plain PyTorch on the logits of transformers.

    tests/parity/divergence_parity.py PROGRAM

The examples bloom-tiny-bnb-nf4 against bloom-tiny on tests/data/held_out.txt, with and without
overlapping windows, on weights that bitsandbytes decoded. Both sides run the same kernels, so the
numbers must agree but for the last digits of sums. Exit status 1 when they do not. Needs tests/parity/setup.
"""

import json
import math
import os
import pathlib
import subprocess
import sys

os.environ["HF_HUB_OFFLINE"] = "1"

import numpy
import scipy.stats
import torch
import transformers

ROOT = pathlib.Path(__file__).resolve().parents[2]
BASELINE = ROOT / "examples/models/bloom-tiny"
MODEL = ROOT / "examples/models/bloom-tiny-bnb-nf4"
TEXT = ROOT / "tests/data/held_out.txt"
BOUND = 1e-6


def logits_of(path, windows):
    model = transformers.AutoModelForCausalLM.from_pretrained(path).eval()
    if getattr(model, "is_quantized", False):
        model = model.dequantize()  # the same values, and no kernel of bitsandbytes that sums its way
    with torch.no_grad():
        return [model(torch.tensor([ids])).logits[0].double() for ids, _ in windows]


def standard_error(values):
    return float(values.std(correction=0) / (len(values) - 1) ** 0.5)


def margin_of(logits, tokens):
    own = logits.gather(1, tokens.unsqueeze(1))[:, 0]
    others = logits.scatter(1, tokens.unsqueeze(1), -math.inf)
    return own - others.amax(-1)


def interval(values):
    """Of the mean: equal-weighted cosine estimate of its variance, Student's t, Hall's correction."""
    x = values.double().numpy()
    count, off = len(x), x - x.mean()
    freedom = int(0.4 * count ** (2 / 3))
    place = numpy.pi * (numpy.arange(count) + 0.5) / count
    basis = numpy.sqrt(2 / count) * numpy.cos(numpy.outer(numpy.arange(1, freedom + 1), place))
    long_run = ((basis @ off) ** 2).mean()
    independent = count * min(1, x.var() / long_run)
    skewness = scipy.stats.skew(x) / numpy.sqrt(independent)
    quantile = scipy.stats.t.ppf(0.975, freedom)
    ends = [x.mean() - numpy.sqrt(long_run / count) * 3 / skewness
            * (numpy.cbrt(1 + skewness * (q - skewness / 6)) - 1) for q in (quantile, -quantile)]
    return float(ends[0]), float(ends[1])


def share_interval(flags):
    """Clopper and Pearson, of as many independent tokens as say as much."""
    x = flags.double().numpy()
    count, off = len(x), x - x.mean()
    freedom = int(0.4 * count ** (2 / 3))
    place = numpy.pi * (numpy.arange(count) + 0.5) / count
    basis = numpy.sqrt(2 / count) * numpy.cos(numpy.outer(numpy.arange(1, freedom + 1), place))
    independent = count * min(1, x.var() / ((basis @ off) ** 2).mean())
    found = scipy.stats.beta.ppf([0.025, 0.975],
                                 [x.mean() * independent, x.mean() * independent + 1],
                                 [(1 - x.mean()) * independent + 1, (1 - x.mean()) * independent])
    return float(found[0]), float(found[1])


def wanted(window, stride):
    tokenizer = transformers.AutoTokenizer.from_pretrained(BASELINE)
    ids = tokenizer(TEXT.read_text())["input_ids"]
    windows = [(ids[i:i + window], 1 if i == 0 else max(window - stride, 1))
               for i in range(0, len(ids) - window + 1, stride)]
    nll, base_nll, kl, same, margin = [], [], [], [], []
    for (part, first), q, p in zip(windows, logits_of(MODEL, windows), logits_of(BASELINE, windows)):
        q, p = q[first - 1:-1], p[first - 1:-1]
        target = torch.tensor(part[first:]).unsqueeze(1)
        log_q, log_p = q.log_softmax(-1), p.log_softmax(-1)
        nll.append(-log_q.gather(1, target)[:, 0])
        base_nll.append(-log_p.gather(1, target)[:, 0])
        kl.append((log_p.exp() * (log_p - log_q)).sum(-1))
        same.append(q.argmax(-1) == p.argmax(-1))
        margin.append(margin_of(q, p.argmax(-1)) - margin_of(p, p.argmax(-1)))
    nll, base_nll, kl, same, margin = map(torch.cat, (nll, base_nll, kl, same, margin))
    ratio, delta = nll - base_nll, (-nll).exp() - (-base_nll).exp()
    ends = {"ppl_ratio": [math.exp(end) for end in interval(ratio)], "kld": interval(kl),
            "margin_change": interval(margin), "same_top": share_interval(same)}
    return {
        **{f"paired.{name}.{side}": end for name, both in ends.items()
           for side, end in zip(("low", "high"), both)},
        "paired.margin_change.value": float(margin.mean()),
        "tokens_scored": len(nll),
        "mean_nll": float(nll.mean()), "mean_nll_error": standard_error(nll),
        "perplexity": float(nll.mean().exp()),
        "baseline.perplexity": float(base_nll.mean().exp()),
        "ln_ppl_ratio.value": float(ratio.mean()), "ln_ppl_ratio.error": standard_error(ratio),
        "kld.mean": float(kl.mean()), "kld.mean_error": standard_error(kl),
        "kld.maximum": float(kl.max()), "kld.median": float(kl.quantile(0.5)),
        "kld.percentiles.99": float(kl.quantile(0.99)),
        "kld.percentiles.99.9": float(kl.quantile(0.999)),
        "delta_p.mean": float(delta.mean()), "delta_p.rms": float(delta.square().mean().sqrt()),
        "delta_p.percentiles.5": float(delta.quantile(0.05)),
        "same_top_p.value": float(same.double().mean()),
    }


def value_at(result, path):
    name, _, rest = path.partition(".")
    return value_at(result[name], rest) if isinstance(result.get(name), dict) else result[path]


def check(program, window, stride):
    out = subprocess.run([program, "perplexity", MODEL, "--baseline", BASELINE, "--text", TEXT,
                          "--window", str(window), "--stride", str(stride), "--json"],
                         check=True, capture_output=True, text=True).stdout
    found, bad = json.loads(out), 0
    for path, value in wanted(window, stride).items():
        got = value_at(found, path)
        is_near = abs(got - value) <= BOUND * abs(value) + 1e-9
        bad += not is_near
        print(f"{'ok' if is_near else 'not ok'} {path} {got:.9g}, wanted {value:.9g}")
    return bad


if __name__ == "__main__":
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    sys.exit(1 if check(sys.argv[1], 128, 128) + check(sys.argv[1], 64, 24) else 0)
