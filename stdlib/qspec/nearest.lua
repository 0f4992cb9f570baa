-- The name that was probably meant: optimal string alignment distance (a swap of neighbours counts
-- as one edit), letter case aside.

local LONGEST = 64 -- longer names are not typing mistakes, and the distance is quadratic

local function edit_distance(a, b)
  local before, previous, current = {}, {}, {}
  for j = 0, #b do
    previous[j] = j
  end
  for i = 1, #a do
    current[0] = i
    for j = 1, #b do
      local cost = a:byte(i) == b:byte(j) and 0 or 1
      local best = math.min(previous[j] + 1, current[j - 1] + 1, previous[j - 1] + cost)
      local swapped = i > 1 and j > 1 and a:byte(i) == b:byte(j - 1) and a:byte(i - 1) == b:byte(j)
      current[j] = swapped and math.min(best, before[j - 2] + 1) or best
    end
    before, previous, current = previous, current, before
  end
  return previous[#b]
end

---The candidate closest to `name`, or nil when none is close enough to have been meant. Ties go to
---the alphabetically first.
---@param name string
---@param candidates string[]
---@param limit integer? edits allowed, about a third of the name's length unless given
---@return string?
local function nearest(name, candidates, limit)
  limit = limit or math.max(1, math.floor((#name + 1) / 3))
  local best, best_distance
  for _, candidate in ipairs(candidates) do
    local reachable = #name <= LONGEST and math.abs(#name - #candidate) <= limit
    local distance = reachable and edit_distance(name:lower(), candidate:lower())
    local wanted = distance and distance <= limit and distance < #candidate
    if wanted and (not best or distance < best_distance
        or distance == best_distance and candidate < best) then
      best, best_distance = candidate, distance
    end
  end
  return best
end

return nearest
