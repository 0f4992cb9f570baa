-- A folder is a registry: each file of qspec/<folder>/ declares one thing of that kind. Nothing is
-- loaded before it is asked for by name; what a file returns is validated when it is loaded.

local nearest = require "qspec.nearest"
local outcome = require "qspec.outcome"
local schema = require "qspec.schema"

-- What an entry is called, and its fields beside name and summary: types, or values allowed.
local FOLDERS = {
  architectures = {
    noun = "architecture",
    required = {
      model_types = { type = "table" },
      class = { type = "string" },
      output = { type = "string" },
      tied = { type = "table" },
      config = { type = "table" },
    },
    one_of = { "decoder", "encoder_decoder", "outline" },
    optional = {
      decoder = { type = "function" },
      encoder_decoder = { type = "function" },
      outline = { type = "function" },
      always_tied = { type = "boolean" },
      base_prefix = { type = "string" },
      keep_in_fp32 = { type = "table" },
      keep_in_fp32_strict = { type = "table" },
      renames = { type = "table" },
      ignored = { type = "table" },
    },
  },
  formats = {
    noun = "format",
    required = {
      methods = { type = "table" },
      layouts = { type = "table" },
      fields = { type = "table" },
      requested = { type = "function" },
    },
    optional = {
      fallbacks = { type = "table" },
      converts = { type = "function" },
      requests = { type = "function" },
      normalize = { type = "function" },
      files = { type = "table" },
      exclude = { type = "function" },
      keeps_unknown_keys = { type = "boolean" },
    },
  },
  checks = {
    noun = "check",
    required = {
      needs = { allowed = { "config", "header", "weights", "forward", "generate" } },
      run = { type = { "function", "table" } },
    },
    optional = {
      params = { type = "table" },
      tags = { type = "table" },
      evidence = { type = "function" },
    },
  },
  tokenizer_classes = {
    noun = "tokenizer class",
    required = { tokens = { type = "table" } },
    optional = {
      aliases = { type = "table" },
      model_types = { type = "table" },
      overrides = { type = "table" },
      file = { type = "string" },
      build = { type = "function" },
      pieces = { type = "function" },
      additional = { type = "function" },
      post_processor = { type = "function" },
      adds_special_tokens = { allowed = { "plain", "special" } },
      rebuilds_post_processor = { type = "boolean" },
      adds_bos = { type = "boolean" },
      named_tokens = { type = "table" },
    },
  },
  incidents = {
    noun = "class of incidents",
    required = { incidents = { type = "table" } },
  },
  operators = {
    noun = "operator",
    required = {
      id = { type = "string" },
      applies = { type = "function" },
      doses = { type = "table" },
    },
    optional = {
      mutate = { type = "function" },
      play = { type = "function" },
      variants = { type = "function" },
      equivalent = { type = { "function", "string" } },
    },
  },
  reporters = { noun = "reporter", required = { new = { type = "function" } } },
  commands = {
    noun = "command",
    required = { run = { type = "function" } },
    optional = { options = { type = "function" }, examples = { type = "table" } },
  },
}

local NAME_AND_SUMMARY = { name = { type = "string" }, summary = { type = "string" } }

-- Pages of `qspec explain`, in every folder.
local COMMON_OPTIONAL = { details = { type = "string" }, example = { type = "string" } }

local function refuse(path, message, hint)
  error(outcome.error("spec", message, hint, path), 0)
end

local function is_one_of(value, values)
  for _, one in ipairs(values) do
    if one == value then
      return true
    end
  end
  return false
end

local function check_field(path, field, value, wanted)
  local types = type(wanted.type) == "string" and { wanted.type } or wanted.type
  if types and not is_one_of(type(value), types) then
    refuse(path, "field '" .. field .. "' is a " .. type(value) .. ", wanted a "
      .. table.concat(types, " or a "))
  elseif wanted.allowed and not is_one_of(value, wanted.allowed) then
    refuse(path, "field '" .. field .. "' is " .. schema.show(value) .. ", wanted one of "
      .. table.concat(wanted.allowed, ", "))
  end
end

local function check_required(path, entry, fields)
  for field, wanted in pairs(fields) do
    check_field(path, field, entry[field], wanted)
  end
end

local function check_optional(path, entry, fields)
  for field, wanted in pairs(fields or {}) do
    if entry[field] ~= nil then
      check_field(path, field, entry[field], wanted)
    end
  end
end

