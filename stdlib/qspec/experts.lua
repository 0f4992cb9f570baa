-- Experts of a mixture: one module to transformers ("...mlp.experts"), whose projections are one
-- tensor each in memory, though files may keep the experts apart ("...mlp.experts.0.w1").
--
-- The census lists a projection as one module where a file holds it so, or keeps dense experts
-- apart (expert_parts.lua joins them). Experts that are packed one by one are modules of their own,
-- so that each of them can be named: `expert` says what they are part of.

local expert_parts = require "qspec.expert_parts"
local requests = require "qspec.requests"
local weights = require "qspec.weights"

local M = {}

---@class qspec.Expert
---@field of table the module of the whole projection
---@field index integer from 0
---@field first integer row of the projection that its first row is, from 1
---@field rows integer

--- The module of experts that a module lies in, or nil.
---@param name string
---@return string|nil
function M.container(name)
  return name:match("^(.*%.experts)%.")
end

-- Requests ---------------------------------------------------------------------------------------

-- The module as transformers compares it with a skip list: experts by the name of their module.
local function compared(module)
  local is_expert = module.kind == "experts" or module.expert
  local name = is_expert and M.container(module.name)
  return name and setmetatable({ name = name, kind = "experts" }, { __index = module }) or module
end

--- Requests of a config with a list of exclusions, of which experts know only their module's name.
---@param model table {architecture, modules, format, requested}
---@param skip string[]|nil
---@param request_of fun(module: table): table of a module whose kind is "experts" if it lies in one
---@return qspec.Requests
function M.requests(model, skip, request_of)
  local listed = requests.by_exclusion(model, skip, request_of)
  local of = listed.of
  listed.of = function(module) return of(compared(module)) end
  return listed
end

-- Modules ----------------------------------------------------------------------------------------

-- The name of the module whose weight a part is.
local function owner_of(part)
  return part:sub(-7) == ".weight" and part:sub(1, -8) or part
end

-- The projection that each single expert belongs to, by the expert's name.
local function projections(owners)
  local of = {}
  for part, module in pairs(owners) do of[owner_of(part)] = module end
  return of
end

local DENSE = { F16 = true, BF16 = true, F32 = true, F64 = true }

-- Tensors that may show a projection to be packed expert by expert. Most of a dense mixture are
-- none, and what is left out here costs no string.
local function suspects(tensors, owners, canonical)
  local list = {}
  for _, entry in ipairs(tensors) do
    local name = canonical(entry.name)
    if name:find(".experts.", 1, true) and not (owners[name] and DENSE[entry.dtype]) then
      list[#list + 1] = entry
    end
  end
  return list
end

-- The projection that a tensor shows to be packed expert by expert, or nil.
local function packed_projection(name, entry, of)
  local owner = owner_of(name)
  if owner ~= name and of[owner] then return not DENSE[entry.dtype] and of[owner] or nil end
  while owner and not of[owner] do owner = owner:match("^(.*)%.[^.]*$") end
  return owner and name ~= owner .. ".bias" and of[owner] or nil
end

local function single(module, part, index, first, rows)
  local shape = { rows, module.shape[3] }
  return { name = owner_of(part), class = "Linear", kind = "linear", in_features = shape[2],
    out_features = rows, shape = shape, bias = false,
    parameters = { { name = "weight", shape = shape } },
    expert = { of = module, index = index, first = first, rows = rows } }
end

local function singles(module, list)
  for index, parts in ipairs(module.parts) do
    local rows = module.shape[2] / #parts
    for i, part in ipairs(parts) do
      list[#list + 1] = single(module, part, index - 1, (i - 1) * rows + 1, rows)
    end
  end
end

--- The modules of a checkpoint: projections that it holds packed expert by expert are listed so.
---@param modules table[] from builder.modules
---@param tensors table[] entries of a checkpoint
---@param canonical fun(name: string): string
---@return table[] modules
function M.listed(modules, tensors, canonical)
  local owners = expert_parts.owners(modules)
  local found = next(owners) and suspects(tensors, owners, canonical) or {}
  if #found == 0 then return modules end
  local of, packed = projections(owners), {}
  for _, entry in ipairs(found) do
    local module = packed_projection(canonical(entry.name), entry, of)
    if module then packed[module] = true end
  end
  local list = {}
  for _, module in ipairs(modules) do
    if packed[module] then singles(module, list) else list[#list + 1] = module end
  end
  return list
end

-- Values -----------------------------------------------------------------------------------------

--- The weight of one expert out of a row that holds its whole projection.
---@param row table of a census, of the projection
---@param checkpoint any
---@param expert qspec.Expert
---@return any tensor qspec.Tensor [rows, in]
function M.slice(row, checkpoint, expert)
  local entry = row.holding.tensors.weight
  if entry and entry.parts then
    local part = entry.parts[expert.index + 1][(expert.first - 1) / expert.rows + 1]
    return require("host.tensor").read(checkpoint, part.name)
  end
  local whole = weights.read(row, checkpoint)
  return whole:select(1, expert.index + 1):narrow(1, expert.first, expert.rows):contiguous()
end

--- The weights of projections that are listed expert by expert, joined as the program takes them.
---@param census table
---@param checkpoint any
---@param dtype string
---@return table<string, any> tensors [experts, out, in] by the projection's name
function M.joined(census, checkpoint, dtype)
  local parts, joined = {}, {}
  for _, row in ipairs(census.modules) do
    local expert = row.module.expert
    if expert then
      parts[expert.of] = parts[expert.of] or {}
      table.insert(parts[expert.of], weights.read(row, checkpoint, dtype))
    end
  end
  for module, tensors in pairs(parts) do
    joined[module.name] = require("host.tensor").cat(tensors, 1):reshape(unpack(module.shape))
  end
  return joined
end

return M
