"""What gpu_time_to_verdict.py asks of both sides."""

PROMPTS = ["Hello my name is", "The capital of France is", "Once upon a time", "To be or not",
           "In the beginning", "All happy families", "It was a bright cold day", "Call me"]
MAX_NEW_TOKENS = 10
RATIO = (2.5, 3.9)

SPEC = """-- The six checks of a model of Llama's shape.

family "llama"

memory    {{ ratio = {{ {least}, {most} }} }}
layers    {{ "*_proj", class = "Linear4bit", dtype = "uint8" }}
dtypes    {{ "*_proj", storage = "uint8", logical = "nf4" }}
quantized {{ method = "bitsandbytes", bits = 4 }}
config    {{}}

model "{name}" {{
  checkpoint = "{folder}",
{more}
}}
"""


def lua_text(text):
    return '"' + "".join(c if c.isascii() and c.isprintable() and c not in '"\\'
                         else "".join(f"\\{b:03}" for b in c.encode()) for c in text) + '"'


def spec(name, folder, quantize, texts=None, numerics=None):
    """The text of a spec; `texts` are what the model may say, `numerics` the folder to compare
    with, alone."""
    more = []
    if quantize:
        more.append('  quantize = bitsandbytes { bits = 4, type = "nf4", compute_dtype = "bfloat16" },')
    if numerics:
        more.append(f'  baseline = "{numerics}",\n  numerics = {{}},')
    if texts:
        rows = ",\n    ".join([*map(lua_text, PROMPTS), f"max_new_tokens = {MAX_NEW_TOKENS}",
                               "accepts = { " + ",\n      ".join(map(lua_text, texts)) + " }"])
        more.append(f"  generates = {{\n    {rows} }},")
    return SPEC.format(name=name, folder=folder, least=RATIO[0], most=RATIO[1],
                       more="\n".join(more))
