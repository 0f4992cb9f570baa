-- H02: the same module of two layers has changed places.

local shapes = require "qspec.shapes"

local function leaf(row)
  local stem, number, rest = row.name:match("^(.-)%.(%d+)%.(.+)$")
  return stem, tonumber(number), rest
end

-- The module of the next layer that has the same tensors.
local function partner(subject, row)
  local stem, number, rest = leaf(row)
  local other = rest and subject.census.by_name[("%s.%d.%s"):format(stem, number + 1, rest)]
  if not other or not other.own_tensors or #other.holding.list ~= #row.holding.list then
    return nil
  end
  for _, suffix in ipairs(row.holding.list) do
    local a, b = row.holding.tensors[suffix], other.holding.tensors[suffix]
    if not b or a.parts or a.dtype ~= b.dtype or not shapes.equal(a.shape, b.shape) then
      return nil
    end
  end
  return other
end

local function rows_of(subject)
  local rows = {}
  for _, row in ipairs(subject.census.modules) do
    if row.layout and partner(subject, row) then rows[#rows + 1] = row end
  end
  return rows
end

local function exchange(mutant, row, other)
  local stored = mutant.genuine.stored
  for _, suffix in ipairs(row.holding.list) do
    local a = stored:find(row.holding.tensors[suffix].name)
    local b = stored:find(other.holding.tensors[suffix].name)
    mutant:put(a.name, b.dtype, b.shape, stored:bytes(b.name, b.bytes))
    mutant:put(b.name, a.dtype, a.shape, stored:bytes(a.name, a.bytes))
  end
end

return {
  id = "H02",
  name = "layer_swap",
  summary = "the same module of two layers has changed places, with all of its tensors",
  details = [[
Nothing within the module contradicts anything: weight, scales and bias are whole, and those of the
next layer's module of that name.]],
  applies = function(subject)
    if #rows_of(subject) > 0 then return true end
    return nil, "no packed module has one of the same kind in the next layer"
  end,
  doses = { "module" },
  mutate = function(mutant, dose)
    for _, row in ipairs(mutant:doses(dose, rows_of(mutant.genuine))) do
      exchange(mutant, row, partner(mutant.genuine, row))
    end
  end,
}
