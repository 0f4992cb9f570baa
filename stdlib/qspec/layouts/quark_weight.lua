-- AMD Quark's storage: e4m3, int8, e2m1 or packed 4-bit codes with `weight_scale`.
--
-- Source: amd-quark 0.13, torch/utils/pack.py (Pack_4_bits, Pack_8_bits, Pack_fp4; groups transpose
-- codes and scales of integers; order {0,2,4,6,1,3,5,7} when pack_method is "reorder") and
-- torch/export/nn/modules/realquantizer.py. weight = (code - zero_point) * scale in float32.

local code_values = require "qspec.layouts.code_values"
local scale_faults = require "qspec.layouts.scale_faults"
local shapes = require "qspec.shapes"
local small_floats = require "qspec.layouts.small_floats"
local small_values = require "qspec.layouts.small_values"

local M = {
  name = "quark",
  summary = "AMD Quark's float8, int8, 4-bit and mxfp4 codes with one scale a tensor, row or group",
  class = "QParamsLinear",
  least_sqnr_db = 12,
}

local FLOATS = { "F32", "BF16", "F16" }
local REORDERED = { 0, 2, 4, 6, 1, 3, 5, 7 }

-- What the weight's dtype says of the codes.
local KINDS = {
  F8_E4M3 = { bits = 8, type = "float8_e4m3" },
  I8 = { bits = 8, type = "int8" },
  I32 = { bits = 4, type = "int4" },
  U8 = { bits = 4, type = "float4_e2m1" },
}

--- Whether these tensors are a weight of this layout, whole or damaged.
function M.claims(holding)
  local t = holding.tensors
  return t.weight ~= nil and KINDS[t.weight.dtype] ~= nil and t.weight_scale ~= nil
end

local OF_TYPE = { fp8_e4m3 = "F8_E4M3", int8 = "I8", int4 = "I32", uint4 = "I32", fp4 = "U8" }

--- How the weight is stored: by the dtype of its tensor, and the config for what that leaves open.
function M.scheme(w)
  local asked = w.request and w.request.scheme.asked or {}
  local entry = w.tensors.weight
  local dtype = entry and KINDS[entry.dtype] and entry.dtype or OF_TYPE[asked.dtype] or "F8_E4M3"
  local kind = KINDS[dtype]
  local scale = w.tensors.weight_scale
  local grouped = scale and #scale.shape == 2 and shapes.count(scale.shape) > 1
    and scale.shape[2] > 1
  return { bits = kind.bits, stored = dtype, shape = w.shape, asked = asked,
    type = dtype == "I32" and asked.dtype == "uint4" and "uint4" or kind.type,
    scale_shape = scale and scale.shape, grouped = grouped or asked.qscheme == "per_group" or false,
    group_size = asked.group_size, has_zeros = w.tensors.weight_zero_point ~= nil }
end

-- Integers in groups lie transposed, [in, out]; floats do not.
local function is_transposed(scheme)
  return scheme.grouped and (scheme.stored == "I32" or scheme.stored == "I8")
end

local function weight_shape(scheme, shape)
  local rows, columns = shape[1], shape[2]
  if is_transposed(scheme) then rows, columns = columns, rows end
  if scheme.stored == "I32" then return { rows, math.ceil(columns / 8) } end
  return { rows, scheme.stored == "U8" and math.ceil(columns / 2) or columns }
end

local function group_of(scheme, shape)
  local asked = scheme.asked and scheme.asked.group_size
  if small_values.is_count(asked) then return asked end
  local stored = scheme.scale_shape
  local groups = stored and stored[is_transposed(scheme) and 1 or 2] or 1
  return math.max(1, math.ceil(shape[2] / math.max(1, groups)))
end

local function scale_shape(scheme, shape)
  if scheme.grouped then
    local groups = math.ceil(shape[2] / group_of(scheme, shape))
    return is_transposed(scheme) and { groups, shape[1] } or { shape[1], groups }
  end
  local stored = scheme.scale_shape
  if stored and (shapes.count(stored) == 1 or shapes.equal(stored, { shape[1], 1 })) then
    return stored
  end
  if stored == nil and (scheme.asked or {}).qscheme == "per_tensor" then return {} end
  return { shape[1] }
end

