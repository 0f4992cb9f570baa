-- `qspec run --lock FILE`: the check `locked` for the model of a run.

local file = require "qspec.lock.file"
local outcome = require "qspec.outcome"
local registry = require "qspec.registry"
local schema = require "qspec.schema"
local system = require "host.system"

local M = {}

-- Of several the one whose files the lock names.
local function candidates(jobs, path)
  local list, named = {}, nil
  for _, job in ipairs(jobs) do
    if not job.absent and job.subject and job.subject:has_weights() then
      list[#list + 1] = job
      local is_named = not job.subject.quantize
        and system.absolute(job.subject.path) == system.absolute(path)
      named = named or is_named and job
    end
  end
  return named and { named } or list
end

local function refuse(message, hint)
  error(outcome.error("usage", message, hint), 0)
end

--- Adds the check to the one model that is on this machine.
---@param jobs qspec.Job[]
---@param path string of the lock
---@param tier string|nil highest that runs
function M.add(jobs, path, tier)
  local found = candidates(jobs, file.read(path).path)
  if tier == "header" then
    refuse("--lock compares the weights, and --tier header does not read them", "leave one out")
  elseif #found ~= 1 then
    refuse(("--lock is of one model, the run has %d"):format(#found),
      "choose with --model PATH or --only NAME")
  end
  local check = registry("checks").get("locked")
  table.insert(found[1].declarations, { name = check.name, check = check, where = "--lock " .. path,
    tags = {}, params = schema.check(check.params, { path }, "check 'locked'", "--lock") })
end

return M
