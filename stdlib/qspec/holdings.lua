-- The tensors of a checkpoint, sorted into the modules of its architecture.

local expert_parts = require "qspec.expert_parts"

local M = {}

local function has_prefix(tensors, prefix)
  for _, tensor in ipairs(tensors) do
    if tensor.name:sub(1, #prefix) == prefix then return true end
  end
  return false
end

--- Names of older files, as transformers renames them.
---@param architecture table
---@param name string
---@return string
function M.renamed(architecture, name)
  for _, rename in ipairs(architecture.renames or {}) do
    name = name:gsub(rename[1], rename[2])
  end
  return name
end

-- Of a container with names of its own, whose entries say what transformers calls them.
local function known_names(tensors)
  local known = {}
  for _, entry in ipairs(tensors) do known[entry.name] = entry.known_as end
  return function(name) return known[name] end
end

-- A large model has tens of thousands of names, and each is asked for several times.
local function remembering(canonical)
  local known = {}
  return function(name)
    local answer = known[name]
    if not answer then
      answer = canonical(name)
      known[name] = answer
    end
    return answer
  end
end

local function renaming(architecture, tensors)
  local prefix = architecture.base_prefix
  if not prefix or has_prefix(tensors, prefix) then
    return function(name) return M.renamed(architecture, name) end
  end
  local output = (architecture.output or "") .. "."
  return function(name)
    name = M.renamed(architecture, name)
    if name:sub(1, #output) == output then return name end
    return prefix .. name
  end
end

--- Checkpoints of a base model (BloomModel, not BloomForCausalLM) leave out the prefix.
--- transformers adds it on load; so do we.
---@return fun(name: string): string
function M.canonical_names(architecture, tensors)
  if tensors[1] and tensors[1].known_as then return known_names(tensors) end
  return remembering(renaming(architecture, tensors))
end

-- What older versions stored and transformers drops without a word.
local function is_ignored(architecture, name)
  for _, pattern in ipairs(architecture.ignored or {}) do
    if name:find(pattern) then return true end
  end
  return false
end

-- The module that a tensor belongs to, and the rest of its name. A parameter that is a module of
-- its own in the census (experts in one tensor) has companions joined by an underscore.
local DOT, UNDERSCORE = ("._"):byte(1, 2)

-- The longest beginning of a name that is a module and ends before such a byte. Bytes and not a
-- pattern: a large model has tens of thousands of names.
local function owner_before(mark, name, by_name)
  for i = #name, 2, -1 do
    if name:byte(i) == mark then
      local owner = name:sub(1, i - 1)
      if by_name[owner] then return owner end
    end
  end
end

local function owner_of(name, by_name)
  if by_name[name] then return name, "weight" end
  local owner = owner_before(DOT, name, by_name)
  if owner then return owner, name:sub(#owner + 2) end
  owner = owner_before(UNDERSCORE, name, by_name)
  if owner then return owner, name:sub(#owner + 1) end
end

---@class qspec.Holding
---@field tensors table<string, table> entries by what follows the module's name: "weight", "bias"
---@field list string[] those suffixes in order
---@field missing string|nil the part that keeps experts from being put together

local function put(holding, suffix, entry)
  holding.tensors[suffix] = entry
  holding.list[#holding.list + 1] = suffix
end

-- One entry for the experts of each module that the file stores apart.
local function join_parts(modules, holdings, found)
  for _, module in ipairs(modules) do
    local holding = holdings[module.name]
    if module.parts and not holding.tensors.weight then
      local entry, missing = expert_parts.join(module, found)
      holding.missing = missing
      if entry then put(holding, "weight", entry) end
    end
  end
end

--- Groups tensors by module.
---@param architecture table
---@param modules table[]
---@param tensors table[] entries of a checkpoint
---@param canonical (fun(name: string): string)|nil the module's names for the file's own
---@return table<string, qspec.Holding> by module name
---@return table[] orphans entries that no module owns
function M.group(architecture, modules, tensors, canonical)
  local by_name, holdings, orphans = {}, {}, {}
  for _, module in ipairs(modules) do
    by_name[module.name] = module
    holdings[module.name] = { tensors = {}, list = {} }
  end
  canonical = canonical or M.canonical_names(architecture, tensors)
  local part_owners, found = expert_parts.owners(modules), {}
  for _, entry in ipairs(tensors) do
    local name = canonical(entry.name)
    if part_owners[name] then  -- first: most tensors of a mixture are parts
      found[name] = entry
    else
      local owner, suffix = owner_of(name, by_name)
      if owner then
        put(holdings[owner], suffix, entry)
      elseif not is_ignored(architecture, name) then
        orphans[#orphans + 1] = entry
      end
    end
  end
  join_parts(modules, holdings, found)
  return holdings, orphans
end

--- A function from the full name of a tensor to its entry, or nil when the checkpoint stores none.
---@param tensors table[]
---@param canonical fun(name: string): string
---@return fun(name: string): table|nil
function M.lookup(tensors, canonical)
  local entries = {}
  for _, entry in ipairs(tensors) do entries[canonical(entry.name)] = entry end
  return function(name) return entries[name] end
end

--- Whether two entries are one place in a file: torch.save names tied weights twice.
function M.is_same_place(entry, other)
  return entry.file ~= nil and entry.file == other.file and entry.offset == other.offset
end

return M
