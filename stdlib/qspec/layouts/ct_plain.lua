-- int-quantized, float-quantized, naive-quantized and mxfp8-quantized of compressed-tensors: one
-- byte a weight, int8 or e4m3, with scales by any strategy.
--
-- Source: compressed-tensors 0.20, compressors/naive_quantized, compressors/mxfp8 and
-- quantization/lifecycle (_dequantize). weight = (code - zero) * scale in the dtype of the scale:
-- with int8 codes the difference is exact, that of two e4m3 numbers is rounded; the product is
-- rounded once. mxfp8 has exponent bytes for scales, which the library decodes to bfloat16.

local block_grid = require "qspec.layouts.block_grid"
local code_values = require "qspec.layouts.code_values"
local companions = require "qspec.layouts.ct_companions"
local ct_inputs = require "qspec.layouts.ct_inputs"
local outcome = require "qspec.outcome"
local scale_faults = require "qspec.layouts.scale_faults"
local small_floats = require "qspec.layouts.small_floats"

local M = {
  name = "ct-plain",
  summary = "one int8 or e4m3 code a weight, with scales by any strategy",
  mismatch_hint = "compressed-tensors reads by the config",
}

local IS_CODE = { I8 = true, F8_E4M3 = true, I16 = true, I32 = true }

--- Whether these tensors are a weight of this layout, whole or damaged.
function M.claims(holding, _, request)
  local t = holding.tensors
  local is_code = t.weight ~= nil and IS_CODE[t.weight.dtype]
  if is_code and (t.weight_scale or t.weight_zero_point) then return true end
  local is_asked = request ~= nil and request.layout == M
  if t.weight == nil then return is_asked and t.weight_packed == nil and #holding.list > 0
    and companions.is_damaged(holding, request, M) end
  return is_asked and is_code or false
end

local CODES = { int = "I8", float = "F8_E4M3" }

-- Integers of more than 8 bits lie in the next wider type.
local function code_dtype(scheme)
  if scheme.code == "float" or scheme.bits <= 8 then return CODES[scheme.code] end
  return scheme.bits <= 16 and "I16" or "I32"
end

local function code_of(w, asked)
  local weight = w.tensors.weight
  if not weight then return asked.code or "int" end
  return weight.dtype == "F8_E4M3" and "float" or "int"
end

local function is_mx(w, asked)
  if asked.mx ~= nil then return asked.mx end
  local scale = w.tensors.weight_scale
  return scale ~= nil and small_floats.exponents[scale.dtype] == true
end

local function type_of(scheme)
  if scheme.code == "int" then return "int" .. scheme.bits end
  return scheme.mx and "mxfp8" or "float8_e4m3"
end

--- How the weight is stored.
---@return table scheme {bits, code, type, mx, shape, strategy, symmetric, inputs?, outputs?}
function M.scheme(w)
  local asked = w.request and w.request.scheme or {}
  local scheme = companions.strategy(w)
  scheme.code, scheme.mx = code_of(w, asked), is_mx(w, asked)
  scheme.bits = scheme.code == asked.code and asked.bits or 8
  scheme.shape, scheme.type = w.shape, type_of(scheme)
  scheme.symmetric = asked.symmetric
  if scheme.symmetric == nil then scheme.symmetric = w.tensors.weight_zero_point == nil end
  scheme.inputs, scheme.outputs = asked.inputs, asked.outputs
  scheme.asked, scheme.stored = w.request ~= nil, w.tensors
  scheme.class = companions.class_of(w.module)
  scheme.least_sqnr_db = scheme.code == "float" and 24 or scheme.bits == 8 and 30 or nil
  return scheme
end

--- The tensors of the weight; all are parameters to transformers.
function M.tensors(scheme, module, dtype)
  local shape = scheme.shape or module.shape
  local grid = companions.grid(shape, scheme)
  local stored = scheme.stored or {}
  local list = {
    { suffix = "weight", dtype = code_dtype(scheme), shape = shape, codes = true },
    { suffix = "weight_scale", shape = companions.shape_of(stored.weight_scale, grid),
      dtype = scheme.mx and "U8" or companions.FLOATS, loaded = not scheme.mx and dtype or nil },
  }
  if not scheme.symmetric then
    list[3] = { suffix = "weight_zero_point", dtype = CODES[scheme.code],
      shape = companions.shape_of(stored.weight_zero_point, grid),
      hint = "a config with symmetric: false cannot be decoded without them" }
  end
  companions.add_activations(list, scheme, shape, dtype)
  return companions.as_loaded(list, module, dtype)
