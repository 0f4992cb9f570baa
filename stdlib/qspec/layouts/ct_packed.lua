-- pack-quantized of compressed-tensors: integers of 1 to 8 bits, one dense stream of bits a row.
--
-- Source: compressed-tensors 0.20, compressors/pack_quantized and quantization/lifecycle
-- (_dequantize). A field is the code + 2^(bits-1); bits of a row lie in 32-bit words, lowest first,
-- and fields straddle words. weight = (code - zero) * scale: the difference is exact, and the
-- product is rounded once, to the dtype of the scale; decoded to that dtype it has the same bits.
-- Zero points of groups and channels are packed too, along the rows of the weight. Checkpoints of
-- older versions may have weight_g_idx, the group of each column.

local code_values = require "qspec.layouts.code_values"
local companions = require "qspec.layouts.ct_companions"
local ct_inputs = require "qspec.layouts.ct_inputs"
local scale_faults = require "qspec.layouts.scale_faults"
local shapes = require "qspec.shapes"
local small_values = require "qspec.layouts.small_values"

local M = {
  name = "ct-packed",
  summary = "integers of 1 to 8 bits as one dense stream a row, with scales by any strategy",
  mismatch_hint = "compressed-tensors reads by the config and decodes such a weight to nonsense",
}

-- Floors of the check numerics by bits; trained weights lie some 4 dB above.
local FLOORS = { -10, 2, 7, 13, 19, 25, 30, 33 }

--- Whether these tensors are a weight of this layout, whole or damaged.
function M.claims(holding, _, request)
  local packed = holding.tensors.weight_packed
  if packed and packed.dtype == "I32" then return true end
  if holding.tensors.weight_shape and holding.tensors.weight_scale then return true end
  return companions.is_damaged(holding, request, M)
end

local function words(columns, bits)
  return math.ceil(columns * bits / 32)
end

-- Widths in the order of how common they are: rows of few columns fit several.
local USUAL = { 4, 8, 2, 3, 6, 5, 7, 1 }

-- The width that the packed rows have: the config's when they agree.
local function bits_of(w, asked)
  local packed = w.tensors.weight_packed
  local stored = packed and #packed.shape == 2 and packed.shape[2]
  if asked and (not stored or words(w.shape[2], asked) == stored) then return asked end
  for _, bits in ipairs(USUAL) do
    if stored == words(w.shape[2], bits) then return bits end
  end
  return asked or 4
end

--- How the weight is stored.
---@return table scheme {bits, type, shape, strategy, group_size?, block?, symmetric, inputs?}
function M.scheme(w)
  local asked = w.request and w.request.scheme or {}
  local scheme = companions.strategy(w)
  scheme.bits = bits_of(w, asked.bits)
  scheme.type, scheme.shape = "int" .. scheme.bits, w.shape
  scheme.symmetric = asked.symmetric
  if scheme.symmetric == nil then scheme.symmetric = w.tensors.weight_zero_point == nil end
  scheme.inputs, scheme.outputs = asked.inputs, asked.outputs
  scheme.asked, scheme.stored = w.request ~= nil, w.tensors
  scheme.class = companions.class_of(w.module)
  scheme.least_sqnr_db = FLOORS[scheme.bits]
  return scheme
end

local IS_PACKED_ZERO = { group = true, channel = true }

local function zero_point(scheme, shape, grid)
  if IS_PACKED_ZERO[scheme.strategy] then
    return { suffix = "weight_zero_point", dtype = "I32",
      shape = { words(shape[1], scheme.bits), grid[2] },
      hint = "a config with symmetric: false cannot be decoded without them" }
  end
  return { suffix = "weight_zero_point", dtype = "I8", shape = grid }
end

--- The tensors of the weight; all are parameters to transformers.
function M.tensors(scheme, module, dtype)
  local shape = scheme.shape or module.shape
  local grid = companions.grid(shape, scheme)
  local stored = scheme.stored or {}
  local list = {
    { suffix = "weight_packed", dtype = "I32", shape = { shape[1], words(shape[2], scheme.bits) },
      codes = true },
    { suffix = "weight_scale", dtype = companions.FLOATS, loaded = dtype,
      shape = companions.shape_of(stored.weight_scale, grid) },
    { suffix = "weight_shape", dtype = "I64", shape = { 2 } },
  }
  if not scheme.symmetric then list[4] = zero_point(scheme, shape, grid) end
  if stored.weight_g_idx then
    list[#list + 1] = { suffix = "weight_g_idx", dtype = "I32", shape = { shape[2] },
      role = "attribute" }
  end
  companions.add_activations(list, scheme, shape, dtype)
  return companions.as_loaded(list, module, dtype)
