-- Four Over Six: nvfp4 blocks with a choice of scale, as the fouroversix library stores them.
--
-- Source: transformers 5.17, integrations/fouroversix.py: `get_quantized_parameters` of the library
-- names the tensors; the usual ones are listed here.

local M = {
  name = "fouroversix",
  summary = "nvfp4-like blocks of the fouroversix library",
  undecodable = "its tensors are those of the fouroversix library, which no document fixes",
}

local PREFIX = "^quantized_weight_"

--- Whether these tensors are a weight of this layout, whole or damaged.
function M.claims(holding)
  for _, suffix in ipairs(holding.list) do
    if suffix:find(PREFIX) then return true end
  end
  return false
end

function M.scheme(w)
  return { bits = 4, type = "float4_e2m1", shape = w.shape, entries = w.tensors, list = w.list }
end

--- The tensors that are there.
function M.tensors(scheme)
  local list = {}
  for _, suffix in ipairs(scheme.list or {}) do
    if suffix ~= "bias" then
      local entry = scheme.entries[suffix]
      list[#list + 1] = { suffix = suffix, dtype = entry.dtype, shape = entry.shape,
        codes = suffix:find("values") ~= nil }
    end
  end
  return list
end

return M