end

--- Contradictions that headers show.
function M.problems(w)
  local problems = {}
  companions.add_other_layout(problems, w, M)
  companions.add_ragged(problems, w.scheme, w.shape[2])
  return problems
end

--- Why a weight of this layout cannot be decoded.
function M.undecodable(w)
  local weight = w.tensors.weight
  if weight and (weight.dtype == "I16" or weight.dtype == "I32") then
    return "codes of more than 8 bits are not read here"
  end
end

--- One scale a block in float32, as a matrix.
function M.scales(w)
  return companions.matrix(small_floats.scales(w:read("weight_scale")), w.shape, w.scheme)
end

--- The codes as a matrix of bytes, for those who change them.
---@return any Tensor uint8 [out, in]
function M.codes(w)
  return w:read("weight"):view("uint8")
end

--- The tensor that stores such a matrix.
function M.recode(w, codes)
  return codes:view(w.tensors.weight.torch_dtype)
end

-- Half types in which the library subtracts e4m3 zero points.
local HALF = { BF16 = "bfloat16", F16 = "float16", U8 = "bfloat16" }

--- The weight as an object that the engine decodes.
function M.pack(w)
  local scheme, scales = w.scheme, w:read("weight_scale")
  local zeros = not scheme.symmetric and companions.matrix(
    w:read("weight_zero_point"):to("float32"), w.shape, scheme) or nil
  local is_float = scheme.code == "float"
  return require("host.tensor").coded { codes = w:read("weight"), bits = 8,
    values = is_float and small_floats.e4m3 or code_values.signed(8), scales = scales,
    scale_values = small_floats.scale_values(scales), zeros = zeros,
    step = zeros and is_float and HALF[w.tensors.weight_scale.dtype] or nil,
    block = companions.block(w.shape, scheme), shape = w.shape }
end

--- How the model runner multiplies by this weight.
function M.linear(w)
  local reason = M.undecodable(w)
  if reason then error(outcome.error("unsupported", reason, nil, w.module.name), 0) end
  return { weight = M.pack(w), input = ct_inputs.of(w) }
end

local function add(problems, key, found, wanted, hint)
  problems[#problems + 1] = { key = key, found = found, wanted = wanted, hint = hint }
end

local function code_problems(w, codes, problems)
  local scheme = w.scheme
  if scheme.code == "float" then
    local nan = codes:view("uint8"):band(0x7f):eq(0x7f):count_nonzero()
    if nan > 0 then
      add(problems, "weight", ("%d codes of NaN"):format(nan), "numbers",
        "a value above 448 was cast without saturation")
    end
  elseif scheme.bits < 8 then
    local half = 2 ^ (scheme.bits - 1)
    local outside = codes:lt(-half):logical_or(codes:ge(half)):count_nonzero()
    if outside > 0 then
      add(problems, "weight", ("%d codes of more than %d bits"):format(outside, scheme.bits),
        ("codes from %d to %d"):format(-half, half - 1))
    end
  end
end

-- What holds where the codes of a block are not all zero.
local function live_codes(w, codes)
  return w.scheme.code == "float" and codes:view("uint8"):band(0x7f):ne(0) or codes:ne(0)
end

--- Faults in the values.
function M.value_problems(w)
  local problems = {}
  if M.undecodable(w) then return problems end
  local codes, scales = w:read("weight"), M.scales(w)
  code_problems(w, codes, problems)
  local stats = scale_faults.check(problems, "weight_scale", scales)
  if stats.zeros == 0 then return problems end
  local lost = block_grid.lost(scales, live_codes(w, codes), companions.block(w.shape, w.scheme))
  if lost > 0 then
    add(problems, "weight_scale", ("0 over %d codes that are not"):format(lost), "scales > 0",
      "these weights decode to 0: a scale was lost")
  end
  return problems
end

M.omits = ct_inputs.omits

return M