-- Exactly one of these fields is there.
local function check_one_of(path, entry, fields)
  local found = {}
  for _, field in ipairs(fields) do
    if entry[field] ~= nil then found[#found + 1] = field end
  end
  if #found == 1 then return end
  refuse(path, ("there is %s of the fields %s, wanted one of them"):format(#found == 0 and "none"
    or table.concat(found, " and "), table.concat(fields, ", ")))
end

local function validate(path, name, entry, kind)
  if type(entry) ~= "table" then
    refuse(path, "a " .. kind.noun .. " file returned a " .. type(entry) .. ", wanted a table",
      "does the file end with 'return M'?")
  end
  check_required(path, entry, NAME_AND_SUMMARY)
  if entry.name ~= name then
    refuse(path, "field 'name' is '" .. entry.name .. "', wanted the file's name '" .. name .. "'")
  end
  check_required(path, entry, kind.required)
  check_optional(path, entry, kind.optional)
  if kind.one_of then check_one_of(path, entry, kind.one_of) end
  check_optional(path, entry, COMMON_OPTIONAL)
  return entry
end

-- Where files come from outside of tests.
local function installed()
  local system = require "host.system"
  return {
    roots = require("qspec.roots")(),
    list = system.list,
    kind = system.kind,
    load = function(_, module)
      return require(module)
    end,
  }
end

local function file_of(source, folder, name)
  if not name:find("^[%w_-]+$") then
    return nil
  end
  for _, root in ipairs(source.roots) do
    local path = root .. "/qspec/" .. folder .. "/" .. name .. ".lua"
    if source.kind(path) == "file" then
      return path
    end
  end
  return nil
end

local function stems(source, folder)
  local names, seen = {}, {}
  for _, root in ipairs(source.roots) do
    for _, file in ipairs(source.list(root .. "/qspec/" .. folder) or {}) do
      local stem = file:match("^([%w_-]+)%.lua$")
      if stem and not seen[stem] then
        seen[stem] = true
        names[#names + 1] = stem
      end
    end
  end
  table.sort(names)
  return names
end

local function load_entry(source, folder, name, path)
  local ok, entry = pcall(source.load, path, "qspec." .. folder .. "." .. name)
  if not ok then
    local err = outcome.from(entry, "spec")
    -- Of a module that was not found, the lines below tell where it was looked for.
    local reason = err.message:match("^[^\n]*")
    local message = FOLDERS[folder].noun .. " '" .. name .. "' does not load: " .. reason
    refuse(err.where ~= "" and err.where or path, message, err.hint)
  end
  return validate(path, name, entry, FOLDERS[folder])
end

local function unknown(folder, name, names)
  local noun = FOLDERS[folder].noun
  local meant = nearest(name, names)
  local hint = meant and "did you mean '" .. meant .. "'?"
    or noun .. "s: " .. table.concat(names, ", ")
  return outcome.error(folder == "commands" and "usage" or "spec",
    "there is no " .. noun .. " '" .. name .. "'", hint)
end

---@class qspec.Registry
---@field names fun(): string[] sorted, the caller's own copy; lists folders, loads nothing
---@field has fun(name: string): boolean
---@field get fun(name: string): table loads this one; raises when unknown or invalid
---@field all fun(): table[] loads every entry, sorted by name

local function open(folder, source)
  local loaded, names = {}, nil
  local M = {}

  function M.names()
    names = names or stems(source, folder)
    return { unpack(names) }
  end

  function M.has(name)
    return loaded[name] ~= nil or file_of(source, folder, name) ~= nil
  end

  function M.get(name)
    if not loaded[name] then
      local path = file_of(source, folder, name)
      if not path then
        error(unknown(folder, name, M.names()), 0)
      end
      loaded[name] = load_entry(source, folder, name, path)
    end
    return loaded[name]
  end

  function M.all()
    local entries = {}
    for i, name in ipairs(M.names()) do
      entries[i] = M.get(name)
    end
    return entries
  end

  return M
end

local opened = {}

---The registry of a folder; asked again, the same one.
---@param folder "architectures"|"formats"|"checks"|"incidents"|"operators"|"reporters"|"commands"|
---  "tokenizer_classes"
---@param source { roots: string[], list: function, kind: function, load: function }? for tests
---@return qspec.Registry
local function registry(folder, source)
  if not FOLDERS[folder] then
    error("there is no registry '" .. tostring(folder) .. "'", 2)
  end
  if source then
    return open(folder, source)
  end
  opened[folder] = opened[folder] or open(folder, installed())
  return opened[folder]
end

return registry
