-- nvfp4-, mxfp4- and mxfp6-pack-quantized of compressed-tensors: small floats in bytes.
--
-- Source: compressed-tensors 0.20, compressors/nvfp4, mxfp4 and mxfp6. E2M1: two codes a byte, the
-- first in the low nibble. E2M3: four codes in three bytes, lowest bits first. nvfp4: weight = code
-- * (scale / global), the e4m3 scale divided by the global one in float32 and the product rounded
-- to float32, then to bfloat16; mx: code * 2^(byte - 127) in bfloat16. The library decodes to
-- bfloat16, whatever the dtype of the model; decoded to that dtype weights have the same bits. (A
-- byte of 255 is NaN here, as the OCP has it, and infinity to the library.)

local block_grid = require "qspec.layouts.block_grid"
local companions = require "qspec.layouts.ct_companions"
local ct_inputs = require "qspec.layouts.ct_inputs"
local scale_faults = require "qspec.layouts.scale_faults"
local small_floats = require "qspec.layouts.small_floats"

local M = {
  name = "ct-floats",
  summary = "e2m1 or e2m3 codes with e4m3 scales and a global one (nvfp4), or exponents (mx)",
  mismatch_hint = "compressed-tensors reads by the config",
}

local function e2m3()
  local values = {}
  for code = 0, 31 do
    local mantissa, exponent = code % 8, math.floor(code / 8)
    local value = exponent == 0 and mantissa / 8 or (1 + mantissa / 8) * 2 ^ (exponent - 1)
    values[code + 1], values[code + 33] = value, -value
  end
  return values
end

-- `share`: columns that fill whole bytes.
local KINDS = {
  nvfp4 = { bits = 4, values = small_floats.e2m1, share = 2, group_size = 16, scale = "F8_E4M3",
    floor = 14 },
  mxfp4 = { bits = 4, values = small_floats.e2m1, share = 2, group_size = 32, scale = "U8",
    floor = 12 },
  mxfp6 = { bits = 6, values = e2m3(), share = 4, group_size = 32, scale = "U8", floor = 22 },
}

--- Whether these tensors are a weight of this layout, whole or damaged.
function M.claims(holding, _, request)
  local t = holding.tensors
  if t.weight_packed then return t.weight_packed.dtype == "U8" end
  if t.weight_global_scale then return true end
  return t.weight == nil and companions.is_damaged(holding, request, M)
end

-- What the tensors show; the config's kind where they are silent.
local function kind_of(w, asked)
  local packed, scale = w.tensors.weight_packed, w.tensors.weight_scale
  if w.tensors.weight_global_scale or scale and scale.dtype == "F8_E4M3" then return "nvfp4" end
  if not scale or scale.dtype ~= "U8" then return asked or "nvfp4" end
  local columns = packed and #packed.shape == 2 and packed.shape[2]
  if columns == w.shape[2] * 3 / 4 then return "mxfp6" end
  return columns == w.shape[2] / 2 and "mxfp4" or asked or "mxfp4"
end

--- How the weight is stored.
---@return table scheme {kind, bits, type, shape, strategy, group_size, inputs?, outputs?}
function M.scheme(w)
  local asked = w.request and w.request.scheme or {}
  local name = kind_of(w, asked.kind)
  local kind = KINDS[name]
  local scheme = { kind = name, bits = kind.bits, type = name, shape = w.shape, strategy = "group",
    group_size = kind.group_size, inputs = asked.inputs, outputs = asked.outputs,
    asked = w.request ~= nil, stored = w.tensors, least_sqnr_db = kind.floor,
    class = companions.class_of(w.module),
    gain = kind.scale == "U8" and small_floats.MX_GAIN or nil }
  if asked.group_size and asked.kind == name then
    scheme.group_size = companions.strategy(w).group_size or kind.group_size
  end
  return scheme
end

