-- optimum-quanto: 8-bit codes with one scale a row, or 4- and 2-bit codes in groups with a
-- scale and a shift each, packed along the rows.
--
-- Source: optimum-quanto 0.2.7, tensor/qbytes.py and tensor/qbits.py (QBitsDequantizer),
-- tensor/packed.py and nn/qmodule.py. 8 bits: scale * code; fewer: scale * code - shift, each
-- operation in the dtype of the scale; an integer shift is subtracted from the code first.

local code_values = require "qspec.layouts.code_values"
local row_blocks = require "qspec.layouts.row_blocks"
local scale_faults = require "qspec.layouts.scale_faults"
local shapes = require "qspec.shapes"
local small_floats = require "qspec.layouts.small_floats"

local M = {
  name = "quanto",
  summary = "int8 or float8 rows, or int4 and int2 groups with scale and shift",
  class = "QLinear",
  least_sqnr_db = 6,
}

local FLOATS = { "F32", "BF16", "F16" }
local HALF = { float16 = "float16", bfloat16 = "bfloat16" }
local EIGHT = { I8 = "int8", F8_E4M3 = "float8_e4m3" }

--- Whether these tensors are a weight of this layout, whole or damaged.
function M.claims(holding)
  local t = holding.tensors
  return t["weight._data"] ~= nil or t["weight._data._data"] ~= nil or t["weight._scale"] ~= nil
end

--- Columns of a group as quanto chooses them: 128, less 32 until it divides, none below 32.
---@param shape integer[]
---@return integer|nil nil for one group a row
function M.group_size(shape)
  local columns = shapes.count(shape) / shape[1]
  local group = 128
  if columns <= group then return nil end
  while columns % group ~= 0 and group > 32 do group = group - 32 end
  return columns % group == 0 and group or nil
end

local function packed_bits(w, group)
  local entry = w.tensors["weight._data._data"]
  local rows = group and shapes.count(w.shape) / group or w.shape[1]
  if #entry.shape == 2 and entry.shape[1] == math.ceil(rows / 4) then return 2 end
  return 4
end

--- How the weight is stored.
function M.scheme(w)
  local plain = w.tensors["weight._data"]
  local asked = w.request and w.request.scheme or {}
  if plain or not w.tensors["weight._data._data"] and (asked.bits or 8) == 8 then
    return { bits = 8, type = plain and EIGHT[plain.dtype] or asked.type or "int8", shape = w.shape,
      least_sqnr_db = 24, dtype = nil }
  end
  local group = M.group_size(w.shape)
  local bits = w.tensors["weight._data._data"] and packed_bits(w, group) or asked.bits
  return { bits = bits, type = "int" .. bits, shape = w.shape, group_size = group,
    least_sqnr_db = bits == 4 and 14 or 4 }
end

local function eight_bits(scheme, shape)
  return {
    { suffix = "weight._data", dtype = scheme.type == "int8" and "I8" or "F8_E4M3", shape = shape,
      codes = true },
    { suffix = "weight._scale", dtype = FLOATS, shape = { shape[1], 1 } },
  }
end

local function few_bits(scheme, shape)
  local group = M.group_size(shape)
  local rows, columns = shape[1], shape[2]
  if group then rows, columns = math.ceil(shapes.count(shape) / group), group end
  return {
    { suffix = "weight._data._data", dtype = "U8", codes = true,
      shape = { math.ceil(rows / (8 / scheme.bits)), columns } },
    { suffix = "weight._scale", dtype = FLOATS, shape = { rows, 1 } },
    { suffix = "weight._shift", dtype = { "F32", "BF16", "F16", "I8", "U8" }, shape = { rows, 1 } },
  }
end

--- The tensors of the weight; transformers counts the weight as it was, and two scalar buffers.
function M.tensors(scheme, module, dtype)
  local shape = scheme.shape or module.shape
  local list = scheme.bits == 8 and eight_bits(scheme, shape) or few_bits(scheme, shape)
  for _, tensor in ipairs(list) do tensor.role = "attribute" end
  for _, name in ipairs { "input_scale", "output_scale" } do
    list[#list + 1] = { suffix = name, dtype = FLOATS, shape = {}, role = "buffer",
      loaded = scheme.by_map and dtype or nil }
  end
  list[#list + 1] = { suffix = "weight", made = true, shape = module.shape,
    loaded = dtype or "float32" }
  return list
end

local function pack_eight(w)
  local is_int = w.scheme.type == "int8"
  return require("host.tensor").coded { codes = w:read("weight._data"), bits = 8,
    values = is_int and code_values.signed(8) or small_floats.e4m3,
    scales = w:read("weight._scale"), block = { 1, w.shape[2] }, shape = w.shape }
end

local function step(w)
  return HALF[w.tensors["weight._scale"].torch_dtype]
end

--- The weight as an object that the engine decodes.
function M.pack(w)
  if w.scheme.bits == 8 then return pack_eight(w) end
  local bits, columns = w.scheme.bits, w.scheme.group_size or w.shape[2]
  local shift = w:read("weight._shift")
  local is_float = shift:dtype():find("float") ~= nil
  local function by_row(tensor) return tensor:reshape(w.shape[1], -1) end
  return require("host.tensor").coded { codes = w:read("weight._data._data"), bits = bits,
    planes = row_blocks.shifts(bits, 8, "low"), values = code_values.unsigned(bits),
    scales = by_row(w:read("weight._scale")),
    zeros = not is_float and by_row(shift:to("float32")) or nil,
    shifts = is_float and by_row(shift:neg()) or nil, block = { 1, columns },
    step = step(w), shape = w.shape }
end

--- One scale a row or a group.
function M.scales(w)
  return w:read("weight._scale")
end

--- Faults in the values.
function M.value_problems(w)
  local problems = {}
  local stats = scale_faults.check(problems, "weight._scale", w:read("weight._scale"):to("float32"))
  if stats.zeros > 0 and w.scheme.bits == 8 then
    local codes = w:read("weight._data"):view("uint8")
    local live = codes:ne(0):any(2)
    local lost = w:read("weight._scale"):reshape(-1):eq(0):logical_and(live):count_nonzero()
    if lost > 0 then
      problems[#problems + 1] = { key = "weight._scale", found = ("0 over %d rows that hold codes")
        :format(lost), wanted = "scales > 0", hint = "a scale was lost" }
    end
  end
  return problems
end

return M
