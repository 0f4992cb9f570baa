-- M04: the list of modules that are left alone says something else than the tensors.

local lists = require "qspec.mutation.lists"

-- What each variant makes of the entries; nil where it has nothing to change.
local EDITS = {}

EDITS["entry dropped"] = function(entries, random)
  if #entries == 0 then return nil end
  table.remove(entries, random:below(#entries))
  return entries
end

EDITS["prefix added"] = function(entries)
  if #entries == 0 then return nil end
  for i, entry in ipairs(entries) do entries[i] = "language_model." .. entry end
  return entries
end

EDITS["prefix stripped"] = function(entries)
  local changed = false
  for i, entry in ipairs(entries) do
    local short = entry:match("^model%.(.+)$") or entry:match("^transformer%.(.+)$")
    changed, entries[i] = changed or short ~= nil, short or entry
  end
  return changed and entries or nil
end

EDITS["parent named"] = function(entries, _, rows)
  for _, row in ipairs(rows) do
    local parent = row.layout and row.name:match("^(.*)%.[^.]+$")
    if parent then
      entries[#entries + 1] = parent
      return entries
    end
  end
end

EDITS["fused name"] = function(entries, _, rows)
  for _, row in ipairs(rows) do
    local stem = row.name:match("^(.*%.)q_proj$")
    if stem then
      entries[#entries + 1] = stem .. "qkv_proj"
      return entries
    end
  end
end

EDITS["split name"] = function(entries, _, rows)
  for _, row in ipairs(rows) do
    local stem = row.name:match("^(.*%.)query_key_value$") or row.name:match("^(.*%.)qkv_proj$")
    if stem then
      entries[#entries + 1] = stem .. "q_proj"
      return entries
    end
  end
end

EDITS["emptied"] = function(entries) return #entries > 0 and {} or nil end

EDITS["dead entry"] = function(entries)
  entries[#entries + 1] = "no_such_module"
  return entries
end

local ORDER = { "entry dropped", "prefix added", "prefix stripped", "parent named", "fused name",
  "split name", "emptied", "dead entry" }

local function edit_list(mutant, list, name)
  local entries = lists.entries(list, mutant.genuine)
  local edited = EDITS[name](entries, mutant.random, mutant.genuine.census.modules)
  if edited then lists.set(list, edited) end
  return edited ~= nil
end

local function first_list(config)
  return lists.of(config, "exclude")[1]
end

return {
  id = "M04",
  name = "ignore_edit",
  summary = "an entry of the list of excluded modules is lost, misspelt or matches nothing",
  details = [[
Only the config changes: one entry dropped, a prefix added or stripped, the parent's name added, the
fused name of split modules and the other way round, the list emptied, an entry that matches
nothing. A list that is null is written out with the architecture's defaults first.]],
  applies = function(subject)
    if subject.quantization and first_list(subject.quantization) then return true end
    return nil, "the config has no list of excluded modules"
  end,
  doses = { "once" },
  variants = function()
    local variants = {}
    for i, name in ipairs(ORDER) do variants[i] = { name = name } end
    return variants
  end,
  mutate = function(mutant, _, variant)
    local made = mutant:edit_quantization(function(config)
      local list = first_list(config)
      return list and edit_list(mutant, list, variant.name)
    end)
    return made == true
  end,
  equivalent = "the list that is written out means what the defaults mean",
}
