-- Llama 1 to 3 and all that calls itself llama, in any format: every check at its defaults, on a
-- checkpoint of one's own.
--
--   qspec run specs/llama.lua --model PATH --baseline PATH

family "llama"

files {}
sidecars {}
quantized {}
config {}
layers {}
excluded {}
dtypes {}
companions {}
tied {}
fallbacks {}
memory {}
numerics {}
