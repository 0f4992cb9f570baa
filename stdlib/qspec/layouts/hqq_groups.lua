-- HQQ: codes of 1 to 8 bits in groups, one scale and one zero a group, and its settings as
-- small tensors beside them.
--
-- Source: hqq 0.2.8, core/quantize.py (Quantizer.dequantize, HQQLinear.state_dict) and
-- core/bitpack.py. The weight is reshaped to [groups, group_size] (axis 1) or [group_size, groups]
-- (axis 0) and packed along the rows, the first block in the highest bits; 3 bits ten to an int32.
-- weight = (code - zero) * scale, both operations in compute_dtype.

local code_values = require "qspec.layouts.code_values"
local row_blocks = require "qspec.layouts.row_blocks"
local scale_faults = require "qspec.layouts.scale_faults"
local shapes = require "qspec.shapes"
local small_values = require "qspec.layouts.small_values"

local M = {
  name = "hqq",
  summary = "codes of 1 to 8 bits in groups, a scale and a zero each, packed in blocks of rows",
  least_sqnr_db = 0,  -- 1 bit leaves 4 to 5 dB, 2 bits 6 to 9, 4 bits 18 to 21
}

local WORDS = { [1] = 8, [2] = 8, [3] = 30, [4] = 8, [8] = 8 }
local PACKINGS = { [1] = "1bit_u8", [2] = "2bit_u8", [3] = "3bit_32", [4] = "4bit_u8",
  [8] = "8bit_u8" }
local FLOATS = { "F16", "BF16", "F32" }
local HALF = { float16 = "float16", bfloat16 = "bfloat16" }

--- Whether these tensors are a weight of this layout, whole or damaged.
function M.claims(holding)
  local t = holding.tensors
  if t.W_q then return t.meta == nil end
  return t.packing ~= nil and t.nbits ~= nil
end

local function settings(w)
  local shape = small_values.integers(w, "shape")
  return { bits = small_values.integer(w, "nbits"), group = small_values.integer(w, "group_size"),
    axis = small_values.integer(w, "axis"), packing = small_values.text(w, "packing"),
    shape = shape, float_view = small_values.integer(w, "view_as_float") == 1,
    channel_wise = small_values.integer(w, "channel_wise") ~= 0,
    compute = (small_values.text(w, "compute_dtype") or ""):match("[%w]+$"),
    quant_scale = small_values.integer(w, "quant_scale") == 1,
    quant_zero = small_values.integer(w, "quant_zero") == 1 }
end

--- How the weight is stored, by the small tensors beside it.
function M.scheme(w)
  local stored = settings(w)
  local asked = w.request and w.request.scheme or {}
  local bits = WORDS[stored.bits] and stored.bits or asked.bits or 4
  local has_group = w.tensors.group_size ~= nil
  local group = small_values.is_count(stored.group) and stored.group or nil
  return { bits = bits, type = "uint" .. bits, stored = stored, axis = stored.axis or 1,
    group_size = group or not has_group and not stored.bits and asked.group_size or nil,
    float_view = stored.float_view, channel_wise = stored.channel_wise, compute = stored.compute,
    view_dtype = stored.float_view and w.tensors.W_q and w.tensors.W_q.dtype or nil,
    shape = w.shape, entries = w.tensors }
end

-- Rows and columns of the matrix that is packed.
local function matrix(scheme, shape)
  local group, count = scheme.group_size, shapes.count(shape)
  if not group or not scheme.channel_wise then return shape[1], shape[2] end
  local groups = math.ceil(count / group)
  if scheme.axis == 0 then return group, groups end
  return groups, group
end

local VIEW_BYTES = { F16 = 2, BF16 = 2, F32 = 4 }

local function packed_tensor(scheme, shape)
  local rows, columns = matrix(scheme, shape)
  local words = scheme.bits == 3 and 10 or 8 / scheme.bits
  local dtype, width = scheme.bits == 3 and "I32" or "U8", scheme.bits == 3 and 4 or 1
  if VIEW_BYTES[scheme.view_dtype] then
    dtype, columns = scheme.view_dtype, columns * width / VIEW_BYTES[scheme.view_dtype]
  end
  return { suffix = "W_q", dtype = dtype, codes = true,
    shape = { math.ceil(rows / words), math.ceil(columns) } }
end

local function scale_shape(scheme, shape)
  local rows, columns = matrix(scheme, shape)
  if not scheme.channel_wise then return {} end
  return scheme.axis == 0 and { 1, columns } or { rows, 1 }
end

local SETTINGS = { "nbits", "axis", "group_size", "packing", "unpack_view_dtype", "view_as_float",
  "compute_dtype", "quant_scale", "quant_zero", "offload_meta", "encoded_state_dict",
  "stores_quant_config", "channel_wise", "optimize", "round_zero" }
local SETTING_DTYPES = { "I32", "U8", "I64" }
local NEEDED = { nbits = true, axis = true }

local function setting_tensors(list, entries)
  for _, name in ipairs(SETTINGS) do
    local entry = entries and entries[name]
    list[#list + 1] = { suffix = name, dtype = SETTING_DTYPES, shape = entry and entry.shape or {},
      optional = not NEEDED[name] }
  end
