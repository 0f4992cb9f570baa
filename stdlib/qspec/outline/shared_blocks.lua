-- Blocks that several layers share: each is listed in every layer that has it, and its weights
-- belong to the first.

local M = {}

local function tie(listing, first, from, to)
  for index = from, #listing.modules do
    local module = listing.modules[index]
    module.tied_to = first .. module.name:sub(#to + 1)
  end
end

--- A function that lists the block of a layer; `count` blocks take turns.
---@param suffix string of the block in a layer: "shared_transformer."
---@param count integer
---@param list fun(listing: qspec.Listing, name: string, c: table, norm: function,
---  layers: integer, block: integer) lists one; `layers` share all of them
---@return fun(listing: qspec.Listing, name: string, c: table, norm: function, layers: integer)
function M.of(suffix, count, list)
  local firsts, seen = {}, 0
  return function(listing, name, c, norm, layers)
    local block, prefix, from = seen % count, name .. suffix, #listing.modules + 1
    seen = seen + 1
    list(listing, prefix, c, norm, layers, block)
    if firsts[block] then tie(listing, firsts[block], from, prefix) end
    firsts[block] = firsts[block] or prefix
  end
end

return M
