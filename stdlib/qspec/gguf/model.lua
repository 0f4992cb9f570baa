-- A GGUF file as a Hugging Face model: its config, the names of its modules, and its weights in the
-- order that transformers has them.

local outcome = require "qspec.outcome"
local architectures = require "qspec.gguf.architectures"
local file_types = require "qspec.gguf.file_types"
local nearest = require "qspec.nearest"
local printable = require "qspec.printable"
local rope = require "qspec.gguf.rope"

local M = {}

local function refuse(kind, message, hint, where)
  error(outcome.error(kind, message, hint, where), 0)
end

-- Floats are stored in fp32: the shortest text that stands for the same one.
local function shortest(value)
  if type(value) ~= "number" or value % 1 == 0 then return value end
  return tonumber(("%.6g"):format(value))
end

---@class qspec.GgufModel
---@field checkpoint any host.checkpoint
---@field architecture qspec.GgufArchitecture
---@field config table as config.json would have it
---@field kinds table the JSON types of what is checked in it
local Model = {
  kinds = { quantization_config = { quant_method = "string", file_type = "string" } },
}
Model.__index = Model

local function architecture_of(checkpoint, where)
  local name = checkpoint:metadata("general.architecture")
  if type(name) ~= "string" then
    refuse("checkpoint", "the file has no general.architecture",
      "a GGUF file of a model names its architecture there", where)
  end
  local found = rawget(architectures, name)
  if found then return found, name end
  local known = {}
  for each in pairs(architectures) do known[#known + 1] = each end
  table.sort(known)
  local close = nearest(name, known)
  refuse("unsupported", ("unknown GGUF architecture '%s'"):format(printable.line(name)), close
    and ("did you mean '%s'?"):format(close) or "known: " .. table.concat(known, ", "), where)
end

-- m(key): metadata of the architecture; m.has(name): whether there is a tensor.
local function reader(checkpoint, prefix)
  return setmetatable({ has = function(name) return checkpoint:find(name) ~= nil end },
    { __call = function(_, key) return shortest((checkpoint:metadata(prefix .. "." .. key))) end })
end

local NEEDED = { "block_count", "embedding_length", "attention.head_count" }
local OPTIONAL = { "feed_forward_length", "attention.head_count_kv", "attention.key_length",
  "context_length", "rope.dimension_count" }

local function is_count(value)
  return type(value) == "number" and value % 1 == 0 and value >= 1 and value <= 2 ^ 24
end

local function check_counts(m, prefix, where)
  local keys = {}
  for _, key in ipairs(NEEDED) do keys[#keys + 1] = key end
  for _, key in ipairs(OPTIONAL) do keys[#keys + 1] = m(key) ~= nil and key or nil end
  for _, key in ipairs(keys) do
    local value = m(key)
    if not is_count(value) then
      refuse("checkpoint", ("%s.%s is %s, wanted a count"):format(prefix, key,
        printable.line(tostring(value))), nil, where)
    end
  end
  if m("expert_count") and m("expert_count") > 0 then
    refuse("unsupported", "experts in GGUF files are not read", nil, where)
  end
end

local TOKENS = { bos_token_id = "bos_token_id", eos_token_id = "eos_token_id",
  pad_token_id = "padding_token_id" }

local function config_of(checkpoint, architecture, prefix, where)
  local m = reader(checkpoint, prefix)
  check_counts(m, prefix, where)
  local config = architecture.config(m)
  config.model_type = architecture.model_type
  config.rope_scaling = rope.scaling(checkpoint, m, where)
  config.tie_word_embeddings = not m.has("output.weight")
  local embedding = checkpoint:find("token_embd.weight")
  if not embedding or #embedding.shape ~= 2 then
    refuse("checkpoint", "there is no matrix token_embd.weight", "is this the text model's file?",
      where)
  end
  config.vocab_size = embedding.shape[1]
  for key, name in pairs(TOKENS) do
    config[key] = checkpoint:metadata("tokenizer.ggml." .. name)
  end
  local file_type = file_types.name(checkpoint:metadata("general.file_type"))
  if file_types.type(file_type) then
    config.quantization_config = { quant_method = "gguf", file_type = file_type }
  end
  return config
end

--- Opens the model of a checkpoint of GGUF files.
---@param checkpoint any host.checkpoint
---@return qspec.GgufModel
function M.open(checkpoint)
  local where = checkpoint:path()
  local architecture, prefix = architecture_of(checkpoint, where)
  local names = {}
  for key, value in pairs(architecture.names) do names[key] = value end
  local m = reader(checkpoint, prefix)
  for key, value in pairs(architecture.renamed and architecture.renamed(m) or {}) do
    names[key] = value
  end
  return setmetatable({ checkpoint = checkpoint, architecture = architecture, names = names,
    config = config_of(checkpoint, architecture, prefix, where) }, Model)
end

-- "blk.3.attn_q.weight": layer, name within it, parameter.
local function parsed(name)
  local layer, inner, parameter = name:match("^blk%.(%d+)%.([%w_]+)%.(%a+)$")
  -- One spelling a layer: 007 is no layer.
  if layer and #layer < 6 and tostring(tonumber(layer)) == layer then
    return tonumber(layer), inner, parameter
  end
  inner, parameter = name:match("^([%w_]+)%.(%a+)$")
  return nil, inner, parameter
end

--- The name that transformers has for a tensor of the file; its own when there is none.
function Model:canonical(name)
  local layer, inner, parameter = parsed(name)
  local module = inner and (layer and self.names or self.architecture.top)[inner]
  if not module then return name end
  return (layer and self.architecture.layer:format(layer) or "") .. module .. "." .. parameter
end

-- An order that takes each row once, or the counts in the file are not those of its weights.
local function checked(order, entry, where)
  return function(count)
    local list, seen = order(count), {}
    for _, row in ipairs(list) do seen[row] = row % 1 == 0 and row >= 1 and row <= count end
    for row = 1, count do
      if not seen[row] or #list ~= count then
        refuse("checkpoint", ("the %d rows of '%s' are not those of its heads"):format(count,
          printable.line(entry.name)), nil, where)
      end
    end
    return list
  end
end

-- Undoes what the converter did. `order` numbers the rows of a matrix or the entries of a bias.
local function restorer(order, less, transposed)
  return function(tensor)
    if order then tensor = tensor:index_select(1, order(tensor:shape()[1])) end
    if less then tensor = tensor:sub(less) end
    if transposed then tensor = tensor:t():contiguous() end
    return tensor
  end
end

local FLOATS = { F16 = true, BF16 = true, F32 = true, F64 = true }

--- The tensors of the file; where the converter changed values, entries have `order` (of rows) and
--- `restore`, a function of the tensor as stored.
---@return table[] entries
function Model:tensors()
  local architecture, entries = self.architecture, {}
  for _, entry in ipairs(self.checkpoint:tensors()) do
    -- Factors of rotary positions are part of the config.
    if entry.name ~= "rope_freqs.weight" then entries[#entries + 1] = entry end
    local layer, inner, parameter = parsed(entry.name)
    local order = layer and architecture.order and architecture.order(inner, self.config) or nil
    order = order and checked(order, entry, self.checkpoint:path())
    local less = architecture.plus_one and parameter == "weight" and inner:find("norm") and 1 or nil
    local transposed = layer and architecture.transposed and architecture.transposed[inner]
      and parameter == "weight" and FLOATS[entry.dtype] and #entry.shape == 2
    entry.known_as, entry.order = self:canonical(entry.name), order
    if order or less or transposed then entry.restore = restorer(order, less, transposed) end
    if transposed then entry.shape = { entry.shape[2], entry.shape[1] } end
  end
  return entries
end

return M
