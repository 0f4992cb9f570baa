-- config.json as an architecture reads it: old key names translated, defaults filled in.

local outcome = require "qspec.outcome"
local json = require "host.json"

local M = {}

-- What transformers can load a model in.
local DTYPES = { "float32", "float16", "bfloat16", "float64" }

--- The model_type of a raw config, checked.
function M.model_type(raw, where)
  local model_type = raw.model_type
  if type(model_type) ~= "string" then
    error(outcome.error("checkpoint", "config.json has no model_type",
      "a checkpoint saved by transformers names its architecture there", where), 0)
  end
  return model_type
end

local function value_of(raw, name, aliases)
  local value = raw[name]
  if value == nil then
    for alias, meant in pairs(aliases) do
      if meant == name and raw[alias] ~= nil then value = raw[alias] end
    end
  end
  return value
end

local function set_of(names)
  local set = {}
  for _, name in ipairs(names or {}) do set[name] = true end
  return set
end

--- The values that the architecture knows, by their current names. A null is the default, but for
--- the names that the architecture lists as `nullable`: there it means none.
---@param architecture table
---@param raw table decoded config.json
---@param where string its path, for messages
function M.read(architecture, raw, where)
  local declared = architecture.config
  local aliases, nullable = declared.aliases or {}, set_of(declared.nullable)
  local values = {}
  for name, default in pairs(declared.defaults or {}) do values[name] = default end
  for name in pairs(raw) do
    local known = aliases[name] or name
    local value = value_of(raw, known, aliases)
    if value ~= json.null then
      values[known] = value
    elseif nullable[known] then
      values[known] = nil
    end
  end
  for _, name in ipairs(declared.required or {}) do
    if values[name] == nil then
      error(outcome.error("checkpoint", ("config.json has no '%s', which %s needs")
        :format(name, architecture.name), nil, where), 0)
    end
  end
  return values
end

--- The dtype that transformers loads the model in: dtype="auto", that is, the config's own.
---@param raw table decoded config.json
---@param where string its path, for messages
---@return string|nil torch name, nil when the config is silent
function M.dtype(raw, where)
  local dtype = raw.dtype or raw.torch_dtype
  if type(dtype) ~= "string" or dtype == "auto" then return nil end
  local name = dtype:gsub("^torch%.", "")
  for _, known in ipairs(DTYPES) do
    if name == known then return name end
  end
  error(outcome.error("checkpoint", ("config.json has dtype = '%s', wanted one of %s"):format(dtype,
    table.concat(DTYPES, ", ")), nil, where), 0)
end

return M
