-- The objects that a check written in a spec sees: context, model, module. Tensors come from the
-- engine. Each is a locked handle: a spec can call its methods and reach nothing behind them.
--
-- The annotations for editors, and the reference, are in meta/context.lua, model.lua, module.lua.

local sandbox = require "host.sandbox"
local glob = require "qspec.glob"
local nearest = require "qspec.nearest"
local outcome = require "qspec.outcome"
local weights = require "qspec.weights"

local M = {}

local state = sandbox.state

local function mistake(message, hint)
  error(outcome.error("spec", message, hint), 0)
end

local function copy(value)
  if type(value) ~= "table" then return value end
  local result = {}
  for key, inner in pairs(value) do result[key] = copy(inner) end
  return result
end

-- Modules -----------------------------------------------------------------------------------------

-- A misspelt method is answered with the nearest one.
local function methods_of(class)
  local methods = {}
  return setmetatable(methods, { __index = function(_, name)
    local names = {}
    for known in pairs(methods) do names[#names + 1] = known end
    local close = nearest(tostring(name), names)
    mistake(("a %s has no method '%s'"):format(class, tostring(name)), close
      and ("did you mean '%s'?"):format(close) or nil)
  end })
end

local module_methods = methods_of "module"

local function row_of(object)
  return state(object).row
end

local function field(name)
  return function(object) return row_of(object)[name] end
end

for _, name in ipairs { "name", "class", "kind", "format", "logical_dtype", "requested", "status",
    "reason" } do
  module_methods[name] = field(name)
end

function module_methods.shape(object)
  return copy(row_of(object).module.shape)
end

function module_methods.parameters(object)
  return copy(row_of(object).parameters)
end

function module_methods.companions(object)
  local names = {}
  for name in pairs(row_of(object).companions) do names[#names + 1] = name end
  table.sort(names)
  return names
end

function module_methods.tensor(object, suffix)
  local self = state(object)
  local entry = self.row.holding.tensors[suffix or "weight"]
  if not entry then
    local list = self.row.holding.list
    local close = nearest(tostring(suffix), list)
    mistake(("'%s' has no tensor '%s'"):format(self.row.name, tostring(suffix)), close
      and ("did you mean '%s'?"):format(close) or "it has " .. table.concat(list, ", "))
  end
  return require("host.tensor").read(self.subject.checkpoint, entry.name)
end

function module_methods.is_quantized(object)
  return row_of(object).layout ~= nil
end

local function packed_row(object)
  local row = row_of(object)
  if not row.layout then mistake(("'%s' is not quantized"):format(row.name)) end
  return row
end

function module_methods.packed(object)
  return weights.packed(packed_row(object))
end

function module_methods.weight(object)
  local self = state(object)
  if not self.row.layout then return module_methods.tensor(object, "weight") end
  return weights.read(self.row, self.subject.checkpoint)
end

function module_methods.scales(object)
  local row = packed_row(object)
  if not row.layout.scales then mistake(("%s keeps no scales"):format(row.layout.name)) end
  weights.refuse_broken(row)
  return row.layout.scales(row.weight)
end

-- Models ------------------------------------------------------------------------------------------

local model_methods = methods_of "model"

function M.module(subject, row)
  return sandbox.object(module_methods, { subject = subject, row = row })
end

function model_methods.name(object) return state(object).name end
function model_methods.config(object) return copy(state(object).raw) end
function model_methods.architecture(object) return state(object).architecture.name end

function model_methods.modules(object, pattern)
  local subject, list = state(object), {}
  local matches = glob.compile(pattern or "*")
  for _, row in ipairs(subject.census.modules) do
    if matches(row.name) then list[#list + 1] = M.module(subject, row) end
  end
  if pattern and #list == 0 then mistake(("pattern '%s' matches no module"):format(pattern)) end
  return list
end

function model_methods.module(object, name)
  local subject = state(object)
  local row = subject.census.by_name[name]
  if row then return M.module(subject, row) end
  local names = {}
  for i, other in ipairs(subject.census.modules) do names[i] = other.name end
  local close = nearest(tostring(name), names)
  mistake(("there is no module '%s'"):format(tostring(name)), close
    and ("did you mean '%s'?"):format(close) or nil)
end

function model_methods.encode(object, text)
  return state(object).tokenizer:encode(text, true)
end

function model_methods.decode(object, ids)
  return state(object).tokenizer:decode(ids, true)
end

local function ids_of(subject, input)
  if type(input) == "string" then return subject.tokenizer:encode(input, true) end
  return input
end

-- Of an encoder-decoder `input` is the source; the decoder is given `decoder_ids`, or its start.
function model_methods.forward(object, input, options)
  local subject = state(object)
  local ids = ids_of(subject, input)
  local rest = copy(options or {})
  local written = rest.decoder_ids
  if not subject.architecture.encoder_decoder then
    return subject.runtime:forward(ids, options)
  end
  rest.decoder_ids = nil
  local generation = require "qspec.generation"
  return generation.forward(subject, written or generation.given_ids(subject, ids), rest, ids)
end

function model_methods.score(object, input)
  local subject = state(object)
  return subject.runtime:score(ids_of(subject, input))
end

function model_methods.generate(object, prompt, options)
  return require("qspec.generation").run(state(object), prompt,
    options and options.max_new_tokens or 10)
end

function M.model(subject)
  return sandbox.object(model_methods, subject)
end

-- The context -------------------------------------------------------------------------------------

local context_methods = methods_of "context"

for _, name in ipairs { "expect", "finding", "measure", "note", "skip", "progress" } do
  context_methods[name] = function(object, ...)
    local ctx = state(object)
    return ctx[name](ctx, ...)
  end
end

function context_methods.model(object)
  return M.model(state(object).subject)
end

function context_methods.baseline(object)
  local ctx = state(object)
  if not ctx.subject.baseline then
    ctx:skip("there is no baseline; give one with --baseline PATH", "baseline")
  end
  return M.model(ctx.subject.baseline)
end

function context_methods.modules(object, pattern)
  return model_methods.modules(M.model(state(object).subject), pattern)
end

function context_methods.module(object, name)
  return model_methods.module(M.model(state(object).subject), name)
end

--- The context as a spec's check gets it.
function M.context(ctx)
  return sandbox.object(context_methods, ctx)
end

--- Method names by class, for the test that compares them with the annotations.
M.classes = { Context = context_methods, Model = model_methods, Module = module_methods }

return M
