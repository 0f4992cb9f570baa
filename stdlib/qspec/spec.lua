-- The spec language. Loading a spec only records what it says; nothing is read until the plan runs.
--
-- Verbs: family, model, check, example, hub, path; one for each check of the registry (memory,
-- layers, ...); one for each format that can quantize (bitsandbytes { ... }).

local sandbox = require "host.sandbox"
local system = require "host.system"
local nearest = require "qspec.nearest"
local outcome = require "qspec.outcome"
local registry = require "qspec.registry"
local schema = require "qspec.schema"
local tier = require "qspec.tier"

local M = {}

local LIMITS = { steps = 50e6, seconds = 10, bytes = 64 * 2 ^ 20 }

local MODEL_FIELDS = {
  checkpoint = { type = "any", help = "example, hub or path; a text is a path beside the spec" },
  baseline = { type = "any", help = "the full-precision checkpoint to compare with" },
  quantize = { type = "any", help = "quantize the checkpoint on load: bitsandbytes { ... }" },
  architecture = { type = "table", help = "what config.json says, to compute without weights" },
  tags = { type = "list", list_of = "string", help = "for --only and --skip" },
}

local CUSTOM_FIELDS = {
  needs = { type = "string", allowed = tier.ORDER, default = "header" },
  run = { type = "function", required = true, help = "write run = function(ctx) ... end" },
  summary = { type = "string", default = "" },
  tags = { type = "list", list_of = "string" },
}

local Spec = {}
Spec.__index = Spec

-- file:line of the spec statement that called the verb.
local function caller()
  for level = 3, 12 do
    local info = debug.getinfo(level, "Sl")
    if not info then break end
    if info.what ~= "C" and info.source:sub(1, 6) == "@spec:" then
      return info.source:sub(7) .. ":" .. info.currentline, info.currentline
    end
  end
  return "?", 0
end

local function mistake(message, hint, where)
  error(outcome.error("spec", message, hint, where), 0)
end

-- The line at or after `first` where the field is written; the field has no line of its own.
local function line_of_field(spec, name, first)
  for number = first, #spec.lines do
    if number > first and spec.lines[number]:find("^}") then break end
    if spec.lines[number]:find("%f[%w_]" .. name .. "%f[^%w_]%s*=") then return number end
  end
  return first
end

local function reference(spec, value, what, where)
  if type(value) == "string" then return { kind = "path", path = spec:beside(value) } end
  if type(value) == "table" and value.kind then return value end
  mistake(what .. " is " .. schema.show(value),
    'write example "name", hub "org/name" or a path', where)
end

--- A path of the spec, relative to the spec's own folder.
function Spec:beside(path)
  if path:sub(1, 1) == "/" then return path end
  local folder = self.path:match("^(.*)/[^/]*$")
  return folder and folder .. "/" .. path or path
end

function Spec:declare(check, values, where, model)
  if values == nil then values = {} end
  if type(values) ~= "table" then
    mistake(("%s wants a table, got %s"):format(check.name, schema.show(values)),
      ("write %s { ... }"):format(check.name), where)
  end
  local params = schema.check(check.params, values, check.name, where)
  local list = model and model.declarations or self.declarations
  list[#list + 1] = { check = check, params = params, where = where, name = check.name,
    tags = check.tags or {} }
end

function Spec:add_check_verbs(env)
  local checks = registry("checks")
  for _, name in ipairs(checks.names()) do
    env[name] = function(values) self:declare(checks.get(name), values, (caller())) end
  end
end

local function checked_quantize(value, where)
  if type(value) ~= "table" or value.kind ~= "quantize" then
    mistake("quantize is " .. schema.show(value), "write quantize = bitsandbytes { bits = 4 }",
      where)
  end
  return value
end

