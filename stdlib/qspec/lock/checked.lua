-- The model of a spec that a lock is taken of: the only one that is stored here as it is checked,
-- and one that passes.

local device = require "qspec.device"
local outcome = require "qspec.outcome"
local plan = require "qspec.plan"
local runner = require "qspec.runner"
local spec = require "qspec.spec"
local system = require "host.system"

local M = {}

local function present(loaded, only)
  local jobs, names = {}, {}
  for _, job in ipairs(plan.make(loaded, { only = only, skip = {},
      device = device.choose("auto").name })) do
    local is_stored = job.subject and not job.subject.quantize
    if not job.absent and is_stored and #job.declarations > 0 then
      jobs[#jobs + 1], names[#names + 1] = job, job.name
    end
  end
  return jobs, table.concat(names, ", ")
end

local function job_of(loaded, only)
  local jobs, names = present(loaded, only)
  if #jobs == 1 then return jobs[1] end
  error(outcome.error("usage", #jobs == 0
    and "the spec has no model that is stored on this machine as it is checked"
    or ("the spec has %d models here, wanted one: %s"):format(#jobs, names),
    #jobs == 0 and "name a checkpoint in its place; quantizing on load leaves nothing to lock"
    or "choose with --only NAME",
    loaded.path), 0)
end

local function failures(results)
  local list = {}
  for _, result in ipairs(results) do
    if result.status == "fail" or result.status == "error" then
      local finding = result.findings[1] or {}
      list[#list + 1] = ("%s: %s"):format(result.check, result.reason
        or (finding.module or finding.key or "") .. " " .. tostring(finding.found))
    end
  end
  return list
end

--- Runs the spec on its model.
---@param path string of the spec
---@param only string[]
---@return qspec.Job
---@return string[] failures none when the model passes
---@return table said {path, sha256} of the spec
function M.model(path, only)
  local loaded = spec.load(path)
  local job = job_of(loaded, only)
  local results = runner.run({ job }, {}, { require = {} })
  return job, failures(results), { path = path, sha256 = system.sha256(loaded.text) }
end

return M
