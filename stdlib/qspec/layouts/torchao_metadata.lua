-- What torchao writes into the metadata of a safetensors file: of each parameter, its class of
-- tensor, the class's attributes and the names of its parts.
--
-- Source: torchao 0.18, prototype/safetensors/safetensors_support.py and safetensors_utils.py:
-- "tensor_names" is a JSON list of parameters, and each name a key with JSON of its own.

local json = require "host.json"

local M = {}

local KNOWN = { Tensor = true, Float8Tensor = true, Int4Tensor = true, Int8Tensor = true,
  Int4TilePackedTo4dTensor = true, IntxUnpackedToInt8Tensor = true, Int4PlainInt32Tensor = true,
  MXTensor = true, NVFP4Tensor = true }

---@class qspec.TorchaoParameter
---@field type string class of tensor
---@field data table its attributes
---@field names table<string, boolean> its parts: "qdata", "scale"

---@class qspec.TorchaoMetadata
---@field parameters table<string, qspec.TorchaoParameter> by full name
---@field present boolean whether a file has it
---@field problems { key: string, found: string, wanted: string }[]

local function decoded(text, name)
  local ok, value = pcall(json.decode, text, name)
  return ok and type(value) == "table" and value or nil
end

local function text_of(value)
  return type(value) == "string" and value or "nothing"
end

local function parameter_of(value)
  local names = {}
  for _, name in ipairs(type(value._tensor_data_names) == "table" and value._tensor_data_names
      or {}) do
    names[tostring(name)] = true
  end
  return { type = value._type, data = type(value._data) == "table" and value._data or {},
    names = names }
end

local function add_problem(metadata, key, found, wanted)
  metadata.problems[#metadata.problems + 1] = { key = key, found = found, wanted = wanted }
end

local function add_parameter(metadata, texts, name)
  if type(name) ~= "string" then
    return add_problem(metadata, "tensor_names", "an entry that is no text", "names of parameters")
  end
  local value = texts[name] and decoded(texts[name], name)
  if not value then
    add_problem(metadata, name, texts[name] and "metadata that is no JSON object"
      or "no metadata", "the class of the tensor and its parts")
  elseif not KNOWN[value._type] then
    add_problem(metadata, name, ("a tensor of class '%s'"):format(text_of(value._type)),
      "a class that torchao restores")
  elseif value._type ~= "Tensor" then
    metadata.parameters[name] = parameter_of(value)
  end
end

local function add_file(metadata, texts)
  if not texts.tensor_names then return end
  metadata.present = true
  local names = decoded(texts.tensor_names, "tensor_names")
  if not names then
    return add_problem(metadata, "tensor_names", "no JSON list", "the names of all parameters")
  end
  for _, name in ipairs(names) do add_parameter(metadata, texts, name) end
end

local kept = setmetatable({}, { __mode = "k" })

--- The metadata of a checkpoint, of all its files together.
---@param checkpoint any
---@return qspec.TorchaoMetadata
function M.of(checkpoint)
  if not kept[checkpoint] then
    local metadata = { parameters = {}, present = false, problems = {} }
    for _, file in ipairs(checkpoint:files()) do add_file(metadata, file.metadata or {}) end
    kept[checkpoint] = metadata
  end
  return kept[checkpoint]
end

--- The metadata of the weight that these tensors are parts of, nil when there is none.
---@param w qspec.StoredWeight
---@return qspec.TorchaoParameter|nil
function M.of_weight(w)
  for _, suffix in ipairs(w.list) do
    if suffix:find("^_weight_") then
      local name = w.tensors[suffix].name:gsub("_weight_[%w_]+$", "weight")
      return M.of(w.checkpoint).parameters[name]
    end
  end
end

return M