-- The fields of a model table, apart: its own, and the names of checks.
function Spec:split_fields(name, fields, line)
  local own, declared, known = {}, {}, {}
  local names = registry("checks").names()
  for _, check in ipairs(names) do known[check] = true end
  for field in pairs(MODEL_FIELDS) do names[#names + 1] = field end
  for key, value in pairs(fields) do
    if known[key] then
      declared[#declared + 1] = key
    elseif MODEL_FIELDS[key] then
      own[key] = value
    else
      local close = type(key) == "string" and nearest(key, names)
      mistake(("model '%s' has an unknown key %s"):format(name, schema.show(key)), close
        and ("did you mean '%s'?"):format(close) or "it takes checkpoint, baseline, quantize, "
        .. "architecture, tags and names of checks",
        self:at(line_of_field(self, tostring(key), line)))
    end
  end
  table.sort(declared)
  return own, declared
end

function Spec:at(line)
  return self.path .. ":" .. line
end

function Spec:add_model(name, fields)
  local where, line = caller()
  if type(fields) ~= "table" then mistake("model wants a table", 'model "name" { ... }', where) end
  for _, other in ipairs(self.models) do
    if other.name == name then
      mistake(("there are two models '%s'"):format(name), "the first is at " .. other.where, where)
    end
  end
  local own, declared = self:split_fields(name, fields, line)
  own = schema.check(MODEL_FIELDS, own, ("model '%s'"):format(name), where)
  if not own.checkpoint and not own.architecture then
    mistake(("model '%s' has neither checkpoint nor architecture"):format(name),
      'write checkpoint = example "name", hub "org/name" or a path', where)
  end
  local model = { name = name, where = where, tags = own.tags or {}, config = own.architecture,
    checkpoint = own.checkpoint and reference(self, own.checkpoint, "checkpoint", where),
    baseline = own.baseline and reference(self, own.baseline, "baseline", where),
    quantize = own.quantize and checked_quantize(own.quantize, where), declarations = {} }
  for _, key in ipairs(declared) do
    self:declare(registry("checks").get(key), fields[key],
      self:at(line_of_field(self, key, line)), model)
  end
  self.models[#self.models + 1] = model
end

function Spec:add_custom(name, fields)
  local where = caller()
  local own = schema.check(CUSTOM_FIELDS, fields, ("check '%s'"):format(name), where)
  local definition = { name = name, summary = own.summary, needs = own.needs, params = {},
    run = own.run, tags = own.tags or {}, custom = true }
  self:declare(definition, {}, where)
end

local function text_argument(verb, value)
  if type(value) ~= "string" or value == "" then
    mistake(("%s wants a text, got %s"):format(verb, schema.show(value)), nil, (caller()))
  end
  return value
end

-- The architectures that a spec is for: one name, or a list of them.
local function known_families(names)
  local list = type(names) == "table" and names or { names }
  if #list == 0 then mistake("family wants a name", 'write family "llama"', (caller())) end
  local architectures = registry("architectures")
  for _, name in ipairs(list) do
    if not architectures.has(text_argument("family", name)) then
      local close = nearest(name, architectures.names())
      mistake(("there is no architecture '%s'"):format(name), close
        and ("did you mean '%s'?"):format(close) or "qspec list architectures shows them",
        (caller()))
    end
  end
  return list
end

local HUB_FIELDS = {
  [1] = { type = "string", name = "repository", required = true },
  revision = { type = "string", help = "branch, tag or commit; main unless given" },
  file = { type = "string", help = "one file of the repository: a GGUF" },
}

local function hub_reference(value, revision)
  if type(value) ~= "table" then
    return { kind = "hub", repository = text_argument("hub", value), revision = revision }
  end
  local fields = schema.check(HUB_FIELDS, value, "hub", (caller()))
  return { kind = "hub", repository = fields[1], revision = fields.revision, file = fields.file }
end

function Spec:add_structure_verbs(env)
  env.family = function(names) self.families = known_families(names) end
  env.model = function(name)
    text_argument("model", name)
    return function(fields) self:add_model(name, fields) end
  end
  env.check = function(name)
    text_argument("check", name)
    return function(fields) self:add_custom(name, fields) end
  end
  env.example = function(name)
    return { kind = "path", example = text_argument("example", name), where = caller(),
      path = system.home() .. "/examples/models/" .. name }
  end
  env.hub = hub_reference
  env.path = function(name)
    return { kind = "path", path = self:beside(text_argument("path", name)) }
  end
end

local function add_quantizer_verbs(env)
  local formats = registry("formats")
  for _, name in ipairs(formats.names()) do
    env[name] = function(values)
      local where, format = caller(), formats.get(name)
      if not format.quantizer then mistake(name .. " cannot quantize here", nil, where) end
      return { kind = "quantize", format = format,
        options = schema.check(format.quantizer.params, values or {}, name, where) }
    end
  end
end

-- A name that the language does not have is a mistake on read and on write.
local function seal(env)
  local names = {}
  for name in pairs(env) do names[#names + 1] = name end
  return setmetatable(env, {
    __index = function(_, key)
      local close = nearest(tostring(key), names)
      mistake(("unknown name '%s'"):format(tostring(key)), close
        and ("did you mean '%s'?"):format(close) or "qspec list checks shows the verbs", (caller()))
    end,
    __newindex = function(_, key)
      mistake(("assignment to the global '%s'"):format(tostring(key)), "write local "
        .. tostring(key), (caller()))
    end,
    __metatable = false,
  })
end

local function split_lines(text)
  local lines = {}
  for line in (text .. "\n"):gmatch("([^\n]*)\n") do lines[#lines + 1] = line end
  return lines
end

-- "spec:path:12: message", as the Lua compiler and run time write it.
local function located(path, message)
  local line, rest = message:match("spec:[^\n]-:(%d+): (.*)")
  return outcome.error("spec", rest or message, nil, line and path .. ":" .. line or path)
end

local function as_spec_error(path, err)
  if type(err) == "string" then return located(path, err) end
  return outcome.at(outcome.from(err, "spec"), path)
end

--- Reads a spec file.
---@param path string
---@return table spec {path, families?, models, declarations}
function M.load(path)
  local kind = system.kind(path)
  if kind == "directory" then
    mistake("the spec is a folder", "name a .lua file in it", path)
  elseif not kind then
    mistake("there is no such spec", "qspec list specs shows those that ship", path)
  end
  local text = system.read(path, 4 * 2 ^ 20)
  local spec = setmetatable({ path = path, models = {}, declarations = {}, text = text,
    lines = split_lines(text) }, Spec)
  local env = sandbox.environment()
  spec:add_structure_verbs(env)
  spec:add_check_verbs(env)
  add_quantizer_verbs(env)
  local chunk, message = sandbox.load(text, "@spec:" .. path, seal(env))
  if not chunk then error(located(path, message), 0) end
  local ok, err = sandbox.call(LIMITS, chunk)
  if not ok then error(as_spec_error(path, err), 0) end
  if #spec.declarations == 0 and #spec.models == 0 then
    mistake("the spec declares nothing", "see qspec explain, or specs/bloom.lua", path)
  end
  return spec
end

M.LIMITS = LIMITS
M.located = located

return M
