-- MLX's small floats in 32-bit words: mxfp4, mxfp8 and nvfp4, with byte scales and no offsets.
--
-- Source: MLX 0.32, mlx.core.quantize and dequantize: mxfp4 and mxfp8 have exponent scales (E8M0),
-- one in 32 columns, nvfp4 E4M3 scales, one in 16. weight = code * scale.

local small_floats = require "qspec.layouts.small_floats"

local M = {
  name = "mlx-float",
  summary = "e2m1 or e4m3 codes in 32-bit words with one byte of scale a group",
  class = "QuantizedLinear",
  least_sqnr_db = 12,
}

local GROUPS = { mxfp4 = 32, mxfp8 = 32, nvfp4 = 16 }

--- Whether these tensors are a weight of this layout, whole or damaged.
function M.claims(holding)
  local t = holding.tensors
  return t.scales ~= nil and t.scales.dtype == "U8" and t.weight ~= nil and t.weight.dtype == "U32"
end

local function mode_of(w)
  local scales, words = w.tensors.scales, w.tensors.weight
  local columns = w.shape[#w.shape]
  local asked = w.request and w.request.scheme or {}
  if not scales or not words or #scales.shape == 0 or #words.shape == 0 then
    return asked.mode or "mxfp4"
  end
  if words.shape[#words.shape] * 4 == columns then return "mxfp8" end
  return scales.shape[#scales.shape] * 16 == columns and "nvfp4" or "mxfp4"
end

--- How the weight is stored.
function M.scheme(w)
  local mode = mode_of(w)
  return { mode = mode, bits = mode == "mxfp8" and 8 or 4, group_size = GROUPS[mode],
    type = mode == "mxfp8" and "float8_e4m3" or "float4_e2m1", shape = w.shape,
    gain = mode ~= "nvfp4" and small_floats.MX_GAIN or nil,
    class = w.module.kind == "embedding" and "QuantizedEmbedding" or nil }
end

local function grid(shape, size)
  local list = { unpack(shape) }
  list[#list] = math.ceil(size)
  return list
end

--- The tensors of the weight.
function M.tensors(scheme, module)
  local shape = scheme.shape or module.shape
  local columns = shape[#shape]
  return {
    { suffix = "weight", dtype = "U32", shape = grid(shape, columns * scheme.bits / 32),
      codes = true },
    { suffix = "scales", dtype = "U8", shape = grid(shape, columns / scheme.group_size) },
  }
end

--- One scale a group in float32, as a matrix.
function M.scales(w)
  local bytes = w:read("scales")
  local grouped = bytes:reshape(-1, bytes:shape()[bytes:dim()])
  if w.scheme.mode ~= "nvfp4" then return require("host.tensor").exponents(grouped) end
  return grouped:view("float8_e4m3fn"):to("float32")
end

--- The weight as an object that the engine decodes.
function M.pack(w)
  local scales = w:read("scales")
  if w.scheme.mode == "nvfp4" then scales = scales:view("float8_e4m3fn") end
  return require("host.tensor").coded { codes = w:read("weight"):view("uint8"),
    bits = w.scheme.bits, values = w.scheme.bits == 8 and small_floats.e4m3 or small_floats.e2m1,
    scales = scales, scale_values = small_floats.scale_values(scales),
    block = { 1, w.scheme.group_size }, shape = w.shape }
end

--- Faults in the values.
function M.value_problems(w)
  local stats = M.scales(w):stats()
  if stats.nan + stats.inf == 0 then return {} end
  return { { key = "scales", found = ("%d not finite"):format(stats.nan + stats.inf),
    wanted = "finite numbers", hint = "a scale was lost" } }
end

return M
