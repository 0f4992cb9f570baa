-- EETQ's storage: int8 codes in the order of its CUDA kernels, one scale a row.
--
-- Source: transformers 5.17, integrations/eetq.py (EetqLinear, EetqQuantize).

local scale_faults = require "qspec.layouts.scale_faults"

local M = {
  name = "eetq",
  summary = "int8 codes [in, out] in a kernel's order, one float16 scale a row of the weight",
  class = "EetqLinear",
  undecodable = "its codes are interleaved for CUDA kernels, in an order that no document fixes",
}

--- Whether these tensors are a weight of this layout, whole or damaged.
function M.claims(holding)
  return holding.tensors.weight_scales ~= nil
end

function M.scheme(w)
  return { bits = 8, type = "int8", shape = w.shape }
end

--- The tensors of the weight, all of them parameters.
function M.tensors(scheme, module)
  local shape = scheme.shape or module.shape
  local list = {
    { suffix = "weight", dtype = "I8", shape = { shape[2], shape[1] }, codes = true },
    { suffix = "weight_scales", dtype = { "F16", "BF16", "F32" }, shape = { shape[1] } },
  }
  if module.bias then
    list[3] = { suffix = "bias", dtype = { "F16", "BF16", "F32" }, shape = { shape[1] },
      loaded = "float16" }
  end
  return list
end

--- Faults in the scales.
function M.value_problems(w)
  local problems = {}
  scale_faults.check(problems, "weight_scales", w:read("weight_scales"):to("float32"))
  return problems
end

return M
