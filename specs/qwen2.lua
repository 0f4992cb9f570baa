-- Qwen2 and Qwen2.5, in any format: every check at its defaults, on a checkpoint of one's own.
--
--   qspec run specs/qwen2.lua --model PATH --baseline PATH

family "qwen2"

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