local function zero_tensor(scheme, shape)
  local sizes = { unpack(scale_shape(scheme, shape)) }
  if scheme.stored == "I32" and #sizes > 0 then sizes[#sizes] = math.ceil(sizes[#sizes] / 8) end
  return { suffix = "weight_zero_point", dtype = { "I32", "I8", "F32", "BF16", "F16" },
    shape = sizes, optional = not scheme.has_zeros }
end

--- The tensors of the weight. transformers renames them to `weight_quantizer.scale` and so on.
function M.tensors(scheme, module)
  local shape = scheme.shape or module.shape
  local list = {
    { suffix = "weight", dtype = scheme.stored, shape = weight_shape(scheme, shape), codes = true },
    { suffix = "weight_scale", shape = scale_shape(scheme, shape),
      dtype = scheme.stored == "U8" and { "U8", "F8_E8M0", "F32" } or FLOATS },
    zero_tensor(scheme, shape) }
  for _, name in ipairs { "input_scale", "output_scale", "bias_scale" } do
    list[#list + 1] = { suffix = name, dtype = FLOATS, shape = {}, optional = true }
  end
  return list
end

--- Contradictions that headers show.
function M.problems(w)
  local scheme = w.scheme
  if not scheme.grouped or w.shape[2] % group_of(scheme, w.shape) == 0 then return {} end
  return { { key = "weight_scale", found = ("%d columns in groups of %d"):format(w.shape[2],
    group_of(scheme, w.shape)), wanted = "a group size that divides the columns" } }
end

--- Why it is not decoded.
function M.undecodable(w)
  local scheme = w.scheme
  if scheme.stored == "I32" and not scheme.grouped then
    return "4-bit codes without groups: the order of pack_method is not settled for them"
  elseif scheme.stored == "I8" and scheme.grouped then
    return "int8 codes in groups, which Quark stores transposed in some versions only"
  end
end

local function values_of(scheme)
  if scheme.stored == "F8_E4M3" then return small_floats.e4m3 end
  if scheme.stored == "U8" then return small_floats.e2m1 end
  if scheme.stored == "I8" then return code_values.signed(8) end
  return scheme.type == "uint4" and code_values.unsigned(4) or code_values.signed(4)
end

local function order_of(scheme)
  return (scheme.asked.pack_method or "reorder") == "reorder" and REORDERED or nil
end

local function codes_of(w)
  if w.scheme.stored ~= "I32" then return w:read("weight") end
  return require("host.tensor").transpose_fields(w:read("weight"), 4, order_of(w.scheme))
end

--- Scales as a matrix, a row for each row or one for all.
function M.scales(w)
  local scales = small_floats.scales(w:read("weight_scale"))
  if not w.scheme.grouped then return scales:reshape(-1, 1) end
  return is_transposed(w.scheme) and scales:t():contiguous() or scales
end

local function zeros_of(w)
  if not w.tensors.weight_zero_point then return nil end
  local zeros = w:read("weight_zero_point")
  if w.scheme.stored ~= "I32" then return zeros:to("float32"):reshape(-1, 1) end
  local fields = require("host.tensor").unpack_fields(zeros, 4, order_of(w.scheme)):to("float32")
  if w.scheme.type == "int4" then fields = fields - fields:ge(8):to("float32") * 16 end
  return fields:t():contiguous()
end

--- The weight as an object that the engine decodes.
function M.pack(w)
  local scheme, scales = w.scheme, w:read("weight_scale")
  local rows = not scheme.grouped and shapes.count(scales:shape()) == 1 and w.shape[1] or 1
  if scheme.grouped and is_transposed(scheme) then scales = scales:t():contiguous() end
  return require("host.tensor").coded { codes = codes_of(w), bits = scheme.bits,
    values = values_of(scheme), scales = scales,
    scale_values = small_floats.scale_values(scales), zeros = zeros_of(w),
    block = { rows, scheme.grouped and group_of(scheme, w.shape) or w.shape[2] }, shape = w.shape }
end

--- Faults in the values.
function M.value_problems(w)
  local problems = {}
  local stats = scale_faults.check(problems, "weight_scale", M.scales(w))
  if stats.zeros > 0 and not w.scheme.grouped then
    problems[#problems + 1] = { key = "weight_scale", found = ("%d of %d are 0"):format(stats.zeros,
      stats.count), wanted = "scales > 0", hint = "what lies under them decodes to 0" }
  end
  return problems
end

return M
