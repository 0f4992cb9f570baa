-- What AWQ's three layouts have in common.
--
-- Source: GPTQModel 7.7, nn_modules/qlinear/__init__.py AWQuantLinear, torch_awq.py
-- (dequantize_gemm), gemv_awq.py, gemv_fast_awq.py. weight[o, i] = (code - zero) * scale in
-- float16, scales of the file cast to it: the product, exact in float32, is rounded to float16
-- once, so that what is decoded to float16 is equal bit for bit to dequantize_gemm.

local StoredWeight = require "qspec.stored_weight"
local faults = require "qspec.layouts.grouped_faults"
local grouped_floors = require "qspec.layouts.grouped_floors"
local scale_faults = require "qspec.layouts.scale_faults"

local M = { FLOATS = { "F16", "BF16", "F32" } }

--- Output and input features.
function M.sizes(module)
  local shape = StoredWeight.logical_shape(module)
  return shape[1], shape[2]
end

function M.is_matrix(entry)
  return entry ~= nil and #entry.shape == 2
end

-- Which layout the shape of qweight speaks for: "gemm", "gemv", "gemv_fast", "gptq", or nil.
local function kind_of(entry, out_features, in_features)
  if not M.is_matrix(entry) then return nil end
  local rows, columns = entry.shape[1], entry.shape[2]
  if entry.dtype == "I16" then return "gemv_fast" end
  if rows == in_features and columns ~= out_features then return "gemm" end
  if rows == out_features and columns * 8 == in_features then return "gemv" end
  if columns == out_features then return "gptq" end
end

--- Whether tensors are a weight of one layout, whole or damaged.
---@param own string
function M.claims(own)
  return function(holding, module)
    local t = holding.tensors
    if #module.shape ~= 2 or t.g_idx or t.weight then return false end
    if not t.qweight then return t.qzeros ~= nil and t.scales ~= nil end
    local kind = kind_of(t.qweight, M.sizes(module))
    return kind == own
      or kind == nil and t.qweight.dtype:find("^I") ~= nil and t.scales ~= nil
  end
end

local ASSUMED = { bits = 4, group_size = 128 }

--- What the config asks for, or what is usual.
function M.asked(w)
  return w.request and w.request.scheme or ASSUMED
end

function M.scheme(w, bits, group_size)
  local asked = M.asked(w)
  return { bits = bits, type = "int" .. bits, group_size = group_size,
    least_sqnr_db = grouped_floors.least_sqnr_db(bits), symmetric = asked.symmetric,
    zeros = asked.zeros, signed_scales = asked.signed_scales }
end

--- The tensors and the bias, all of them buffers.
function M.buffers(list, module)
  for _, tensor in ipairs(list) do tensor.role = "buffer" end
  list[#list + 1] = faults.bias(module, (M.sizes(module)))
  return list
end

--- A group size that does not divide the input features.
function M.check_groups(problems, w)
  local size = w.scheme.group_size
  if w.shape[2] % size == 0 then return end
  problems[#problems + 1] = { key = "group_size", found = ("%d input features in groups of %s")
    :format(w.shape[2], tostring(size)), wanted = "a group size that divides them",
    hint = "the library cuts the last group off and fails when it multiplies" }
end

function M.check_multiple(problems, count, of, what)
  if count % of == 0 then return end
  problems[#problems + 1] = { key = "qweight", found = ("%d %s"):format(count, what),
    wanted = ("a multiple of %d"):format(of) }
end

--- Groups a row.
function M.groups(w)
  return w.shape[2] / w.scheme.group_size
end

--- A tensor as the library loads it.
function M.half(w, suffix)
  return w:read(suffix):to("float16")
end

local function check_symmetric(problems, zeros, w)
  local middle = 2 ^ (w.scheme.bits - 1)
  local wrong = zeros:ne(middle):count_nonzero()
  if wrong == 0 then return end
  problems[#problems + 1] = { key = "qzeros", found = ("%d zero points other than %d"):format(
    wrong, middle), wanted = ("%d everywhere, as zero_point false says"):format(middle),
    hint = "the zero points are damaged, or zero_point is not true of them" }
end

-- Only where there are zero scales are the codes unpacked.
local function check_lost(problems, w, codes_of)
  local scales = w.layout.scales(w)
  if not scales:eq(0):any() then return end
  local codes = require("host.tensor").unpack_stream(codes_of(w), w.scheme.bits, w.shape[2])
  scale_faults.lost(problems, "scales", scales:to("float32"), codes, w.scheme.group_size)
end

--- A layout's `value_problems`.
---@param zeros_of (fun(w): any)|nil its zero points, unpacked
---@param codes_of fun(w): any its codes as rows of streams
function M.value_problems(zeros_of, codes_of)
  return function(w)
    local problems = {}
    faults.scales(problems, w:read("scales"), w.scheme.signed_scales)
    if zeros_of and w.scheme.symmetric then check_symmetric(problems, zeros_of(w), w) end
    check_lost(problems, w, codes_of)
    faults.dropped_bias(problems, w)
    return problems
  end
end

return M
