-- All filters by name.
--
-- Source: Jinja 3.1, filters.py. An entry is { params, required?, run(value, arguments, engine) },
-- or { spread, run(value, positional, named, engine) }; `engine` has the meter and looks items,
-- filters and tests up.

local arguments = require "qspec.template.arguments"
local limits = require "qspec.template.limits"
local values = require "qspec.template.values"

local flag = arguments.flag

local M = {}

for _, part in ipairs { require "qspec.template.text_filters",
  require "qspec.template.number_filters", require "qspec.template.list_filters",
  require "qspec.template.selecting_filters" } do
  for name, filter in pairs(part) do M[name] = filter end
end

M.default = { params = { "default_value", "boolean" }, run = function(value, o)
  local missing = values.kind(value) == "undefined"
    or flag(o.boolean) and not values.truth(value)
  if not missing then return value end
  return o.default_value == nil and "" or o.default_value
end }
M.d = M.default

M.attr = { params = { "name" }, required = 1, run = function(value, o, engine)
  return engine:own_attribute(value, arguments.text(o.name, "", "attr"))
end }

-- Jinja has these, and no chat template a use for them.
for _, name in ipairs { "filesizeformat", "forceescape", "pprint", "random", "striptags",
  "urlencode", "urlize", "wordwrap", "xmlattr" } do
  M[name] = { spread = true, run = function()
    limits.fail(("the filter '%s' is not supported in chat templates"):format(name), nil,
      "unsupported")
  end }
end

return M