end

--- Contradictions that headers and the small companions show.
function M.problems(w)
  local problems = {}
  companions.add_other_layout(problems, w, M)
  companions.add_ragged(problems, w.scheme, w.shape[2])
  local said = small_values.integers(w, "weight_shape")
  if said and not shapes.equal(said, w.shape) then
    problems[#problems + 1] = { key = "weight_shape", found = shapes.text(said),
      wanted = shapes.text(w.shape), hint = "the library decodes to the shape that is said here" }
  end
  if w.tensors.weight_g_idx then
    problems[#problems + 1] = { key = "weight_g_idx", found = "an order of the columns",
      wanted = "no such tensor", harmless = true,
      hint = "actorder \"group\" was removed from the library: it drops the order in silence" }
  end
  return problems
end

--- One scale a block in float32, as a matrix.
function M.scales(w)
  return companions.matrix(w:read("weight_scale"):to("float32"), w.shape, w.scheme)
end

local function zeros_of(w)
  if w.scheme.symmetric then return nil end
  local tensor, scheme = require "host.tensor", w.scheme
  local zeros = w:read("weight_zero_point")
  if IS_PACKED_ZERO[scheme.strategy] then
    local rows = tensor.transpose_words(zeros)
    local fields = tensor.unpack_stream(rows, scheme.bits, w.shape[1])
    return fields:t():contiguous():to("float32") - 2 ^ (scheme.bits - 1)
  end
  return companions.matrix(zeros:to("float32"), w.shape, scheme)
end

-- The group of each column where the columns were ordered by their activations; -1 was written for
-- no order.
local function order_of(w)
  local order = w:read("weight_g_idx")
  if order and order:numel() > 0 and order:max() >= 0 then return order end
end

--- The codes as a matrix, for those who change them: fields, code + 2^(bits-1).
---@return any Tensor uint8 [out, in]
function M.codes(w)
  return require("host.tensor").unpack_stream(w:read("weight_packed"), w.scheme.bits, w.shape[2])
end

--- The tensor that stores such a matrix.
function M.recode(w, codes)
  local rows = require("host.tensor").pack_stream(codes:contiguous(), w.scheme.bits)
  return rows:view("int32")
end

--- The weight as an object that the engine decodes.
function M.pack(w)
  local bits = w.scheme.bits
  return require("host.tensor").coded { codes = w:read("weight_packed"), bits = bits,
    values = code_values.unsigned(bits, 2 ^ (bits - 1)), scales = M.scales(w), zeros = zeros_of(w),
    groups = order_of(w), block = companions.block(w.shape, w.scheme), shape = w.shape }
end

--- How the model runner multiplies by this weight.
function M.linear(w)
  return { weight = M.pack(w), input = ct_inputs.of(w) }
end

-- The columns that a group index gives names to groups that exist.
local function order_problems(w, problems)
  local order = order_of(w)
  if not order then return end
  local groups = companions.grid(w.shape, w.scheme)[2] or 1
  local outside = order:lt(0):logical_or(order:ge(groups)):count_nonzero()
  if outside > 0 then
    problems[#problems + 1] = { key = "weight_g_idx", found = ("%d columns of no group")
      :format(outside), wanted = ("groups from 0 to %d"):format(groups - 1) }
  end
end

--- Faults in the values of the companions.
function M.value_problems(w)
  local problems, scheme = {}, w.scheme
  order_problems(w, problems)
  local scales = M.scales(w)
  local stats = scale_faults.check(problems, "weight_scale", scales)
  local block = companions.block(w.shape, scheme)
  if stats.zeros > 0 and block[1] == 1 then
    local codes = require("host.tensor").unpack_stream(w:read("weight_packed"), scheme.bits,
      w.shape[2])
    scale_faults.lost(problems, "weight_scale", scales, codes, block[2])
  elseif stats.zeros > 0 then
    problems[#problems + 1] = { key = "weight_scale", found = ("%d of 0"):format(stats.zeros),
      wanted = "scales > 0" }
  end
  return problems
end

M.omits = ct_inputs.omits

return M
