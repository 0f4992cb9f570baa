-- Faults that GPTQ's and AWQ's weights can have in their values.

local scale_faults = require "qspec.layouts.scale_faults"

local M = {}

local LARGEST_HALF = 65504

--- Scales that are not float16 in the file, and are not the same once they are.
local function check_cast(problems, stored)
  if stored:dtype() == "float16" then return end
  local wide = stored:to("float32")
  local large = wide:abs():gt(LARGEST_HALF):count_nonzero()
  local lost = wide:to("float16"):eq(0):logical_and(wide:ne(0)):count_nonzero()
  if large + lost > 0 then
    problems[#problems + 1] = { key = "scales", found = ("%d beyond float16, %d too small for it")
      :format(large, lost), wanted = "scales that float16 holds",
      hint = "the library casts scales to float16 when it loads them" }
  end
end

--- Faults of the scales.
---@param problems table[]
---@param stored any Tensor of scales as in the file
---@param signed boolean whether negative scales are usual
---@return table stats
function M.scales(problems, stored, signed)
  check_cast(problems, stored)
  local scales = stored:to("float32")
  return scale_faults.check(problems, "scales", signed and scales:abs() or scales)
end

--- A bias where the module has none is dropped on load: harmless when it is zero.
function M.dropped_bias(problems, w)
  local bias = not w.module.bias and w:read("bias")
  local values = bias and bias:count_nonzero() or 0
  if values > 0 then
    problems[#problems + 1] = { key = "bias", found = ("a bias with %d values that are not 0")
      :format(values), wanted = "no bias: the module has none",
      hint = "the library drops it on load" }
  end
end

--- The tensor that holds the bias, as GPTQModel's kernels keep it.
function M.bias(module, out_features)
  local floats = { "F16", "BF16", "F32" }
  if module.bias then
    return { suffix = "bias", dtype = floats, shape = { out_features }, role = "buffer",
      loaded = "float16" }
  end
  return { suffix = "bias", dtype = floats, shape = { out_features }, role = "attribute",
    optional = true }
end

return M
