-- AWQ's codes for the kernel gemv_fast, of llm-awq too: four rows in words of 16 bits.
--
-- The file keeps -scale * zero, rounded to float16, and the kernel multiplies and adds in one
-- operation; here weight = code * scale + scaled zero point in float32.

local awq_shared = require "qspec.layouts.awq_shared"
local awq_words = require "qspec.layouts.awq_words"
local code_values = require "qspec.layouts.code_values"

local M = {
  name = "awq-gemv-fast",
  summary = "AWQ's codes in int16 words of four rows, with scaled zero points",
  class = "AwqGEMVFastLinear",
  rescales = true,
  claims = awq_shared.claims "gemv_fast",
}

--- llm-awq calls the zero points by another name.
function M.scheme(w)
  local scheme = awq_shared.scheme(w, 4, awq_shared.asked(w).group_size)
  if w.tensors.scaled_zeros then scheme.zeros = "scaled_zeros" end
  scheme.zeros = scheme.zeros or "qzeros"
  scheme.class = scheme.zeros == "scaled_zeros" and "LLMAwqLinear" or nil
  return scheme
end

function M.tensors(scheme, module)
  local out_features, in_features = awq_shared.sizes(module)
  local rows = 8 * (awq_words.zero_words(in_features, scheme.group_size) or 0)
  return awq_shared.buffers({
    { suffix = "qweight", dtype = "I16", codes = true,
      shape = { math.floor(out_features / awq_words.ROWS), in_features } },
    { suffix = scheme.zeros or "qzeros", dtype = awq_shared.FLOATS,
      shape = { rows, out_features }, loaded = "float16" },
    { suffix = "scales", dtype = awq_shared.FLOATS, shape = { rows, out_features },
      loaded = "float16" },
  }, module)
end

function M.problems(w)
  local problems = {}
  awq_shared.check_groups(problems, w)
  awq_shared.check_multiple(problems, w.shape[1], awq_words.ROWS, "output features")
  awq_shared.check_multiple(problems, w.shape[2], awq_words.STRIDE, "input features")
  return problems
end

local function grid(w, suffix)
  return awq_shared.half(w, suffix):narrow(1, 1, awq_shared.groups(w)):t():contiguous()
end

function M.scales(w)
  return grid(w, "scales")
end

local function codes_of(w)
  return awq_words.gemv_fast(w:read("qweight"), w.shape[1], w.shape[2])
end

function M.pack(w)
  return require("host.tensor").coded { codes = codes_of(w), bits = 4,
    values = code_values.unsigned(4), scales = M.scales(w), shifts = grid(w, w.scheme.zeros),
    block = { 1, w.scheme.group_size }, shape = w.shape }
end

M.value_problems = awq_shared.value_problems(nil, codes_of)

return M