--- The tensors of the weight; all are parameters to transformers.
function M.tensors(scheme, module, dtype)
  local kind, shape = KINDS[scheme.kind], scheme.shape or module.shape
  local stored = scheme.stored or {}
  local list = {
    { suffix = "weight_packed", dtype = "U8", codes = true,
      shape = { shape[1], math.ceil(shape[2] * kind.bits / 8) } },
    { suffix = "weight_scale", dtype = kind.scale, shape = companions.grid(shape, scheme) },
  }
  if scheme.kind == "nvfp4" then
    list[3] = { suffix = "weight_global_scale", dtype = "F32",
      shape = companions.shape_of(stored.weight_global_scale, { 1 }) }
  end
  companions.add_activations(list, scheme, shape, dtype)
  return companions.as_loaded(list, module, dtype)
end

--- Contradictions that headers show.
function M.problems(w)
  local problems, kind = {}, KINDS[w.scheme.kind]
  companions.add_other_layout(problems, w, M)
  companions.add_ragged(problems, w.scheme, w.shape[2])
  if w.shape[2] % kind.share ~= 0 then
    problems[#problems + 1] = { key = "weight_packed", found = ("rows of %d values")
      :format(w.shape[2]), wanted = ("a multiple of %d: so many fill whole bytes")
      :format(kind.share) }
  end
  return problems
end

--- What a code is multiplied by, in float32, as a matrix.
function M.scales(w)
  local scales = small_floats.scales(w:read("weight_scale"))
  local global = w.scheme.kind == "nvfp4" and w:read("weight_global_scale")
  return global and scales / global:reshape(1) or scales
end

--- The codes as a matrix, for those who change them.
---@return any Tensor uint8 [out, in]
function M.codes(w)
  local bits = KINDS[w.scheme.kind].bits
  return require("host.tensor").unpack_stream(w:read("weight_packed"), bits, w.shape[2])
end

--- The tensor that stores such a matrix.
function M.recode(w, codes)
  return require("host.tensor").pack_stream(codes:contiguous(), KINDS[w.scheme.kind].bits)
end

--- The weight as an object that the engine decodes.
function M.pack(w)
  local kind, scales = KINDS[w.scheme.kind], w:read("weight_scale")
  local values = small_floats.scale_values(scales)
  if w.scheme.kind == "nvfp4" then values = values / w:read("weight_global_scale"):reshape(1) end
  return require("host.tensor").coded { codes = w:read("weight_packed"), bits = kind.bits,
    values = kind.values, scales = scales, scale_values = values,
    block = companions.block(w.shape, w.scheme), shape = w.shape }
end

--- How the model runner multiplies by this weight.
function M.linear(w)
  return { weight = M.pack(w), input = ct_inputs.of(w) }
end

local function global_problems(w, suffix, problems)
  if not w.tensors[suffix] then return end
  local stats = scale_faults.check(problems, suffix, w:read(suffix):to("float32"))
  if stats.zeros > 0 then
    problems[#problems + 1] = { key = suffix, found = "0", wanted = "a scale > 0",
      hint = "scales are divided by it" }
  end
end

local LEAST_EXPONENT = 2 ^ -127

-- Nibbles and fields without their sign.
local function magnitudes(w)
  local kind = KINDS[w.scheme.kind]
  local codes = require("host.tensor").unpack_stream(w:read("weight_packed"), kind.bits, w.shape[2])
  return codes:band(2 ^ (kind.bits - 1) - 1)
end

--- Faults in the values of the companions.
function M.value_problems(w)
  local problems = {}
  global_problems(w, "weight_global_scale", problems)
  global_problems(w, "input_global_scale", problems)
  local scales = small_floats.scales(w:read("weight_scale"))
  local stats = scale_faults.check(problems, "weight_scale", scales)
  if stats.min > LEAST_EXPONENT then return problems end
  scales = scales:gt(LEAST_EXPONENT):where(scales, 0)  -- an exponent byte has no other 0
  local lost = block_grid.lost(scales, magnitudes(w):ne(0), companions.block(w.shape, w.scheme))
  if lost > 0 then
    problems[#problems + 1] = { key = "weight_scale", found = ("0 over %d codes that are not")
      :format(lost), wanted = "scales > 0",
      hint = "these weights decode to 0: a scale was lost" }
  end
  return problems
end

M.omits = ct_inputs.omits

return M
