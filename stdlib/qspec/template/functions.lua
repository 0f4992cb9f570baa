-- Functions that every template may call.
--
-- Source: Jinja 3.1 (defaults.py, utils.py); transformers 5.17 adds raise_exception, strftime_now.

local arguments = require "qspec.template.arguments"
local dates = require "qspec.template.dates"
local limits = require "qspec.template.limits"
local printing = require "qspec.template.printing"
local values = require "qspec.template.values"

local M = {}

local function integer(value)
  return arguments.integer(value, nil, "range")
end

function M.range(meter, positional, named)
  local o = arguments.bind("range", { "first", "last", "step" }, 1, positional, named)
  local first, last, step = integer(o.first), integer(o.last), integer(o.step) or 1
  if last == nil then first, last = 0, first end
  if step == 0 then limits.fail("range: the step must not be zero") end
  local count = math.max(0, math.ceil((last - first) / step))
  if count > limits.RANGE then
    limits.fail(("range of %.0f items, at most %d are allowed"):format(count, limits.RANGE), nil,
      "unsupported")
  end
  meter:step(count)
  local items = { kind = "range", first = first, last = last, step = step }
  for i = 1, count do items[i] = first + (i - 1) * step end
  return items
end

-- dict(...) and namespace(...): another dictionary, and names with values.
local function collected(what, positional, named)
  local dict = values.dict()
  if #positional > 1 then limits.fail(what .. " takes one argument without a name") end
  local from = positional[1]
  if from ~= nil and values.kind(from) == "dict" then
    for _, key in ipairs(from.order) do values.put(dict, key, values.get(from, key)) end
  elseif from ~= nil then
    for _, pair in ipairs(values.iterate(from)) do
      local items = values.iterate(pair)
      if #items ~= 2 then limits.fail(what .. " wants pairs") end
      values.put(dict, items[1], items[2])
    end
  end
  for _, name in ipairs(named.order) do values.put(dict, name, named.values[name]) end
  return dict
end

function M.dict(_, positional, named)
  return collected("dict", positional, named)
end

function M.namespace(_, positional, named)
  return { kind = "namespace", fields = collected("namespace", positional, named) }
end

function M.joiner(_, positional, named)
  local o = arguments.bind("joiner", { "sep" }, 0, positional, named)
  local used = false
  return values.callable("joiner", function()
    if used then return o.sep == nil and ", " or o.sep end
    used = true
    return ""
  end)
end

function M.cycler()
  limits.fail("the function 'cycler' is not supported in chat templates", nil, "unsupported")
end

function M.lipsum()
  limits.fail("the function 'lipsum' is not supported in chat templates", nil, "unsupported")
end

function M.raise_exception(meter, positional, named)
  local o = arguments.bind("raise_exception", { "message" }, 1, positional, named)
  limits.fail("the template refuses: " .. printing.str(o.message, meter),
    "its own rule about messages and tools", "usage")
end

--- strftime_now at a moment, in UTC where Python has the local time.
---@param now string "2026-01-31T12:00:00Z"
function M.strftime_at(now)
  local date = dates.parse(now)
  return function(meter, positional, named)
    local o = arguments.bind("strftime_now", { "format" }, 1, positional, named)
    local format = arguments.text(o.format, "", "strftime_now")
    meter:text(#format * 16)
    return dates.strftime(format, date)
  end
end

return M
