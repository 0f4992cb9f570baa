-- AWQ's codes for the kernel gemv: along the input features, in plain order.

local awq_shared = require "qspec.layouts.awq_shared"
local awq_words = require "qspec.layouts.awq_words"
local code_values = require "qspec.layouts.code_values"

local M = {
  name = "awq-gemv",
  summary = "AWQ's codes along the input features, scales and zero points padded to whole words",
  class = "AwqGEMVLinear",
  rescales = true,
  claims = awq_shared.claims "gemv",
}

function M.scheme(w)
  return awq_shared.scheme(w, 4, awq_shared.asked(w).group_size)
end

function M.tensors(scheme, module)
  local out_features, in_features = awq_shared.sizes(module)
  local width = awq_words.zero_words(in_features, scheme.group_size) or 0
  return awq_shared.buffers({
    { suffix = "qweight", dtype = "I32", shape = { out_features, math.floor(in_features / 8) },
      codes = true },
    { suffix = "qzeros", dtype = "I32", shape = { out_features, width } },
    { suffix = "scales", dtype = awq_shared.FLOATS, shape = { out_features, 8 * width },
      loaded = "float16" },
  }, module)
end

function M.problems(w)
  local problems = {}
  awq_shared.check_groups(problems, w)
  awq_shared.check_multiple(problems, w.shape[2], 8, "input features")
  return problems
end

function M.scales(w)
  return awq_shared.half(w, "scales"):narrow(2, 1, awq_shared.groups(w)):contiguous()
end

local function zeros_of(w)
  local fields = require("host.tensor").unpack_fields(w:read("qzeros"), 4)
  return fields:narrow(2, 1, awq_shared.groups(w)):contiguous()
end

local function codes_of(w)
  return w:read("qweight")
end

function M.pack(w)
  return require("host.tensor").coded { codes = codes_of(w), bits = 4,
    values = code_values.unsigned(4), scales = M.scales(w), zeros = zeros_of(w),
    block = { 1, w.scheme.group_size }, shape = w.shape }
end

M.value_problems = awq_shared.value_problems(zeros_of, codes_of)

return M
