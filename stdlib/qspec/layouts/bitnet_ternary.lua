-- BitNet's storage: ternary codes of 2 bits, four rows to a byte, one scale a weight.
--
-- Source: transformers 5.17, integrations/bitnet.py (pack_weights, unpack_weights, BitLinear,
-- AutoBitLinear). BitLinear divides its result by the scale, AutoBitLinear multiplies: the decoded
-- weight is code / weight_scale or code * weight_scale, in float32.

local code_values = require "qspec.layouts.code_values"
local row_blocks = require "qspec.layouts.row_blocks"

local M = {
  name = "bitnet",
  summary = "ternary codes of 2 bits, four rows to a byte, one scale a weight",
  class = "BitLinear",
  least_sqnr_db = 3,
}

local FLOATS = { "BF16", "F16", "F32" }

--- Whether these tensors are a weight of this layout, whole or damaged.
function M.claims(holding)
  local t = holding.tensors
  return t.weight ~= nil and t.weight.dtype == "U8" and t.weight_scale ~= nil
    and #t.weight_scale.shape < 2 and t.weight_scale.dtype ~= "U8"
end

--- How the weight is stored; which way the scale goes, only the config says.
function M.scheme(w)
  local asked = w.request and w.request.scheme or {}
  return { bits = 2, type = "ternary", shape = w.shape, auto = asked.auto or false,
    norm = asked.norm or false, class = asked.auto and "AutoBitLinear" or nil }
end

-- AutoBitLinear unpacks on load.
local function weight_tensors(scheme, module, shape, dtype)
  local stored = { suffix = "weight", dtype = "U8", codes = true,
    shape = { math.ceil(shape[1] / 4), shape[2] }, role = scheme.auto and "attribute" or "buffer" }
  if not scheme.auto then return { stored } end
  return { stored,
    { suffix = "weight", made = true, shape = module.shape, loaded = dtype or "bfloat16" } }
end

--- The tensors of the weight: buffers of BitLinear, bias included.
function M.tensors(scheme, module, dtype)
  local shape = scheme.shape or module.shape
  local list = weight_tensors(scheme, module, shape, dtype)
  list[#list + 1] = { suffix = "weight_scale", dtype = FLOATS, shape = { 1 }, role = "buffer",
    loaded = dtype }
  if module.bias and not scheme.auto then
    list[#list + 1] = { suffix = "bias", dtype = FLOATS, shape = { shape[1] }, role = "buffer",
      loaded = dtype }
  end
  if scheme.norm then
    list[#list + 1] = { suffix = "rms_norm.weight", dtype = FLOATS, shape = { shape[2] },
      loaded = dtype }
  end
  return list
end

--- Contradictions that headers show.
function M.problems(w)
  if w.shape[1] % 4 == 0 then return {} end
  return { { key = "weight", found = ("%d rows"):format(w.shape[1]),
    wanted = "a multiple of 4: four rows lie in a byte" } }
end

local function scale_of(w)
  local scale = w:read("weight_scale"):to("float32"):reshape(1, 1)
  if w.scheme.auto then return scale end
  return scale:pow(-1)
end

--- The weight as an object that the engine decodes.
function M.pack(w)
  return require("host.tensor").coded { codes = w:read("weight"), bits = 2,
    planes = row_blocks.shifts(2, 8, "low"), values = code_values.unsigned(2, 1),
    scales = scale_of(w), block = w.shape, shape = w.shape }
end

--- The scale as it is stored.
function M.scales(w)
  return w:read("weight_scale")
end

--- Faults in the values: the fourth code, and a scale that is none.
function M.value_problems(w)
  local problems = {}
  local packed = w:read("weight")
  local invalid = packed:band(packed:rshift(1)):band(0x55):count_nonzero()
  if invalid > 0 then
    problems[1] = { key = "weight", found = ("%d bytes with the code 3"):format(invalid),
      wanted = "0, 1 or 2, for -1, 0 and 1", hint = "not ternary: other bits than BitNet's" }
  end
  local scale = w:read("weight_scale"):to("float32"):reshape(1):item()
  if not (scale > 0 and scale < math.huge) then
    problems[#problems + 1] = { key = "weight_scale", found = tostring(scale),
      wanted = "a finite number above 0" }
  end
  return problems
end

return M
