-- The weights that ModelOpt exports: codes with `weight_scale`, and `weight_scale_2` over NVFP4.
--
-- Source: NVIDIA ModelOpt 0.47, torch/export/quant_utils.py (to_quantized_weight,
-- pack_int4_in_uint8) and torch/quantization/qtensor (NVFP4QTensor, FP8QTensor, MXFP8QTensor).
-- Everything is computed in float32 and rounded once to the dtype asked: NVFP4 as code *
-- (weight_scale * weight_scale_2), that product rounded first; the others as code * weight_scale.
-- Columns that AWQ scaled are scaled back by pre_quant_scale. Two values lie in a byte, low nibble
-- first: along the input for NVFP4 and MXFP4, along the output for int4.

local block_grid = require "qspec.layouts.block_grid"
local scale_faults = require "qspec.layouts.scale_faults"
local shapes = require "qspec.shapes"
local small_floats = require "qspec.layouts.small_floats"
local StoredWeight = require "qspec.stored_weight"

local M = {
  name = "modelopt",
  summary = "fp8, nvfp4, mxfp8, mxfp4, int8 and int4 codes as ModelOpt exports them",
}

local FLOATS = { "F32", "BF16", "F16" }
local RESCALED_FLOOR = 12  -- SmoothQuant's columns of large factors: int8 lies at 15 and more
-- NVFP4QTensor knows one zero.
local NVFP4 = { unpack(small_floats.e2m1) }
NVFP4[9] = 0
local INT8, INT4 = {}, {}
for code = 0, 255 do INT8[code + 1] = code < 128 and code or code - 256 end
for code = 0, 15 do INT4[code + 1] = code < 8 and code or code - 16 end

-- "in" or "out": the last dimension, or the one before it.
local function dimension(shape, side)
  return side == "in" and #shape or #shape - 1
end

local function halved(shape, side)
  local stored, dim = { unpack(shape) }, dimension(shape, side)
  stored[dim] = math.ceil(stored[dim] / 2)
  return stored
end

