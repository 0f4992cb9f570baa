-- Whether a spec is for the architecture of a checkpoint.

local outcome = require "qspec.outcome"

local M = {}

--- Raises an error of kind "usage" for a checkpoint of an architecture that the spec does not name.
---@param subject table
---@param families string[]|nil nil when the spec is for any
function M.check(subject, families)
  if not families then return end
  local found = subject.architecture.name
  for _, name in ipairs(families) do
    if name == found then return end
  end
  error(outcome.error("usage", ("the checkpoint is a '%s', the spec is for '%s'"):format(found,
    table.concat(families, "' and '")), ("run the spec of its own family, or write one: "
    .. "qspec init %s"):format(subject.path), subject.path), 0)
end

return M
