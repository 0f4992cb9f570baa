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
local SCATTERED = "with desc_act a group's features are all over the row, and no block shows it"

return {
  ["examples/models/bloom-tiny-bnb-nf4"] = {
    spec = "specs/bloom.lua", baseline = "examples/models/bloom-tiny",
    survivors = {
      ["scale_gain x 1.05 block"] = NOISE,
      ["scale_gain x 1.05 group"] = NOISE,
      ["config_field quantization_config.bnb_4bit_compute_dtype"] = SETTING,
    },
  },
  ["tests/data/qwen2-tiny-gptq4act"] = {
    spec = "specs/qwen2.lua", baseline = "tests/data/qwen2-tiny",
    survivors = {
      ["scale_gain x 2 block"] = SCATTERED,
      ["scale_gain / 2 block"] = SCATTERED,
      ["scale_gain / 2 group"] = SCATTERED,
      ["scale_gain / 448 block"] = SCATTERED,
      ["scale_gain x 1.05 block"] = NOISE,
      ["scale_gain x 1.05 group"] = NOISE,
      ["value_cast scales to bfloat16 all"] = NOISE,
      ["group_order shuffled module"] = FREE,
      ["requant module"] = FREE,
      ["requant layer"] = FREE,
      ["requant all"] = FREE,
    },
  },
}
