-- The tensors of a checkpoint, sorted into the modules of its architecture.

local M = {}

local function has_prefix(tensors, prefix)
  for _, tensor in ipairs(tensors) do
    if tensor.name:sub(1, #prefix) == prefix then return true end
  end
  return false
end

--- Checkpoints of a base model (BloomModel, not BloomForCausalLM) leave out the prefix.
--- transformers adds it on load; so do we.
local function canonical_names(architecture, tensors)
  local prefix = architecture.base_prefix
  if not prefix or has_prefix(tensors, prefix) then
    return function(name) return name end
  end
  local output = (architecture.output or "") .. "."
  return function(name)
    if name:sub(1, #output) == output then return name end
    return prefix .. name
  end
end

-- The module that a tensor belongs to, and the rest of its name. A parameter that is a module of
-- its own in the census (experts in one tensor) has companions joined by an underscore.
local function owner_of(name, by_name)
  if by_name[name] then return name, "weight" end
  local owner = name
  while true do
    local dot = owner:match("^.*()%.")
    if not dot then break end
    owner = owner:sub(1, dot - 1)
    if by_name[owner] then return owner, name:sub(#owner + 2) end
  end
  owner = name
  while true do
    local underscore = owner:match("^.*()_")
    if not underscore then return nil end
    owner = owner:sub(1, underscore - 1)
    if by_name[owner] then return owner, name:sub(#owner + 1) end
  end
end

---@class qspec.Holding
---@field tensors table<string, table> entries by what follows the module's name: "weight", "bias"
---@field list string[] those suffixes in order

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
  canonical = canonical or canonical_names(architecture, tensors)
  for _, entry in ipairs(tensors) do
    local owner, suffix = owner_of(canonical(entry.name), by_name)
    if owner then
      local holding = holdings[owner]
      holding.tensors[suffix] = entry
      holding.list[#holding.list + 1] = suffix
    else
      orphans[#orphans + 1] = entry
    end
  end
  return holdings, orphans
end

--- A function that tells whether the checkpoint stores a tensor, by its full name.
function M.lookup(architecture, tensors)
  local canonical, names = canonical_names(architecture, tensors), {}
  for _, entry in ipairs(tensors) do names[canonical(entry.name)] = true end
  return function(name) return names[name] == true end
end

return M
