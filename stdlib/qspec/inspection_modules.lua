-- The modules of a census as JSON: under the names and with the parameters that transformers has.
--
-- The census lists the projections of experts as modules of their own, and where a file packs them
-- one by one, each expert. transformers has one module for them all, with a parameter a projection;
-- so has the JSON. Single experts stay in it where they are not as they should be.

local experts = require "qspec.experts"
local json = require "host.json"
local shapes = require "qspec.shapes"

local M = {}

local function bits(bytes, elements)
  return elements > 0 and 8 * bytes / elements or 0
end

-- Elements of a module's weight as the model multiplies by it, however it is packed.
local function weight_elements(row)
  return #row.module.shape > 0 and shapes.count(row.module.shape) or 0
end

local function parameters_json(parameters)
  local out = {}
  for name, parameter in pairs(parameters) do
    out[name] = { dtype = parameter.dtype, shape = json.array(parameter.shape) }
  end
  return out
end

local function filled(parameters)
  return next(parameters) ~= nil and parameters_json(parameters) or nil
end

local function module_json(row)
  return { name = row.name, class = row.class, parameters = parameters_json(row.parameters),
    buffers = filled(row.buffers), companions = filled(row.companions),
    logical_dtype = row.logical_dtype, format = row.layout and row.layout.name or nil,
    requested = row.requested, status = row.status, reason = row.reason, bytes = row.stored,
    bits_per_weight = row.layout and bits(row.stored, weight_elements(row)) or nil,
    tied_to = row.tied_to }
end

-- "weight" of the projection "gate_up_proj" is its module's parameter "gate_up_proj", a companion
-- "_scale_inv" its "gate_up_proj_scale_inv".
local function parameter_name(row, container, suffix)
  local projection = row.name:sub(#container + 2)
  if suffix == "weight" then return projection end
  return projection .. (suffix:sub(1, 1) == "_" and "" or "_") .. suffix
end

local HELD_AS = { "parameters", "buffers", "companions" }

local function add_projection(group, row)
  for _, kind in ipairs(HELD_AS) do
    for suffix, parameter in pairs(row[kind]) do
      group[kind][parameter_name(row, group.name, suffix)] = parameter
    end
  end
end

-- The parameter that single experts become in memory: rows below each other, experts outermost.
local function grow(parameter, name, held, expert)
  local whole = held[name]
  if not whole then
    whole = { dtype = parameter.dtype, shape = { expert.of.shape[1], unpack(parameter.shape) } }
    held[name] = whole
  elseif expert.index == 0 and whole.shape[2] and parameter.shape[1] then
    whole.shape[2] = whole.shape[2] + parameter.shape[1]
  end
end

local function add_expert(group, row)
  local expert = row.module.expert
  for _, kind in ipairs(HELD_AS) do
    for suffix, parameter in pairs(row[kind]) do
      local name = suffix:gsub("^weight_", "_")
      grow(parameter, parameter_name(expert.of, group.name, name), group[kind], expert)
    end
  end
end

local function new_group(name, row)
  return { name = name, class = row.class, parameters = {}, buffers = {}, companions = {},
    stored = 0, elements = 0, status = "ok", logical_dtype = row.logical_dtype,
    layout = row.layout, requested = row.requested, reason = row.reason }
end

local function count(group, row)
  group.stored = group.stored + row.stored
  if row.module.kind ~= "parameter" then group.elements = group.elements + weight_elements(row) end
  if row.status ~= "ok" and group.status == "ok" then
    group.status, group.reason = row.status, row.name .. " is " .. row.status
  end
end

local function group_json(group)
  return { name = group.name, class = group.class, parameters = parameters_json(group.parameters),
    buffers = filled(group.buffers), companions = filled(group.companions),
    logical_dtype = group.logical_dtype, format = group.layout and group.layout.name or nil,
    requested = group.requested, status = group.status, reason = group.reason,
    bytes = group.stored,
    bits_per_weight = group.layout and bits(group.stored, group.elements) or nil }
end

-- Adds a row to the group of its experts, which comes where its first row came.
local function add_grouped(entries, groups, container, row)
  local group = groups[container]
  if not group then
    group = new_group(container, row)
    groups[container] = group
    entries[#entries + 1] = { group = group }
  end
  if row.module.expert then
    add_expert(group, row)
    if row.status ~= "ok" then entries[#entries + 1] = { row = row } end
  else
    add_projection(group, row)
  end
  count(group, row)
end

-- The module that a parameter of its own in the census is one of, or nil: "mlp.gate" of
-- "mlp.gate.e_score_correction_bias".
local function owner_of(census, row)
  local owner = row.kind == "parameter" and row.name:match("^(.*)%.[^.]*$")
  return owner and census.by_name[owner] and owner or nil
end

local function add_parameter(module, row)
  local weight = row.parameters.weight
  local added = weight and parameters_json { [row.name:match("[^.]*$")] = weight } or {}
  for name, parameter in pairs(added) do module.parameters[name] = parameter end
  module.bytes = module.bytes + row.stored
end

--- The list of modules.
---@param census table
---@return table[] as schema/inspect.json has them
function M.to_json(census)
  local entries, groups, list, by_name = {}, {}, {}, {}
  for _, row in ipairs(census.modules) do
    local container = experts.container(row.name)
    if container then
      add_grouped(entries, groups, container, row)
    elseif not owner_of(census, row) then
      entries[#entries + 1] = { row = row }
    end
  end
  for i, entry in ipairs(entries) do
    list[i] = entry.group and group_json(entry.group) or module_json(entry.row)
    by_name[list[i].name] = list[i]
  end
  for _, row in ipairs(census.modules) do
    local owner = not experts.container(row.name) and owner_of(census, row)
    if owner then add_parameter(by_name[owner], row) end
  end
  return json.array(list)
end

return M
