-- Chat templates: the part of Jinja 2 that they use, as data. Nothing in a template is executed but
-- what is in qspec/template/; steps, depth and the size of texts are limited.
--
-- Source: Jinja 3.1 as transformers 5.17 sets it up (utils/chat_template_utils.py):
-- ImmutableSandboxedEnvironment, trim_blocks, lstrip_blocks, no escaping.

local Engine = require "qspec.template.statements"
local filters = require "qspec.template.filters"
local outcome = require "qspec.outcome"
local parse = require "qspec.template.parser"
local system = require "host.system"
local tests = require "qspec.template.tests"
local values = require "qspec.template.values"

local M = {}

-- An error of a template with its place; others pass through.
local function raise(err, where, line)
  if type(err) ~= "table" or not err.template then error(err, 0) end
  error(outcome.error(err.kind or "checkpoint", err.message, err.hint,
    ("%s:%d"):format(where, err.line or line or 1)), 0)
end

local Template = {}
Template.__index = Template

local KNOWN = {
  filter = function(name) return rawget(filters, name) end,
  test = function(name) return rawget(tests, name) end,
}

--- Reads a template. Raises an error of kind "checkpoint" for one that is malformed.
---@param source string
---@param where string names it in errors
---@return qspec.Template
function M.compile(source, where)
  local ok, nodes = pcall(parse, source, KNOWN)
  if not ok then raise(nodes, where) end
  return setmetatable({ nodes = nodes, where = where }, Template)
end

---@class qspec.Template
---@field render fun(self, context: table, o: { kinds?: table, now?: string }?): string

--- The text for a context of values as host.json reads them; `kinds` tell 1 from 1.0.
---@param context table<string, any>
---@param o { kinds?: table, now?: string }? `now` is the moment of strftime_now, as
---  "2026-01-31T12:00:00Z"; the clock unless given
---@return string
function Template:render(context, o)
  o = o or {}
  local engine
  local ok, result = pcall(function()
    local names = {}
    for name, value in pairs(context) do
      names[name] = values.of_json(value, (o.kinds or {})[name])
    end
    engine = Engine.new(names, o.now or system.now())
    return engine:captured(Engine.execute, self.nodes)
  end)
  if ok then return result end
  raise(result, self.where, engine and engine.line)
end

return M
