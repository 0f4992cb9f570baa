-- Where the time of a run went: spans of the engine's threads and of the checks.

local system = require "host.system"

local M = {}

--- Begins a span.
---@param name string
---@return fun() ends it
function M.begin(name)
  local began = system.since_start()
  return function() system.add_span(name, began, system.since_start()) end
end

local function by_beginning(a, b)
  if a.began ~= b.began then return a.began < b.began end
  return a.name < b.name
end

local SHORTEST = 0.001

--- The spans of a millisecond and more, those that began first first.
---@return string text a line each: when it began, how long it took, what
function M.text()
  local spans, lines = system.timeline(), { "  from      took   what" }
  table.sort(spans, by_beginning)
  for _, span in ipairs(spans) do
    if span.seconds >= SHORTEST then
      lines[#lines + 1] = ("%6.3f s  %6.3f s  %s"):format(span.began, span.seconds, span.name)
    end
  end
  lines[#lines + 1] = ("%6.3f s            end"):format(system.since_start())
  return table.concat(lines, "\n") .. "\n"
end

return M
