-- GGUF: the files of llama.cpp. The config is made of the file's metadata (gguf/model.lua); what
-- was asked for is general.file_type.

local exclusion_lists = require "qspec.exclusion_lists"
local file_types = require "qspec.gguf.file_types"
local ggml_blocks = require "qspec.layouts.ggml_blocks"
local ggml_types = require "qspec.ggml_types"
local gguf_architectures = require "qspec.gguf.architectures"

local M = {
  name = "gguf",
  summary = "llama.cpp's files: ggml's blocks, one type a tensor",
  methods = { "gguf" },
  layouts = { ggml_blocks },
  fallbacks = {
    "rows that blocks of 256 do not divide take a type with blocks of 32 (Q4_K: Q5_0, Q6_K: Q8_0)",
    "rows that blocks of 32 do not divide stay F16",
    "mixes (S, M, L) keep some tensors in types of more bits",
    "norms, biases and routers stay F32",
  },
}

local function key_of(map, value)
  for key, other in pairs(map) do
    if other == value then return key end
  end
end

-- What llama.cpp's files call the architecture of a model; nil when they have none like it.
local function known_as(subject)
  for _, known in pairs(gguf_architectures) do
    if known.model_type == subject.raw.model_type then return known end
  end
end

-- A module's name in the files, or nil.
local function file_name(name, known)
  local index, rest = name:match("%.(%d+)%.(.+)$")
  local inner = rest and key_of(known.names, rest)
  return key_of(known.top, name) or inner and ("blk.%s.%s"):format(index, inner)
end

-- Options of llama-quantize that are not --tensor-type, by the name of the tensor.
local OF_THEIR_OWN = { token_embd = "--token-embedding-type f16",
  output = "--output-tensor-type f16" }

--- Options of llama-quantize; a name is a regular expression that is searched for.
function M.exclude(names, subject)
  local known, parts = known_as(subject), {}
  for i, name in ipairs(names) do
    local found = known and file_name(name, known)
    if not found then return nil end
    parts[i] = OF_THEIR_OWN[found]
      or ("--tensor-type '^%s\\.weight$=f16'"):format(exclusion_lists.escaped(found))
  end
  return { text = table.concat(parts, " ") }
end

M.fields = {
  { name = "quant_method", type = "string", default = "gguf" },
  { name = "file_type", type = "string", allowed = file_types.names() },
}

local function request_for(kind)
  return { bits = kind.bits, type = kind.name:lower(), class = "ggml", layout = ggml_blocks,
    scheme = { bits = kind.bits, type = kind.name:lower(), stored = kind.name } }
end

--- What a file type asks for.
function M.requested(config)
  local name = file_types.type(config.file_type)
  local kind = name and rawget(ggml_types, name)
  return kind and request_for(kind) or { problem = "general.file_type is unknown" }
end

--- llama.cpp quantizes every matrix.
function M.converts(module)
  return (module.kind == "linear" or module.kind == "embedding") and not module.tied_to
end

-- A row that no block divides stays as it is.
local function divides(module)
  return module.shape[#module.shape] % 32 == 0
end

--- A mix may store a tensor in more bits than its file type, never in fewer.
function M.requests(model)
  local least, stored = M.requested(model.values), {}
  for _, entry in ipairs(model.entries or {}) do stored[entry.known_as] = entry.dtype end
  local function of(module)
    if not M.converts(module) then return nil, nil end
    if not divides(module) then return nil, "rows are no multiple of 32" end
    local kind = rawget(ggml_types, stored[module.name .. ".weight"] or "")
    return kind and kind.bits >= least.bits and request_for(kind) or least
  end
  return { exclusions = {}, judged = least.layout ~= nil, of = of }
end

return M
