-- One `qspec run`: specs and options in, events to the reporters, exit code out.

local system = require "host.system"
local device = require "qspec.device"
local outcome = require "qspec.outcome"
local plan = require "qspec.plan"
local provenance = require "qspec.provenance"
local registry = require "qspec.registry"
local runner = require "qspec.runner"
local spec = require "qspec.spec"
local style = require "qspec.style"
local tier = require "qspec.tier"

local M = {}

-- A report that cannot be written is better known before a long run than after it.
local function check_target(path)
  local folder = path:match("^(.*)/[^/]*$") or "."
  if system.kind(folder == "" and "/" or folder) ~= "directory" then
    error(outcome.error("io", "the report's folder does not exist", "make it first", path), 0)
  elseif system.kind(path) ~= nil and system.kind(path) ~= "file" then
    error(outcome.error("io", "the report's target is not a regular file", "name a file", path), 0)
  end
end

-- Collects a report and writes it whole when the run ends, so that it is never torn.
local function file_target(path)
  if path ~= "-" then check_target(path) end
  local parts = {}
  local target = {}
  function target.write(_, text) parts[#parts + 1] = text end
  function target.finish()
    if path == "-" then
      system.stdout(table.concat(parts))
    else
      system.write_atomic(path, table.concat(parts))
    end
  end
  return target
end

local function terminal_target(to_stderr)
  return {
    write = function(_, text) (to_stderr and system.stderr or system.stdout)(text) end,
    finish = function() end,
  }
end

local function report_mistake(text)
  error(outcome.error("usage", ("--report %s is not KIND=FILE"):format(text),
    "kinds: " .. table.concat(registry("reporters").names(), ", ")), 0)
end

-- Reporters of the command line, and the terminal's own; a report on stdout moves that to stderr.
local function open_reporters(args)
  local opened, stdout_taken = {}, false
  for _, text in ipairs(args.report) do
    local kind, path = text:match("^([%w_]+)=(.+)$")
    if not kind then report_mistake(text) end
    local reporter = registry("reporters").get(kind)
    local target = file_target(path)
    if path == "-" and stdout_taken then
      error(outcome.error("usage", "two reports on stdout", "write one of them to a file"), 0)
    end
    stdout_taken = stdout_taken or path == "-"
    opened[#opened + 1] = { events = reporter.new(target, {}), target = target }
  end
  local target = terminal_target(stdout_taken)
  local options = style.detect(stdout_taken and 2 or 1)
  options.verbose = args.verbose
  table.insert(opened, 1, { events = registry("reporters").get("terminal").new(target, options),
    target = target })
  return opened
end

local function event_lists(opened)
  local list = {}
  for i, one in ipairs(opened) do list[i] = one.events end
  return list
end

local function as_set(list)
  local set = {}
  for _, name in ipairs(list) do set[name] = true end
  return set
end

local function load_jobs(args, chosen)
  local jobs, specs = {}, {}
  for _, path in ipairs(args.spec) do
    local loaded = spec.load(path)
    specs[#specs + 1] = loaded
    for _, job in ipairs(plan.make(loaded, { model = args.model, baseline = args.baseline,
      only = args.only, skip = args.skip, tier = args.tier,
      device = chosen.name })) do
      jobs[#jobs + 1] = job
    end
  end
  if args.lock then require("qspec.lock.demand").add(jobs, args.lock, args.tier) end
  return jobs, specs
end

-- The device for what the jobs read, once it is known.
local function settle(chosen, jobs, options)
  local readers, all = {}, {}
  local highest = tier.rank(options.tier or "generate")
  for _, job in ipairs(jobs) do
    if job.subject then all[#all + 1] = job.subject end
    if runner.reads_weights(job, highest) then readers[#readers + 1] = job.subject end
  end
  return device.settle(chosen, readers, all)
end

local function counts_of(results)
  local counts = { pass = 0, fail = 0, skip = 0, inconclusive = 0, error = 0 }
  for _, result in ipairs(results) do counts[result.status] = counts[result.status] + 1 end
  return counts
end

local function verdict_of(results)
  local worst
  for _, result in ipairs(results) do worst = outcome.worst(worst, result.status) end
  local ran = false
  for _, result in ipairs(results) do ran = ran or result.status ~= "skip" end
  if worst == "skip" and ran then return "pass" end
  return worst or "skip"
end

--- Runs specs as the command line says.
---@param args table parsed options of `qspec run`
---@param began number system.clock() at the start
---@return integer exit code
function M.run(args, began)
  local chosen = device.choose(args.device, as_set(args.require).gpu)
  local jobs, specs = load_jobs(args, chosen)
  chosen = settle(chosen, jobs, args)
  local opened = open_reporters(args)
  local reporters = event_lists(opened)
  local options = { tier = args.tier, fail_fast = args.fail_fast, no_skip = args.no_skip,
    require = as_set(args.require) }
  local function emit(name, event)
    for _, events in ipairs(reporters) do
      if events[name] then events[name](event) end
    end
  end
  emit("run_start", { specs = args.spec, device = chosen.name, device_reason = chosen.reason,
    tier = args.tier, command = "qspec run " .. table.concat(args.spec, " "),
    started = system.now(), version = system.version().qspec })
  local results = runner.run(jobs, reporters, options)
  local code = outcome.exit_code(results)
  emit("run_end", { verdict = verdict_of(results), exit_code = code,
    seconds = system.clock() - began, counts = counts_of(results), device = chosen.name,
    provenance = provenance.collect(args, specs, jobs, chosen) })
  for _, one in ipairs(opened) do one.target.finish() end
  if args.timing then system.stderr(require("qspec.timing").text()) end
  return code
end

return M
