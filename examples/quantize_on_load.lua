-- Quantize on load: what would bitsandbytes make of a full-precision checkpoint?
--
--   qspec run examples/quantize_on_load.lua

for _, kind in ipairs { "fp4", "nf4" } do
  model("tiny " .. kind) {
    checkpoint = example "bloom-tiny",
    quantize   = bitsandbytes { bits = 4, type = kind, compute_dtype = "float16" },
  }
end

layers   { "*.mlp.*", class = "Linear4bit" }
memory   { ratio = { 2.9, 3.1 } }
numerics { sqnr_db = 15 }
