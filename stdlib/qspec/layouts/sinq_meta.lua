-- SINQ's storage: `W_q` and a `meta` of tensors whose set depends on the version of sinq.
--
-- Source: transformers 5.17, integrations/sinq.py (SinqDeserialize); sinq 0.2, sinqlinear_hf.py.

local M = {
  name = "sinq",
  summary = "packed W_q with scales along both dimensions in meta",
  class = "SINQLinear",
  undecodable = "the tensors of its meta differ from version to version of sinq",
}

--- Whether these tensors are a weight of this layout, whole or damaged.
function M.claims(holding)
  if holding.tensors.meta then return true end
  for _, suffix in ipairs(holding.list) do
    if suffix:find("^meta[%._]") then return true end
  end
  return false
end

function M.scheme(w)
  local asked = w.request and w.request.scheme or {}
  local bits = asked.bits or 4
  return { bits = bits, type = "uint" .. bits, shape = w.shape, entries = w.tensors, list = w.list }
end

--- `W_q` and what there is of `meta`; nothing of it is a parameter to transformers.
function M.tensors(scheme, module)
  local shape, entries = scheme.shape or module.shape, scheme.entries or {}
  local codes = entries.W_q
  local list = { { suffix = "W_q", dtype = { "U8", "I32", "F16", "BF16", "F32" }, codes = true,
    shape = codes and codes.shape or { math.ceil(shape[1] * shape[2] * scheme.bits / 8) },
    role = "attribute", hint = "without W_q transformers keeps whatever tensor comes first" } }
  for _, suffix in ipairs(scheme.list or {}) do
    if suffix:find("^meta") then
      list[#list + 1] = { suffix = suffix, dtype = entries[suffix].dtype,
        shape = entries[suffix].shape, role = "attribute" }
    end
  end
  return list
end

return M
