-- The lists of module names in a quantization config: what is left alone, what is converted.

local exclusions = require "qspec.exclusions"
local json = require "host.json"

local M = {}

-- Keys of every library, wherever in the config they are.
local KEYS = { llm_int8_skip_modules = "exclude", modules_to_not_convert = "exclude",
  ignore = "exclude", exclude_modules = "exclude", ignored_layers = "exclude", exclude = "exclude",
  targets = "target", modules_to_convert = "target", modules_in_block_to_quantize = "target" }

local function visit(object, found)
  for _, key in ipairs(json.keys(object)) do
    local value = object[key]
    if KEYS[key] and (value == json.null or json.is_array(value)) then
      found[#found + 1] = { object = object, key = key, kind = KEYS[key] }
    elseif type(value) == "table" and not json.is_array(value) then
      visit(value, found)
    end
  end
  return found
end

--- The lists of a config, null ones too.
---@param config table quantization_config
---@param kind "exclude"|"target"
---@return table[] {object, key}
function M.of(config, kind)
  local lists = {}
  for _, list in ipairs(visit(config, {})) do
    if list.kind == kind then lists[#lists + 1] = list end
  end
  return lists
end

--- What a list says; of one that is null, what the architecture leaves alone by default.
---@return string[] a copy
function M.entries(list, subject)
  local value = list.object[list.key]
  if value ~= json.null then return { unpack(value) } end
  return exclusions.default_keys(subject.architecture, subject.modules)
end

function M.set(list, entries)
  list.object[list.key] = json.array(entries)
end

return M
