-- AWQ's codes for the kernel gemm: along the output features, of 4 bits interleaved.

local awq_shared = require "qspec.layouts.awq_shared"
local awq_words = require "qspec.layouts.awq_words"
local code_values = require "qspec.layouts.code_values"
local grouped_bits = require "qspec.layouts.grouped_bits"

local M = {
  name = "awq-gemm",
  summary = "AWQ's codes along the output features, interleaved, a scale and a zero point a group",
  class = "AwqTorchLinear",  -- the kernel that runs everywhere; GPUs get another
  rescales = true,
  claims = awq_shared.claims "gemm",
}

local function stored_bits(w, asked)
  local entry = w.tensors.qweight
  return awq_shared.is_matrix(entry)
    and grouped_bits.of_words(entry.shape[2], w.shape[1], asked) or asked
end

-- Scales and zero points that agree on another group size than the config's.
local function stored_group(w, asked)
  local scales, zeros, in_features = w.tensors.scales, w.tensors.qzeros, w.shape[2]
  if not (awq_shared.is_matrix(scales) and awq_shared.is_matrix(zeros)) then return asked end
  local rows = scales.shape[1]
  local agrees = rows > 0 and zeros.shape[1] == rows and in_features % rows == 0
  return agrees and in_features / rows or asked
end

function M.scheme(w)
  local asked = awq_shared.asked(w)
  return awq_shared.scheme(w, stored_bits(w, asked.bits), stored_group(w, asked.group_size))
end

function M.tensors(scheme, module)
  local out_features, in_features = awq_shared.sizes(module)
  local groups = math.floor(in_features / scheme.group_size)
  local words = grouped_bits.words(out_features, scheme.bits)
  return awq_shared.buffers({
    { suffix = "qweight", dtype = "I32", shape = { in_features, words }, codes = true },
    { suffix = "qzeros", dtype = "I32", shape = { groups, words } },
    { suffix = "scales", dtype = awq_shared.FLOATS, shape = { groups, out_features },
      loaded = "float16" },
  }, module)
end

function M.problems(w)
  local problems = {}
  awq_shared.check_groups(problems, w)
  if w.scheme.bits == 4 then
    awq_shared.check_multiple(problems, w.shape[1], 8, "output features")
  end
  return problems
end

function M.scales(w)
  return require("host.tensor").transpose_words(awq_shared.half(w, "scales"):to("float32"))
end

local function zeros_of(w)
  return awq_words.columns(w:read("qzeros"), w.scheme.bits, w.shape[1])
end

local function codes_of(w)
  return awq_words.gemm(w:read("qweight"), w.scheme.bits, w.shape[1])
end

--- The codes as a matrix, for those who change them.
---@return any Tensor uint8 [out, in]
function M.codes(w)
  return awq_words.columns(w:read("qweight"), w.scheme.bits, w.shape[1]):t():contiguous()
end

--- The tensor that stores such a matrix.
function M.recode(w, codes)
  return awq_words.gemm_words(codes, w.scheme.bits)
end

function M.pack(w)
  local bits, is_interleaved = w.scheme.bits, w.scheme.bits == 4
  local tensor = require "host.tensor"
  return tensor.coded { bits = bits,
    codes = not is_interleaved and codes_of(w) or nil,
    columns = is_interleaved and w:read("qweight") or nil,
    order = is_interleaved and awq_words.ORDER or nil,
    values = code_values.unsigned(bits), scales = M.scales(w),
    zeros = awq_words.rows(w:read("qzeros"), bits, w.shape[1]),
    block = { 1, w.scheme.group_size }, shape = w.shape }
end

M.value_problems = awq_shared.value_problems(zeros_of, codes_of)

return M
