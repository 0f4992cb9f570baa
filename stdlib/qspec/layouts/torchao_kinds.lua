-- torchao's classes of packed tensors: their parts, and what the codes stand for.
--
-- Source: torchao 0.18, quantization/quantize_/workflows. Where a value rounds:
-- Int8Tensor and IntxUnpackedToInt8Tensor (quant_primitives.py, _dequantize_affine): the code less
-- its zero point in the tensor's dtype, times the scale in the wider of the two, cast.
-- Float8Tensor (_dequantize_affine_float8): code times scale in float32, cast. Int4Tensor has no
-- dequantize of its own; its kernels multiply code * scale + zero_point, codes signed.

local code_values = require "qspec.layouts.code_values"
local small_floats = require "qspec.layouts.small_floats"

local M = {}

local HALF = { float16 = "float16", bfloat16 = "bfloat16" }
local FLOATS = { "F32", "BF16", "F16" }

-- Blocks along each dimension; a size that does not divide is reported by `problems`.
local function grid(shape, block)
  local sizes = {}
  for i, size in ipairs(shape) do sizes[i] = math.ceil(size / (block[i] or size)) end
  return sizes
end

local function last_shrunk(shape, by)
  local sizes = { unpack(shape) }
  sizes[#sizes] = math.ceil(sizes[#sizes] / by)
  return sizes
end

local function as_rows(tensor)
  local shape = tensor:shape()
  return tensor:reshape(-1, #shape > 0 and shape[#shape] or 1)
end

-- The engine's block: the last two sizes of torchao's.
local function block_of(w)
  local block = w.scheme.block
  return { block[#block - 1] or 1, block[#block] }
end

local function affine(w)
  local zeros = w:read("_weight_zero_point")
  return require("host.tensor").coded { codes = w:read("_weight_qdata"), bits = 8,
    values = code_values.signed(8), scales = as_rows(w:read("_weight_scale")),
    zeros = zeros and as_rows(zeros), block = block_of(w), step = HALF[w.scheme.dtype],
    shape = w.shape }
end

-- Symmetric whole rows are multiplied as integers; the product is rounded, scaled and rounded
-- again, and then the bias is added (int8_tensor.py, linear).
local function int8_linear(w)
  local zeros = w:read("_weight_zero_point")
  local whole_rows = w.scheme.block[#w.scheme.block] == w.shape[#w.shape]
  local is_symmetric = not zeros or zeros:ne(0):count_nonzero() == 0
  if not (whole_rows and is_symmetric) then return { weight = affine(w) } end
  local tensor = require "host.tensor"
  local integers = tensor.coded { codes = w:read("_weight_qdata"), bits = 8,
    values = code_values.signed(8), scales = tensor.from({ { 1 } }, "float32"), block = w.shape,
    shape = w.shape }
  return { weight = integers, bias_apart = true,
    output_scale = w:read("_weight_scale"):reshape(-1) }
end

local function float8(w)
  return require("host.tensor").coded { codes = w:read("_weight_qdata"), bits = 8,
    values = small_floats.e4m3, scales = as_rows(w:read("_weight_scale")), block = block_of(w),
    shape = w.shape }
end

-- Scales lie [groups, rows] here.
local function int4(w)
  local function by_row(suffix) return w:read(suffix):t():contiguous() end
  return require("host.tensor").coded { codes = w:read("_weight_qdata"), bits = 4,
    values = code_values.signed(4), scales = by_row "_weight_scale",
    shifts = by_row "_weight_zero_point", block = block_of(w), step = nil, shape = w.shape }
end

local function grouped_last(shape, block)
  local sizes = grid(shape, block)
  sizes[#sizes], sizes[#sizes - 1] = sizes[#sizes - 1], sizes[#sizes]
  return sizes
end

---@class qspec.TorchaoKind
---@field bits integer
---@field type string|fun(data: table): string logical dtype
---@field parts fun(shape: integer[], block: integer[]): table[] with name, dtype, shape
---@field pack (fun(w): any)|nil
---@field linear (fun(w): table)|nil how its library multiplies, where not by the decoded weight
---@field reason string|nil why it is not decoded

M.Int8Tensor = {
  bits = 8, type = "int8", least_sqnr_db = 30,
  parts = function(shape, block)
    return {
      { name = "qdata", dtype = "I8", shape = shape, codes = true },
      { name = "scale", dtype = FLOATS, shape = grid(shape, block) },
      { name = "zero_point", dtype = { "I8", "F32", "BF16", "F16" }, shape = grid(shape, block),
        optional = true },
    }
  end,
  pack = affine,
  linear = int8_linear,
}

M.IntxUnpackedToInt8Tensor = {
  bits = 8, type = function(data)
    local target = data.target_dtype
    return type(target) == "table" and type(target._data) == "string" and target._data or "int8"
  end, least_sqnr_db = 4,
  parts = function(shape, block)
    return {
      { name = "qdata", dtype = "I8", shape = shape, codes = true },
      { name = "scale", dtype = FLOATS, shape = grid(shape, block) },
      { name = "zero_point", dtype = { "I8", "F32", "BF16", "F16" }, shape = grid(shape, block) },
    }
  end,
  pack = affine,
}

M.Float8Tensor = {
  bits = 8, type = "float8_e4m3", least_sqnr_db = 24,
  parts = function(shape, block)
    return {
      { name = "qdata", dtype = "F8_E4M3", shape = shape, codes = true },
      { name = "scale", dtype = FLOATS, shape = grid(shape, block) },
    }
  end,
  pack = float8,
  linear = function(w) return { weight = float8(w), bias_apart = true } end,
}

M.Int4Tensor = {
  bits = 4, type = "int4", least_sqnr_db = 14,
  parts = function(shape, block)
    return {
      { name = "qdata", dtype = { "I8", "U8" }, shape = last_shrunk(shape, 2), codes = true },
      { name = "scale", dtype = FLOATS, shape = grouped_last(shape, block) },
      { name = "zero_point", dtype = FLOATS, shape = grouped_last(shape, block) },
    }
  end,
  pack = int4,
}

-- Tensors whose bytes are ordered for one kernel. Their parts are named, their shapes not judged.
local function opaque(bits, type, reason, names)
  return { bits = bits, type = type, reason = reason, names = names }
end

M.Int4TilePackedTo4dTensor = opaque(4, "int4",
  "its codes lie in the tiles of one GPU kernel (tinygemm), whose order no document fixes",
  { "qdata", "scale_and_zero" })
M.Int4PlainInt32Tensor = opaque(4, "int4",
  "its words are packed for oneDNN kernels of XPU and NPU, each in its own order",
  { "qdata", "scale", "zero_point" })
M.MXTensor = opaque(8, "mx", "its scales may be swizzled for a GPU kernel; the file does not say",
  { "qdata", "scale" })
M.NVFP4Tensor = opaque(4, "float4_e2m1",
  "its scales may be swizzled for a GPU kernel, and its metadata is of a prototype",
  { "qdata", "scale" })

M.grid = grid

return M
