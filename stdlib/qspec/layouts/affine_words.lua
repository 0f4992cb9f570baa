-- Affine codes in 32-bit words along the rows, a scale and an offset a group: MLX and transformers'
-- own Metal format.
--
-- Source: MLX 0.32 (mlx.core.quantize and dequantize, mode "affine": a row is one stream of bits);
-- transformers 5.17, integrations/metal_quantization.py (_affine_dequantize_tensor).
-- weight = code * scale + offset; MLX computes it in the dtype of the scales, Metal in float32.

local code_values = require "qspec.layouts.code_values"
local scale_faults = require "qspec.layouts.scale_faults"
local small_values = require "qspec.layouts.small_values"

local M = {}

local FLOATS = { "F16", "BF16", "F32" }
local BITS = { [1] = true, [2] = true, [3] = true, [4] = true, [5] = true, [6] = true, [8] = true }
local HALF = { float16 = "float16", bfloat16 = "bfloat16" }

-- Bits and group size that explain the shapes; only their product would show without the columns.
local function inferred(w, o)
  local words, scales = w.tensors.weight, w.tensors.scales
  local columns = w.shape[#w.shape]
  local bits = words and #words.shape > 0 and words.shape[#words.shape] * 32 / columns
  local group = scales and #scales.shape > 0 and columns / scales.shape[#scales.shape]
  local asked = w.request and w.request.scheme or {}
  return BITS[bits] and bits or asked.bits or 4,
    small_values.is_count(group) and group or asked.group_size or o.group_size
end

local function grid(shape, size)
  local list = { unpack(shape) }
  list[#list] = math.ceil(size)
  return list
end

local function tensors_of(o)
  return function(scheme, module)
    local shape = scheme.shape or module.shape
    local columns = shape[#shape]
    local groups = grid(shape, columns / scheme.group_size)
    return {
      { suffix = "weight", dtype = "U32", shape = grid(shape, columns * scheme.bits / 32),
        codes = true },
      { suffix = "scales", dtype = FLOATS, shape = groups },
      { suffix = o.offsets, dtype = FLOATS, shape = groups },
    }
  end
end

local function problems_of(w)
  local problems, columns = {}, w.shape[#w.shape]
  if columns % w.scheme.group_size ~= 0 then
    problems[1] = { key = "group_size", found = ("%d columns in groups of %s"):format(columns,
      tostring(w.scheme.group_size)), wanted = "a group size that divides the columns" }
  end
  if columns * w.scheme.bits % 32 ~= 0 then
    problems[#problems + 1] = { key = "weight", found = ("rows of %d codes of %d bits"):format(
      columns, w.scheme.bits), wanted = "rows that fill words of 32 bits" }
  end
  return problems
end

local function pack_of(o)
  return function(w)
    local scales, columns = w:read("scales"), w.shape[#w.shape]
    local function rows(tensor) return tensor:reshape(-1, columns / w.scheme.group_size) end
    return require("host.tensor").coded { codes = w:read("weight"):view("uint8"),
      bits = w.scheme.bits, values = code_values.unsigned(w.scheme.bits), scales = rows(scales),
      shifts = rows(w:read(o.offsets)), block = { 1, w.scheme.group_size },
      step = o.rounds and HALF[scales:dtype()] or nil, shape = w.shape }
  end
end

-- A scale may be negative: MLX chooses its sign so that the larger end is met exactly.
local function value_problems_of(o)
  return function(w)
    local problems = {}
    for _, suffix in ipairs { "scales", o.offsets } do
      local stats = w:read(suffix):stats()
      if stats.nan + stats.inf > 0 then
        problems[#problems + 1] = { key = suffix, found = ("%d not finite"):format(stats.nan
          + stats.inf), wanted = "finite numbers", hint = "a scale was lost" }
      end
    end
    local codes = require("host.tensor").unpack_stream(w:read("weight"):view("uint8"),
      w.scheme.bits, w.shape[#w.shape])
    local columns = w.shape[#w.shape]
    scale_faults.lost(problems, "scales", w:read("scales"):to("float32"):reshape(-1,
      columns / w.scheme.group_size), codes:reshape(-1, columns), w.scheme.group_size)
    return problems
  end
end

--- A layout of this kind.
---@param o table {name, summary, class, embedding_class?, offsets: suffix of the offsets,
---  group_size: the usual one, rounds: whether each operation is rounded to the scales' dtype}
---@return table layout
function M.layout(o)
  local layout = { name = o.name, summary = o.summary, class = o.class, least_sqnr_db = 4,
    tensors = tensors_of(o), problems = problems_of, pack = pack_of(o),
    value_problems = value_problems_of(o) }
  layout.claims = function(holding)
    local t = holding.tensors
    if t.weight and t.weight.dtype == "U32" and not t.scales then return o.offsets == "biases" end
    return t[o.offsets] ~= nil and (t.scales ~= nil or t.weight ~= nil and t.weight.dtype == "U32")
  end
  layout.scheme = function(w)
    local bits, group = inferred(w, o)
    return { bits = bits, type = "uint" .. bits, group_size = group, shape = w.shape,
      class = w.module.kind == "embedding" and o.embedding_class or nil }
  end
  layout.scales = function(w) return w:read("scales") end
  return layout
end

return M
