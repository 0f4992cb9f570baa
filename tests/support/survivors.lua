-- Mutants that the shipped specs do not notice, with the reason. tests/stdlib/survivors_test.lua
-- holds the list against what `qspec mutate` finds, in both directions.
--
-- Two reasons come again and again. "under the noise": the fault is smaller than what rounding to
-- this format leaves anyway, so that the weights alone cannot tell. "a setting": both values are
-- allowed, and only a spec that names its own (the line that mutate advises) can tell.

local NOISE = "under the noise of rounding in this format"
local SETTING = "a setting: both values are allowed"
local FREE = "the quantizer lessens the error of what a layer computes, not that of its weights: "
  .. "how far its weights lie from the baseline is not known beforehand"
local OUTER = "the outer scale multiplies what is left of an offset"

return {
  ["examples/models/bloom-tiny-bnb-nf4"] = {
    spec = "specs/bloom.lua", baseline = "examples/models/bloom-tiny",
    survivors = {
      ["scale_gain x 1.05 block"] = NOISE,
      ["scale_gain x 1.05 group"] = NOISE,
      ["config_field quantization_config.bnb_4bit_compute_dtype"] = SETTING,
    },
  },
  ["tests/data/bloom-tiny-bnb-nf4dq"] = {
    spec = "specs/bloom.lua", baseline = "examples/models/bloom-tiny",
    survivors = {
      ["scale_gain x 1.05 block"] = OUTER,
      ["scale_gain x 1.05 group"] = OUTER,
      ["scale_gain x 1.05 module"] = OUTER,
      ["scale_gain x 1.05 layer"] = OUTER,
      ["scale_gain x 1.05 all"] = OUTER,
      ["config_field quantization_config.bnb_4bit_compute_dtype"] = SETTING,
    },
  },
  ["tests/data/bloom-tiny-bnb-fp4"] = {
    spec = "specs/bloom.lua", baseline = "examples/models/bloom-tiny",
    survivors = {
      ["scale_gain x 1.05 block"] = NOISE,
      ["scale_gain x 1.05 group"] = NOISE,
      ["config_field quantization_config.bnb_4bit_compute_dtype"] = SETTING,
    },
  },
  ["tests/data/bloom-tiny-bnb-int8"] = {
    spec = "specs/bloom.lua", baseline = "examples/models/bloom-tiny", survivors = {},
  },
  ["tests/data/qwen2-tiny-ct-fp8_dynamic"] = {
    spec = "specs/qwen2.lua", baseline = "tests/data/qwen2-tiny",
    survivors = { ["scale_gain x 1.05 block"] = NOISE },
  },
  ["tests/data/qwen2-tiny-Q4_K_M.gguf"] = {
    spec = "specs/qwen2.lua", baseline = "tests/data/qwen2-tiny", survivors = {},
  },
  ["tests/data/qwen2-tiny-gptq4act"] = {
    spec = "specs/qwen2.lua", baseline = "tests/data/qwen2-tiny",
    survivors = {
      ["scale_gain x 1.05 block"] = NOISE,
      ["scale_gain x 1.05 group"] = NOISE,
      ["value_cast scales to bfloat16 all"] = NOISE,
      ["requant module"] = FREE,
      ["requant layer"] = FREE,
      ["requant all"] = FREE,
    },
  },
}
