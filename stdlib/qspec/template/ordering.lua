-- sorted(), min() and max() of Python: stable, by a key.

local values = require "qspec.template.values"

local M = {}

local function merge(a, b, before)
  local merged, i, j = {}, 1, 1
  while a[i] and b[j] do
    if before(b[j], a[i]) then
      merged[#merged + 1], j = b[j], j + 1
    else
      merged[#merged + 1], i = a[i], i + 1
    end
  end
  for k = i, #a do merged[#merged + 1] = a[k] end
  for k = j, #b do merged[#merged + 1] = b[k] end
  return merged
end

local function sorted(entries, first, last, before)
  if first > last then return {} end
  if first == last then return { entries[first] } end
  local middle = math.floor((first + last) / 2)
  return merge(sorted(entries, first, middle, before), sorted(entries, middle + 1, last, before),
    before)
end

--- A sorted copy.
---@param items any[]
---@param key fun(item: any): any
---@param descending boolean
---@param meter table
---@return any[]
function M.sort(items, key, descending, meter)
  local entries = {}
  for i, item in ipairs(items) do entries[i] = { item = item, key = key(item) } end
  local function before(a, b)
    meter:step()
    if descending then return values.less(b.key, a.key) end
    return values.less(a.key, b.key)
  end
  local result = {}
  for i, entry in ipairs(sorted(entries, 1, #entries, before)) do result[i] = entry.item end
  return result
end

--- The first of the smallest, or of the largest; nil of nothing.
function M.extreme(items, key, largest)
  local best, best_key
  for _, item in ipairs(items) do
    local own = key(item)
    local better = best == nil or largest and values.less(best_key, own)
      or not largest and values.less(own, best_key)
    if better then best, best_key = item, own end
  end
  return best
end

return M
