-- A few patterns for many module names: what a person would write for "all of these, no others".
--
-- Names that differ in their numbers only are one family. Each family is offered the patterns that
-- people use, widest first; of those that match no other name, the ones that take the most are
-- chosen until all names are taken. Exact, and small rather than smallest.

local glob = require "qspec.glob"

local M = {}

local function parts_of(name)
  local parts = {}
  for part in name:gmatch("[^.]+") do parts[#parts + 1] = part end
  return parts
end

-- "model.layers.0.mlp.up_proj" -> "model.layers.*.mlp.up_proj"
local function family_of(name)
  local parts = parts_of(name)
  for i, part in ipairs(parts) do
    if part:find("^%d+$") then parts[i] = "*" end
  end
  return table.concat(parts, ".")
end

local function set_of_families(names)
  local set = {}
  for _, name in ipairs(names) do set[family_of(name)] = true end
  return set
end

-- Families all of whose members are meant, and the members of those that are split, in order.
local function units_of(names, other_families)
  local units, seen = {}, {}
  for _, name in ipairs(names) do
    local family = family_of(name)
    local unit = other_families[family] and name or family
    if not seen[unit] then
      seen[unit] = true
      units[#units + 1] = { text = unit, exact = unit == name and unit ~= family }
    end
  end
  return units
end

-- The nearest ancestor with a name: "experts" of "mlp.experts.*.w1".
local function parent_of(parts)
  for i = #parts - 1, 2, -1 do
    if parts[i] ~= "*" then return parts[i] end
  end
end

-- Patterns that match the unit, the wider and the more usual first; but what stands alone is called
-- by its name.
local function candidates_of(unit)
  if unit.exact then return { unit.text } end
  local parts, list = parts_of(unit.text), {}
  if not unit.text:find("*", 1, true) then list[1] = unit.text end
  local last, parent = parts[#parts], parent_of(parts)
  if parent then list[#list + 1] = "*." .. parent .. ".*" end
  local word = last:match("_([%a%d]+)$") or last
  if #word >= 4 then list[#list + 1] = "*" .. word end
  if #parts > 1 and last ~= "*" then
    list[#list + 1] = "*." .. last
    if parent then list[#list + 1] = "*." .. parent .. "." .. last end
  end
  list[#list + 1] = unit.text
  return list
end

local function matched(pattern, texts)
  local matches, list = glob.compile(pattern), {}
  for i, text in ipairs(texts) do
    if matches(text) then list[#list + 1] = i end
  end
  return list
end

-- The patterns that match none of the others, each with the units that it takes.
local function usable(units, others)
  local texts, known, list = {}, {}, {}
  for i, unit in ipairs(units) do texts[i] = unit.text end
  for _, unit in ipairs(units) do
    for _, pattern in ipairs(candidates_of(unit)) do
      if not known[pattern] and #matched(pattern, others) == 0 then
        list[#list + 1] = { pattern = pattern, takes = matched(pattern, texts) }
      end
      known[pattern] = true
    end
  end
  return list
end

local function gain(candidate, taken)
  local count = 0
  for _, i in ipairs(candidate.takes) do count = count + (taken[i] and 0 or 1) end
  return count
end

local function best_of(candidates, taken)
  local best, most
  for _, candidate in ipairs(candidates) do
    local count = gain(candidate, taken)
    if count > (most or 0) then best, most = candidate, count end
  end
  return best
end

--- Patterns (qspec.glob) that match every one of `names` and none of `others`.
---@param names string[] none of them in `others`
---@param others string[]
---@return string[] patterns in the order of the names that they match first
function M.cover(names, others)
  local other_families, other_texts = set_of_families(others), {}
  local own_families = set_of_families(names)
  for family in pairs(other_families) do
    if not own_families[family] then other_texts[#other_texts + 1] = family end
  end
  for _, name in ipairs(others) do
    if own_families[family_of(name)] then other_texts[#other_texts + 1] = name end
  end
  local units = units_of(names, other_families)
  local candidates, taken, chosen = usable(units, other_texts), {}, {}
  while true do
    local best = best_of(candidates, taken)
    if not best then break end
    for _, i in ipairs(best.takes) do taken[i] = true end
    chosen[#chosen + 1] = best
  end
  table.sort(chosen, function(a, b) return a.takes[1] < b.takes[1] end)
  for i, candidate in ipairs(chosen) do chosen[i] = candidate.pattern end
  return chosen
end

return M
