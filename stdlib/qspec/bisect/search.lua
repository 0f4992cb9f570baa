-- Which modules break a predicate: sets that are minimal, found with few evaluations.
--
-- A test of a set is monotone when a larger set never turns it false. For such a test the smallest
-- prefix of a list that passes ends in an element that every passing subset of the prefix needs:
-- it is kept, and the search goes on in what lies before it. Each element costs a binary search
-- (the dichotomic search of Hemery, Lecoutre, Sais and Boussemart, "Extracting MUCs from Constraint
-- Networks", ECAI 2006). Of a test that is not monotone the set passes all the same, only another
-- may be smaller.

local M = {}

local MOST_LEFT_OUT = 8  -- of a search for the fewest; more is noise that adds up
local MOST_TOGETHER = 4  -- modules that are named because they break it only together

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

-- The worst, as many as it takes: with thousands of small errors no set is worth the search.
local function worst_few(all, ranked, fails)
  local count = shortest(ranked, function(set) return not fails(without(all, set)) end, {})
  return prefix(ranked, count, {})
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

-- All that break it alone, and what is left without them. That no element does so is only said when
-- each was asked.
local function singles(list, fails)
  local found, left = {}, list
  while true do
    local group
    if fails(left) then
      group = M.minimal(left, fails, 1) or single(left, fails)
    else
      group = hidden(list, left, fails)
    end
    if not group then return found, left end
    found[#found + 1], left = group[1], without(left, group)
  end
end

---@class qspec.Culprits
---@field singles integer[] each breaks the predicate alone
---@field together integer[] break it only together, or with the small errors of the others
---@field spread boolean `together` are the worst of many small errors
---@field named integer[] both
---@field enough integer[] what it is enough to leave out, so that it holds

-- What else breaks it when no element does alone: the fewest that it takes to leave out; and where
-- a few break it among themselves, these.
local function combined(left, fails, rank)
  local ranked = rank(left)
  local fewest = M.minimal(ranked, function(set) return not fails(without(left, set)) end,
    MOST_LEFT_OUT)
  if not fewest then
    local worst = worst_few(left, ranked, fails)
    return worst, worst, true
  end
  local together = not fails(fewest) and M.minimal(left, fails, MOST_TOGETHER) or fewest
  return together, fewest, false
end

--- Finds what breaks a predicate that fails of all elements and holds of none.
---@param list integer[] in the order in which they are tried
---@param fails fun(set: integer[]): boolean
---@param rank fun(list: integer[]): integer[] sorts, the worst first
---@return qspec.Culprits
function M.culprits(list, fails, rank)
  local alone, left = singles(list, fails)
  local together, fewest, spread = {}, {}, false
  if fails(left) then together, fewest, spread = combined(left, fails, rank) end
  return { singles = alone, together = together, spread = spread,
    named = prefix(together, #together, alone), enough = prefix(fewest, #fewest, alone) }
end

return M
