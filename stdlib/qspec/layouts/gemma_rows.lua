-- Gemma's own quantized checkpoints: codes of 2, 4 or 8 bits with one scale a row.
--
-- Source: transformers 5.17, integrations/gemma_quant.py (QuantizedLinear, QuantizedEmbedding,
-- _unpack_int2, _unpack_int4): low bits first, the offset 2^(bits - 1) subtracted. Without a dtype,
-- code * weight_scale in float32, as here; its forward pass rounds the scale to the dtype of the
-- activations first.

local code_values = require "qspec.layouts.code_values"
local scale_faults = require "qspec.layouts.scale_faults"

local M = {
  name = "gemma",
  summary = "codes of 2, 4 or 8 bits with one scale a row, static scales of the activations",
  class = "QuantizedLinear",
  least_sqnr_db = 4,
}

local LINEAR = { codes = "weight", scale = "weight_scale" }
local EMBEDDING = { codes = "embedding_quantized", scale = "embedding_scale" }
local FLOATS = { "F32", "BF16", "F16" }

local function names_of(module)
  return module.kind == "embedding" and EMBEDDING or LINEAR
end

--- Whether these tensors are a weight of this layout, whole or damaged.
function M.claims(holding)
  local t = holding.tensors
  return t.embedding_quantized ~= nil or t.embedding_scale ~= nil
    or t.input_activation_scale ~= nil or t.output_activation_scale ~= nil
end

-- Bits that explain the packed columns; the config's when none do.
local function bits_of(w)
  local entry = w.tensors[names_of(w.module).codes]
  local asked = w.request and w.request.bits or 8
  if not entry or #entry.shape == 0 then return asked end
  if entry.dtype == "I8" then return 8 end
  local packed, columns = entry.shape[#entry.shape], w.shape[#w.shape]
  if packed == math.ceil(columns / 4) and packed ~= math.ceil(columns / 2) then return 2 end
  return packed == math.ceil(columns / 2) and 4 or asked
end

--- How the weight is stored.
function M.scheme(w)
  local bits = bits_of(w)
  local is_embedding = w.module.kind == "embedding"
  local scale = w.tensors[names_of(w.module).scale]
  return { bits = bits, type = "int" .. bits, shape = w.shape,
    blocks = is_embedding and scale and scale.shape[2] or 1,
    class = is_embedding and "QuantizedEmbedding" or nil }
end

--- The tensors of the weight, all of them parameters.
function M.tensors(scheme, module)
  local shape, names = scheme.shape or module.shape, names_of(module)
  local list = {
    { suffix = names.codes, dtype = scheme.bits == 8 and "I8" or "U8", codes = true,
      shape = { shape[1], math.ceil(shape[2] * scheme.bits / 8) } },
    { suffix = names.scale, dtype = FLOATS, shape = { shape[1], scheme.blocks or 1 },
      loaded = "float32" },
  }
  if names == EMBEDDING then return list end
  for _, name in ipairs { "input_activation_scale", "output_activation_scale" } do
    list[#list + 1] = { suffix = name, dtype = FLOATS, shape = {}, loaded = "float32",
      optional = true, usual = true }
  end
  return list
end

--- Contradictions that headers show.
function M.problems(w)
  local blocks = w.scheme.blocks
  if blocks >= 1 and w.shape[2] % blocks == 0 then return {} end
  return { { key = names_of(w.module).scale, found = ("%d scales a row"):format(blocks),
    wanted = ("a divisor of %d columns"):format(w.shape[2]) } }
end

--- One scale a row, or a block of a row.
function M.scales(w)
  return w:read(names_of(w.module).scale)
end

--- The weight as an object that the engine decodes.
function M.pack(w)
  local bits = w.scheme.bits
  return require("host.tensor").coded { codes = w:read(names_of(w.module).codes), bits = bits,
    values = bits == 8 and code_values.signed(8) or code_values.unsigned(bits, 2 ^ (bits - 1)),
    scales = M.scales(w), block = { 1, w.shape[2] / w.scheme.blocks }, shape = w.shape }
end

--- Faults in the values.
function M.value_problems(w)
  local problems = {}
  local key = names_of(w.module).scale
  local stats = scale_faults.check(problems, key, M.scales(w):to("float32"))
  if stats.zeros == stats.count and stats.count > 0 then
    problems[#problems + 1] = { key = key, found = "all of them 0", wanted = "scales > 0",
      hint = "the whole weight decodes to 0" }
  end
  return problems
end

return M
