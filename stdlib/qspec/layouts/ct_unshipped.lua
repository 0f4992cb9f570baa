-- The sparse formats of compressed-tensors before 0.14 and Marlin's 2:4 layout: named, not decoded.
--
-- Source: compressed-tensors 0.20, config/base.py, which keeps their names and ships no compressor.

local M = {
  name = "ct-sparse",
  summary = "sparse-bitmask, sparse-24-bitmask or marlin-24, which no library unpacks today",
  undecodable = "compressed-tensors dropped its sparse formats and marlin-24 in 0.14",
}

local SUFFIXES = { "compressed", "bitmask", "row_offsets", "shape", "weight_packed", "scale_packed",
  "meta", "weight_scale", "weight_zero_point", "weight_shape", "weight" }

--- Whether these tensors are a weight of this layout.
function M.claims(holding)
  local t = holding.tensors
  return t.bitmask ~= nil or t.scale_packed ~= nil or t.meta ~= nil and t.weight_packed ~= nil
end

function M.scheme(w)
  local is_marlin = w.tensors.bitmask == nil
  return { bits = is_marlin and 4 or 16, type = is_marlin and "marlin-24" or "sparse",
    shape = w.shape, stored = w.tensors }
end

--- What is stored, as it is: nothing says what should be.
function M.tensors(scheme)
  local list = {}
  for _, suffix in ipairs(SUFFIXES) do
    local entry = scheme.stored and scheme.stored[suffix]
    if entry then
      list[#list + 1] = { suffix = suffix, dtype = entry.dtype, shape = entry.shape,
        codes = suffix == "compressed" or suffix == "weight_packed" }
    end
  end
  return list
end

return M
