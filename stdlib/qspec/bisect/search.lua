-- Which modules break a predicate: sets that are minimal, found with few evaluations.
--
-- A test of a set is monotone when a larger set never turns it false. For such a test the smallest
-- prefix of a list that passes ends in an element that every passing subset of the prefix needs:
-- it is kept, and the search goes on in what lies before it. Each element costs a binary search
-- (the dichotomic search of Hemery, Lecoutre, Sais and Boussemart, "Extracting MUCs from Constraint
-- Networks", ECAI 2006). Of a test that is not monotone the set passes all the same, only another
-- may be smaller.

local M = {}

local LARGEST_SET = 8  -- modules that break it only together; more is noise that adds up

local function prefix(list, count, extra)
  local part = { unpack(extra) }
  for i = 1, count do part[#part + 1] = list[i] end
  return part
end

-- The least `count` for which test(prefix + extra) is true: it is for all of the list.
local function shortest(list, test, extra)
  local low, high = 0, #list
  while high - low > 1 do
    local middle = math.floor((low + high) / 2)
    if test(prefix(list, middle, extra)) then high = middle else low = middle end
  end
  return high
end

--- A subset of the list that passes and of which no element can be left out. The whole list must
--- pass and the empty set must not.
---@param list integer[]
---@param test fun(set: integer[]): boolean
---@param most integer|nil
---@return integer[]|nil set nil when it would have more than `most` elements
function M.minimal(list, test, most)
  local needed = {}
  repeat
    if most and #needed == most then return nil end
    local count = shortest(list, test, needed)
    needed[#needed + 1] = list[count]
    list = prefix(list, count - 1, {})
  until test(needed)
  return needed
end

local function without(list, others)
  local left, gone = {}, {}
  for _, item in ipairs(others) do gone[item] = true end
  for _, item in ipairs(list) do
    if not gone[item] then left[#left + 1] = item end
  end
  return left
end

local function joined(groups)
  local all = {}
  for _, group in ipairs(groups) do
    for _, item in ipairs(group) do all[#all + 1] = item end
  end
  return all
end

-- What it is enough to leave out of a set that breaks the predicate, taken from a list.
local function left_out(all, list, fails)
  return M.minimal(list, function(set) return not fails(without(all, set)) end)
end

-- The worst, as many as it takes: with thousands of small errors no set is worth the search.
local function worst_few(all, ranked, fails)
  local count = shortest(ranked, function(set) return not fails(without(all, set)) end, {})
  return prefix(ranked, count, {})
end

local function has_pairs(groups)
  for _, group in ipairs(groups) do
    if #group > 1 then return true end
  end
  return false
end

-- Every so many of a list: neighbours, whose errors may hide each other, come apart.
local function classes(list)
  local parts, count = {}, math.ceil(math.sqrt(#list))
  for i, item in ipairs(list) do
    local part = parts[(i - 1) % count + 1] or {}
    part[#part + 1], parts[(i - 1) % count + 1] = item, part
  end
  return parts
end

-- One that breaks the predicate alone; nil when none does.
local function single(list, fails)
  for _, item in ipairs(list) do
    if fails { item } then return { item } end
  end
end

-- One that breaks it alone, though not among all the others.
local function hidden(list, left, fails)
  for _, part in ipairs(classes(list)) do
    local still = without(part, without(part, left))
    local found = fails(still) and M.minimal(still, fails, 1)
    if found then return found end
  end
end

---@class qspec.Culprits
---@field groups integer[][] sets that break the predicate, each alone: of one element a culprit, of
---  several modules that break it only together
---@field spread boolean what is left breaks it, and no set of a few does
---@field named integer[] all of them; without these it holds
---@field enough integer[] what it is enough to leave out: the same unless modules act together

-- The next set of those left, and whether what they do is spread over many. That no element breaks
-- it alone is only said when each was asked.
local function next_group(list, left, fails)
  if not fails(left) then return hidden(list, left, fails), false end
  local group = M.minimal(left, fails, LARGEST_SET)
  if group and #group == 1 then return group, false end
  group = single(left, fails) or group
  return group, group == nil
end

--- Finds what breaks a predicate that fails of all elements and holds of none.
---@param list integer[] in the order in which they are tried
---@param fails fun(set: integer[]): boolean
---@param rank fun(list: integer[]): integer[] sorts, the worst first
---@return qspec.Culprits
function M.culprits(list, fails, rank)
  local groups, left, spread = {}, list
  repeat
    local group
    group, spread = next_group(list, left, fails)
    groups[#groups + 1] = group
    left = without(left, group or {})
  until not group
  for _, group in ipairs(groups) do table.sort(group) end
  local named = joined(groups)
  if spread then
    named = prefix(named, #named, worst_few(left, rank(left), fails))
    return { groups = groups, spread = true, named = named, enough = named }
  end
  local enough = has_pairs(groups) and left_out(list, rank(named), fails) or named
  return { groups = groups, spread = false, named = named, enough = enough }
end

return M
