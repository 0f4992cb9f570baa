-- What the tensors of a packed weight are: codes, scales, zero points, the order of the columns.
--
-- Read from the layout's own list of tensors. Codes are marked there; the others are told by the
-- names that libraries give them, unless the layout says more (`means`).

local M = {}

local NOT_OF_WEIGHTS = { "^input", "^output", "activation", "global", "nested_quant_map" }

local function is_of_weights(suffix)
  for _, pattern in ipairs(NOT_OF_WEIGHTS) do
    if suffix:find(pattern) then return false end
  end
  return true
end

local NAMES = {
  { "scales", "nested_absmax" }, { "scales", "absmax" }, { "scales", "SCB" },
  { "scales", "scales?$" }, { "scales", "scale_inv$" }, { "zeros", "zero" },
  { "order", "g_idx" },
}

local function meaning(tensor)
  if tensor.codes then return "codes" end
  if tensor.means then return tensor.means end
  if not is_of_weights(tensor.suffix) then return nil end
  for _, pair in ipairs(NAMES) do
    if tensor.suffix:find(pair[2]) then return pair[1] end
  end
end

--- Entries of the checkpoint by meaning. With doubly quantized scales, the outer ones.
---@param row table of the census, packed
---@return table {codes?, scales?, zeros?, order?}: entries
function M.of(row)
  local parts = {}
  for _, tensor in ipairs(row.layout.tensors(row.weight.scheme, row.module)) do
    local entry, what = row.holding.tensors[tensor.suffix], meaning(tensor)
    local is_outer = tensor.suffix:find("nested") ~= nil
    if entry and what and (not parts[what] or is_outer) then parts[what] = entry end
  end
  return parts
end

--- The rows of a checkpoint that have such a part.
---@param rows table[]
---@param what string
function M.with(rows, what)
  local list = {}
  for _, row in ipairs(rows) do
    if row.layout and row.status == "ok" and M.of(row)[what] then list[#list + 1] = row end
  end
  return list
end

--- An operator's `applies` for weights that have such a part.
function M.applies(what, words)
  return function(subject)
    if #M.with(subject.census.modules, what) > 0 then return true end
    return nil, "no packed weight has " .. words
  end
end

return M