end

--- The tensors of the weight. transformers 5.17 reads none of them: it keeps a Linear.
function M.tensors(scheme, module, dtype)
  local shape = scheme.shape or module.shape
  local list = { packed_tensor(scheme, shape),
    { suffix = "scale", dtype = FLOATS, shape = scale_shape(scheme, shape) },
    { suffix = "zero", dtype = FLOATS, shape = scale_shape(scheme, shape) },
    { suffix = "shape", dtype = { "I64", "I32" }, shape = { 2 } } }
  setting_tensors(list, scheme.entries)
  for _, tensor in ipairs(list) do tensor.role = "attribute" end
  list[#list + 1] = { suffix = "weight", made = true, shape = module.shape,
    loaded = dtype or "float32" }
  return list
end

local function setting_problems(stored, add)
  if stored.bits and not WORDS[stored.bits] then
    add("nbits", tostring(stored.bits), "1, 2, 3, 4 or 8")
  end
  if stored.axis and stored.axis ~= 0 and stored.axis ~= 1 then
    add("axis", tostring(stored.axis), "0 or 1")
  end
  if stored.bits and stored.packing and stored.packing ~= PACKINGS[stored.bits] then
    add("packing", ("'%s'"):format(stored.packing), ("'%s', as nbits says"):format(
      tostring(PACKINGS[stored.bits])))
  end
end

--- Contradictions of the settings with each other and with the module.
function M.problems(w)
  local problems, scheme = {}, w.scheme
  local function add(key, found, wanted, hint)
    problems[#problems + 1] = { key = key, found = found, wanted = wanted, hint = hint }
  end
  setting_problems(scheme.stored, add)
  local shape = scheme.stored.shape
  if shape and not shapes.equal(shape, w.shape) then
    add("shape", shapes.text(shape), shapes.text(w.shape))
  end
  if w.tensors.group_size and not small_values.is_count(scheme.stored.group) then
    add("group_size", tostring(scheme.stored.group), "a whole number above 0")
  elseif scheme.group_size and shapes.count(w.shape) % scheme.group_size ~= 0 then
    add("group_size", tostring(scheme.group_size), ("a divisor of %d"):format(
      shapes.count(w.shape)))
  end
  return problems
end

--- Why it is not decoded.
function M.undecodable(w)
  local stored = w.scheme.stored
  if stored.quant_scale or stored.quant_zero then
    return "its scales or zeros are quantized again, which hqq itself does not read back from "
      .. "safetensors"
  end
end

local function words_of(w)
  local scheme, packed = w.scheme, w:read("W_q")
  if not (scheme.view_dtype and scheme.float_view) then return packed end
  return packed:view(scheme.bits == 3 and "int32" or "uint8")
end

-- hqq subtracts in compute_dtype, unless the zero is wider.
local function step(w)
  if w.tensors.zero.dtype == "F32" then return nil end
  return HALF[w.scheme.compute] or HALF[w.tensors.zero.torch_dtype]
end

-- Groups that fill rows are blocks of the weight itself; others of the matrix that is packed.
local function grid(w)
  local scheme = w.scheme
  local rows, columns = matrix(scheme, w.shape)
  local scales, zeros = w:read("scale"), w:read("zero")
  if not scheme.channel_wise then
    return w.shape, w.shape, scales:reshape(1, 1), zeros:reshape(1, 1)
  elseif scheme.axis == 1 and w.shape[2] % columns == 0 then
    return w.shape, { 1, columns }, scales:reshape(w.shape[1], -1), zeros:reshape(w.shape[1], -1)
  end
  return { rows, columns }, scheme.axis == 0 and { rows, 1 } or { 1, columns }, scales, zeros
end

--- The weight as an object that the engine decodes, or decoded when its groups straddle rows.
function M.pack(w)
  local bits = w.scheme.bits
  local shape, block, scales, zeros = grid(w)
  local packed = require("host.tensor").coded { codes = words_of(w), bits = bits,
    planes = row_blocks.shifts(bits, WORDS[bits], "high"), values = code_values.unsigned(bits),
    scales = scales, zeros = zeros, block = block, step = step(w), shape = shape }
  return shapes.equal(shape, w.shape) and packed or packed:decode("float32"):reshape(w.shape)
end

--- One scale a group.
function M.scales(w)
  return w:read("scale")
end

--- Faults in the values of scales and zeros.
function M.value_problems(w)
  local problems = {}
  local scales = w:read("scale"):to("float32")
  local stats = scale_faults.check(problems, "scale", scales)
  if stats.zeros > 0 then
    problems[#problems + 1] = { key = "scale", found = ("%d of %d are 0"):format(stats.zeros,
      stats.count), wanted = "scales > 0", hint = "hqq never writes 0: a scale was lost" }
  end
  local zeros = w:read("zero"):stats()
  if zeros.nan + zeros.inf > 0 then
    problems[#problems + 1] = { key = "zero", found = ("%d not finite"):format(zeros.nan
      + zeros.inf), wanted = "finite numbers" }
  end
  return problems
end

return M
