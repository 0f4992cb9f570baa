-- The tokenizer of a model folder, which encodes and decodes as transformers' AutoTokenizer does.

local cleanup = require "qspec.tokenizer.cleanup"
local json = require "host.json"
local load = require "qspec.tokenizer.load"

local M = {}

-- Decodes as the tokenizer does, and then cleans up spaces.
local function cleaned(tokenizer)
  local proxy = {}
  for _, name in ipairs { "encode", "vocab_size", "id", "token", "release" } do
    proxy[name] = function(_, ...) return tokenizer[name](tokenizer, ...) end
  end
  function proxy.decode(_, ...) return cleanup.clean(tokenizer:decode(...)) end
  return proxy
end

-- Whether what was made is the file as it stands: then it need not be written and read again.
local function is_file(described)
  local file = described.file
  return file ~= nil and described.class.build == nil
    and described.parts.post_processor == file.post_processor
    and json.encode(described.parts.added_tokens, { sort = true })
      == json.encode(file.added_tokens, { sort = true })
end

--- Reads and makes the tokenizer. Raises an error of kind "checkpoint" for files that are missing
--- or malformed, "unsupported" for a class or a component that is not here.
---@param subject table
---@return any tokenizer qspec.Tokenizer
function M.of(subject)
  local described = load.describe(subject)
  local text = require "host.text"
  local on_disk = is_file(described) and not subject.folder.changed["tokenizer.json"]
  local tokenizer = on_disk and text.tokenizer(subject:file("tokenizer.json"))
    or text.tokenizer_of(json.encode(described.parts), described.where)
  local cleans = cleanup.applies(described.config, described.parts.model.type)
  return cleans and cleaned(tokenizer) or tokenizer
end

--- Special tokens by name.
---@param subject table
---@return table<string, string>
function M.special_tokens(subject)
  return load.special_tokens(subject)
end

return M
