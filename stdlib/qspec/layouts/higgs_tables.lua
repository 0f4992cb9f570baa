-- HIGGS through FLUTE: words of table indices over Hadamard-rotated columns.
--
-- Source: transformers 5.17, integrations/higgs.py (HiggsLinear, quantize_with_higgs).

local M = {
  name = "higgs",
  summary = "indices of a lookup table over rotated columns, packed for FLUTE's kernels",
  class = "HiggsLinear",
  undecodable = "FLUTE packs the words for one GPU, by tune_metadata, and the columns are rotated",
}

local FLOATS = { "F16", "BF16", "F32" }

--- Whether these tensors are a weight of this layout, whole or damaged.
function M.claims(holding)
  local t = holding.tensors
  return t.tables ~= nil or t.tables2 ~= nil
end

--- How the weight is stored.
function M.scheme(w)
  local asked = w.request and w.request.scheme or {}
  local entry = w.tensors.weight
  local bits = entry and #entry.shape == 2 and entry.shape[1] * 16 / w.shape[1] or asked.bits
  local is_bits = bits == 2 or bits == 3 or bits == 4
  return { bits = is_bits and bits or asked.bits or 4, type = "higgs", shape = w.shape,
    group_size = asked.group_size or 256 }
end

--- The tensors of the weight, all of them parameters.
function M.tensors(scheme, module)
  local shape, count = scheme.shape or module.shape, 2 ^ scheme.bits
  return {
    { suffix = "weight", dtype = "I16", codes = true,
      shape = { math.floor(shape[1] * scheme.bits / 16), shape[2] } },
    { suffix = "scales", dtype = FLOATS,
      shape = { shape[1], math.ceil(shape[2] / scheme.group_size) } },
    { suffix = "tables", dtype = FLOATS, shape = { count } },
    { suffix = "tables2", dtype = FLOATS, shape = { count, count, 2 } },
  }
end

return M