local function whole_shape() return {} end
local function row_shape(shape) return { unpack(shape, 1, #shape - 1) } end
local function group_shape(shape, group) return block_grid.shape(shape, { 1, group }) end
local function grid_shape(shape, group) return block_grid.shape(shape, { group, group }) end

-- By what weight and scale are: values of the codes, dtype of the weight and of its scale, shape of
-- the scale, columns of a group.
local KINDS = {
  fp8 = { type = "float8_e4m3", bits = 8, values = small_floats.e4m3, weight = "F8_E4M3",
    scale = FLOATS, scale_shape = whole_shape, floor = 24 },
  fp8_rows = { type = "float8_e4m3", bits = 8, values = small_floats.e4m3, weight = "F8_E4M3",
    scale = FLOATS, scale_shape = row_shape, floor = 24 },
  fp8_blocks = { type = "float8_e4m3", bits = 8, values = small_floats.e4m3, weight = "F8_E4M3",
    scale = FLOATS, scale_shape = grid_shape, group = 128, floor = 24 },
  mxfp8 = { type = "mxfp8", bits = 8, values = small_floats.e4m3, weight = "F8_E4M3",
    scale = { "U8", "F8_E8M0" }, scale_shape = group_shape, group = 32, floor = 24 },
  nvfp4 = { type = "nvfp4", bits = 4, values = NVFP4, weight = "U8",
    scale = { "F8_E4M3" }, scale_shape = group_shape, group = 16, second = true, packed = "in",
    floor = 15 },
  mxfp4 = { type = "mxfp4", bits = 4, values = small_floats.e2m1, weight = "U8",
    scale = { "U8", "F8_E8M0" }, scale_shape = group_shape, group = 32, packed = "in", floor = 14 },
  int4 = { type = "int4", bits = 4, values = INT4, weight = "U8", scale = FLOATS,
    scale_shape = group_shape, group = 128, packed = "out", floor = 12 },
  int8 = { type = "int8", bits = 8, values = INT8, weight = "I8", scale = FLOATS,
    scale_shape = row_shape, floor = 30 },
}

--- Whether these tensors are a weight of this layout, whole or damaged.
function M.claims(holding)
  local t = holding.tensors
  if t.weight_scale_2 or t._weight_scale then return true end
  local dtype = t.weight and t.weight.dtype
  return (dtype == "F8_E4M3" or dtype == "U8" or dtype == "I8") and t.weight_scale ~= nil
end

local function kind_of_fp8(scale)
  if shapes.count(scale.shape) == 1 then return "fp8" end
  return #scale.shape == 1 and "fp8_rows" or "fp8_blocks"
end

local EXPONENTS = small_floats.exponents

-- The kind that the dtypes show; nil when a tensor is missing.
local function kind_shown(weight, scale)
  if not weight or not scale then return nil end
  if weight.dtype == "F8_E4M3" then
    return EXPONENTS[scale.dtype] and "mxfp8" or kind_of_fp8(scale)
  elseif weight.dtype == "I8" then
    return "int8"
  elseif weight.dtype == "U8" then
    return EXPONENTS[scale.dtype] and "mxfp4" or scale.dtype == "F8_E4M3" and "nvfp4" or "int4"
  end
end

-- Columns of a group as the scales show them; the kind's own when that is no whole number.
local function group_shown(kind, shape, scale)
  local columns = kind.group and scale and #scale.shape > 0 and scale.shape[#scale.shape]
  if kind.scale_shape ~= group_shape or not columns or columns < 1 then return kind.group end
  local group = shape[#shape] / columns
  return group % 1 == 0 and group >= 1 and group or kind.group
end

-- A module that is one tensor of experts joins its companions by an underscore.
local function prefix_of(module)
  return module.kind == "experts" and "_" or ""
end

-- Shapes of what is stored, by suffix.
local function stored_shapes(tensors)
  local stored = {}
  for suffix, entry in pairs(tensors) do stored[suffix] = entry.shape end
  return stored
end

--- How the weight is stored.
---@return table scheme {kind, bits, type, group_size?, shape, inputs?, second?, stored}
function M.scheme(w)
  local asked = w.request and w.request.scheme or {}
  local scale = w.tensors[prefix_of(w.module) .. "weight_scale"]
  local name = kind_shown(w.tensors.weight, scale) or asked.kind or "fp8"
  local kind = KINDS[name]
  return { kind = name, bits = kind.bits, type = kind.type, shape = w.shape,
    group_size = group_shown(kind, w.shape, scale), inputs = asked.inputs,
    least_sqnr_db = asked.rescales and math.min(kind.floor, RESCALED_FLOOR) or kind.floor,
    second = asked.second, rescales = asked.rescales,
    gain = kind.scale[1] == "U8" and small_floats.MX_GAIN or nil,
    stored = stored_shapes(w.tensors) }
end

local function without_ones(shape)
  local sizes = {}
  for _, size in ipairs(shape) do
    if size ~= 1 then sizes[#sizes + 1] = size end
  end
  return sizes
end

-- ModelOpt keeps the dimensions of 1 that its amax had, and fused experts have scales each of their
-- own shape: what is stored is right when it is the wanted shape but for those.
local function shape_of(scheme, module, suffix, wanted)
  local stored = scheme.stored and scheme.stored[suffix]
  if not stored then return wanted end
  if module.kind == "experts" then return stored end
  return shapes.equal(without_ones(stored), without_ones(wanted)) and stored or wanted
end

-- pre_quant_scale is optional: where a norm comes before, what AWQ scaled is folded into it.
local function companions(scheme, shape)
  return {
    { "input_scale", FLOATS, {}, optional = scheme.inputs ~= "static",
      hint = "the activations were not calibrated here: engines take 1.0" },
    { "pre_quant_scale", FLOATS, { shape[#shape] }, optional = true },
    { "k_scale", FLOATS, {}, optional = true },
    { "v_scale", FLOATS, {}, optional = true },
  }
end

-- The low-rank part of SVDQuant, of any rank.
local function low_rank(scheme, list)
  for _, suffix in ipairs { "svdquant_lora_a", "svdquant_lora_b" } do
    local stored = scheme.stored and scheme.stored[suffix]
    if stored then list[#list + 1] = { suffix = suffix, dtype = FLOATS, shape = stored } end
  end
end

--- The tensors of the weight.
function M.tensors(scheme, module)
  local kind, shape = KINDS[scheme.kind], scheme.shape or StoredWeight.logical_shape(module)
  local prefix = prefix_of(module)
  local list = { { suffix = "weight", dtype = kind.weight, codes = true,
    shape = kind.packed and halved(shape, kind.packed) or shape } }
  local rest = companions(scheme, shape)
  table.insert(rest, 1, { "weight_scale", kind.scale, kind.scale_shape(shape, scheme.group_size) })
  table.insert(rest, 2, { "weight_scale_2", "F32", {},
    optional = not (kind.second or scheme.second) })
  for _, tensor in ipairs(rest) do
    local suffix = prefix .. tensor[1]
    list[#list + 1] = { suffix = suffix, dtype = tensor[2], optional = tensor.optional,
      role = tensor.optional and "attribute" or nil, hint = tensor.hint,
      shape = shape_of(scheme, module, suffix, tensor[3]) }
  end
  low_rank(scheme, list)
  return list
end

--- Contradictions that headers show.
function M.problems(w)
  local kind, problems = KINDS[w.scheme.kind], {}
  local side_by_side = kind.packed and w.shape[dimension(w.shape, kind.packed)]
  if side_by_side and side_by_side % 2 ~= 0 then
    problems[1] = { key = "weight", found = ("%d values side by side"):format(side_by_side),
      wanted = "an even number: two lie in a byte" }
  end
  local group, columns = w.scheme.group_size, w.shape[#w.shape]
  if kind.scale_shape == group_shape and columns % group ~= 0 then
    problems[#problems + 1] = { key = "weight_scale",
      found = ("rows of %d values"):format(columns), wanted = ("a multiple of %d"):format(group) }
  end
  return problems
end

--- Why a weight of this layout cannot be decoded.
function M.undecodable(w)
  if w.module.kind == "experts" then return "which way ModelOpt lays fused experts is unknown" end
  if not w.tensors.svdquant_lora_a then return nil end
  return "its low-rank part (SVDQuant) belongs to the weight and is not read here"
end

--- What a code is multiplied by, in float32, as a grid [row groups, column groups].
function M.scales(w)
  local kind, scales = KINDS[w.scheme.kind], small_floats.scales(w:read("weight_scale"))
  if kind.second then scales = scales * w:read("weight_scale_2"):to("float32"):reshape(1) end
  local grid = kind.scale_shape(w.shape, w.scheme.group_size)
  if #grid == 2 then return scales:reshape(grid[1], grid[2]) end
  return scales:reshape(-1, 1)
end

local function block_of(w)
  local kind, group = KINDS[w.scheme.kind], w.scheme.group_size
  if kind.scale_shape == whole_shape then return { w.shape[1], w.shape[2] } end
  if kind.scale_shape == grid_shape then return { group, group } end
  return { 1, kind.scale_shape == row_shape and w.shape[2] or group }
end

-- Rows of streams: int4 lies two rows to a byte.
local function codes_of(w)
  local codes = w:read("weight")
  if KINDS[w.scheme.kind].packed ~= "out" then return codes end
  local tensor = require "host.tensor"
  return tensor.transpose_fields(tensor.transpose_words(codes), 4)
end

--- The weight as an object that the engine decodes; a tensor where AWQ scaled its columns.
function M.pack(w)
  local kind, scales = KINDS[w.scheme.kind], w:read("weight_scale")
  local values = small_floats.scale_values(scales)
  if kind.second then values = values * w:read("weight_scale_2"):to("float32"):reshape(1) end
  local packed = require("host.tensor").coded { codes = codes_of(w), bits = kind.bits,
    values = kind.values, scales = scales, scale_values = values, block = block_of(w),
    shape = w.shape }
  if not w.tensors.pre_quant_scale then return packed end
  return packed:decode("float32") * w:read("pre_quant_scale"):to("float32")
end

-- A scalar, or one scale a column: above zero and finite.
local function positive(w, suffix, problems)
  if not w.tensors[suffix] then return end
  local stats = scale_faults.check(problems, suffix, w:read(suffix):to("float32"))
  if stats.zeros > 0 then
    problems[#problems + 1] = { key = suffix, found = ("%d of 0"):format(stats.zeros),
      wanted = "scales > 0" }
  end
end

local function code_magnitudes(w)
  local kind, bytes = KINDS[w.scheme.kind], codes_of(w):view("uint8")
  if kind.bits == 4 then bytes = require("host.tensor").unpack_fields(bytes, 4) end
  if kind.values == small_floats.e4m3 then return bytes:band(0x7f) end
  return kind.packed == "in" and bytes:band(7) or bytes
end

--- Faults in the values: codes that are no numbers, scales that no quantizer writes.
function M.value_problems(w)
  if M.undecodable(w) then return {} end
  local problems, codes = {}, code_magnitudes(w)
  for _, suffix in ipairs { "weight_scale_2", "input_scale", "pre_quant_scale", "k_scale",
    "v_scale" } do
    positive(w, suffix, problems)
  end
  local scales = M.scales(w)
  local stats = scale_faults.check(problems, "weight_scale", scales)
  local nan = KINDS[w.scheme.kind].values == small_floats.e4m3 and codes:eq(0x7f):count_nonzero()
  if nan and nan > 0 then
    problems[#problems + 1] = { key = "weight", found = ("%d codes of NaN"):format(nan),
      wanted = "numbers", hint = "a value above 448 was cast without saturation" }
  end
  local lost = stats.zeros > 0 and block_grid.lost(scales, codes:ne(0), block_of(w)) or 0
  if lost > 0 then
    problems[#problems + 1] = { key = "weight_scale",
      found = ("0 over %d codes that are not"):format(lost), wanted = "scales > 0",
      hint = "these weights decode to 0: a scale was lost" }
  end
  return problems
end

return M
