local search = require "qspec.bisect.search"
local test = require "test"

local function range(count)
  local list = {}
  for i = 1, count do list[i] = i end
  return list
end

local function contains(set, items)
  local there = {}
  for _, item in ipairs(set) do there[item] = true end
  for _, item in ipairs(items) do
    if not there[item] then return false end
  end
  return true
end

-- Fails of every set that holds all of one of these, and counts how often it is asked.
local function breaking(sets)
  local calls = { count = 0 }
  return function(set)
    calls.count = calls.count + 1
    for _, one in ipairs(sets) do
      if contains(set, one) then return true end
    end
    return false
  end, calls
end

local function as_is(list) return list end

local function sorted(list)
  table.sort(list)
  return list
end

test("each of several that break it alone is a set of its own", function()
  local fails = breaking { { 3 }, { 17 }, { 18 } }
  local found = search.culprits(range(20), fails, as_is)
  test.equal(sorted(found.named), { 3, 17, 18 })
  test.equal(sorted(found.singles), { 3, 17, 18 })
  test.equal(found.enough, found.named)
end)

test("the first and the last element are found like the others", function()
  for _, place in ipairs { 1, 2, 63, 64 } do
    test.equal(search.culprits(range(64), breaking { { place } }, as_is).named, { place })
  end
end)

test("one of a thousand takes as many questions as its number has bits, and a second look",
  function()
    local fails, calls = breaking { { 700 } }
    search.culprits(range(1024), fails, as_is)
    test.ok(calls.count <= 10 + 4 + 32, calls.count .. " questions")
  end)

test("two that hide each other are named when each breaks it alone", function()
  local function fails(set)
    local first, second = contains(set, { 6 }), contains(set, { 7 })
    return contains(set, { 15 }) or first ~= second
  end
  test.equal(sorted(search.culprits(range(20), fails, as_is).named), { 6, 7, 15 })
end)

test("a set that breaks it only together is minimal, and one of it is enough to leave out",
  function()
    local found = search.culprits(range(30), breaking { { 4, 9, 28 } }, as_is)
    test.equal(sorted(found.together), { 4, 9, 28 })
    test.equal(found.singles, {})
    test.equal(#found.enough, 1)
  end)

test("sets beside single ones are told apart", function()
  local found = search.culprits(range(30), breaking { { 5 }, { 10, 20 } }, as_is)
  test.equal(found.singles, { 5 })
  test.equal(sorted(found.together), { 10, 20 })
  test.equal(#found.enough, 2)
end)

test("small errors that add up are spread, and the worst that are enough come first", function()
  local function fails(set) return #set > 60 end
  local function worst_first(list)
    local reversed = {}
    for i = #list, 1, -1 do reversed[#reversed + 1] = list[i] end
    return reversed
  end
  local found = search.culprits(range(100), fails, worst_first)
  test.ok(found.spread)
  test.equal(#found.enough, 40)
  test.equal(found.enough[1], 100)
end)

test("one that breaks it only with the small errors of many is named without these", function()
  local function fails(set)
    return #set + (contains(set, { 7 }) and 4 or 0) > 22
  end
  local found = search.culprits(range(20), fails, function(list)
    table.sort(list, function(a, b) return a == 7 and b ~= 7 end)
    return list
  end)
  test.equal(found.named, { 7 })
  test.equal(found.enough, { 7 })
  test.equal(found.together, { 7 })
end)

test("where more can heal what less breaks, what is found still breaks it", function()
  local function fails(set) return contains(set, { 2 }) and not contains(set, { 3 }) end
  local function whole(set) return fails(set) or #set == 8 end
  local found = search.minimal(range(8), whole)
  test.ok(whole(found))
end)
