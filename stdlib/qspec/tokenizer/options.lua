-- What a tokenizer class may ask for: values of the config, special tokens, ids.

local json = require "host.json"
local outcome = require "qspec.outcome"
local special_tokens = require "qspec.tokenizer.special_tokens"

local MOST_TOKENS = 65536  -- that a config may ask for by their number

local function refuse(message, hint, where)
  error(outcome.error("checkpoint", message, hint, where), 0)
end

---@param config table
---@param special table of special_tokens.read
---@param vocabulary table
---@param added table? of added_tokens.new; without it there are no ids
---@return table o
local function options(config, special, vocabulary, added)
  local o = { charsmap = vocabulary.charsmap }
  function o.value(name)
    local value = config[name]
    if value == json.null then return nil end
    return value
  end
  function o.flag(name, otherwise)
    local value = o.value(name)
    if value == nil then return otherwise end
    return value ~= false and value ~= 0
  end
  function o.count(name, otherwise)
    local value = o.value(name)
    if value == nil then return otherwise end
    if type(value) == "number" and value % 1 == 0 and value >= 0 and value <= MOST_TOKENS then
      return value
    end
    refuse(("%s is %s, wanted a whole number of 0 to %d"):format(name, json.encode(value),
      MOST_TOKENS), nil, vocabulary.where)
  end
  o.content = special_tokens.content
  function o.token(name) return special_tokens.content(special.values[name]) end
  function o.id(content)
    local id = added and added:id(content)
    if id then return id end
    refuse(("the special token '%s' is not in the vocabulary"):format(tostring(content)), nil,
      vocabulary.where)
  end
  return o
end

return options
