-- qspec accept: what a model says now becomes what is accepted of it.

local acceptance = require "qspec.acceptance"
local accepted_outputs = require "qspec.accepted_outputs"
local device = require "qspec.device"
local lua_source = require "qspec.lua_source"
local outcome = require "qspec.outcome"
local printable = require "qspec.printable"
local system = require "host.system"
local units = require "qspec.units"

local M = {
  name = "accept",
  summary = "show what a spec's models say that is not accepted yet, and record it",
  examples = {
    "qspec accept specs/bloom.lua",
    "qspec accept my.lua --model ./my-bloom --yes",
  },
}

function M.options(parser)
  parser:argument("spec", "A spec file; the texts go to SPEC.accepted.json beside it.")
  parser:option("--model", "Ask this checkpoint, not the spec's models."):argname("PATH")
  parser:option("--only", "Only models or tags of this name or pattern."):count("*")
    :argname("NAME")
  parser:option("--device", "auto, cpu or cuda[:N]."):default("auto"):argname("DEVICE")
  parser:flag("--yes", "Record without asking.")
end

local STANDARD_INPUT = 0

local function say(text, ...)
  system.stdout(text:format(...) .. "\n")
end

local function show(output)
  local quote = lua_source.quote
  if output.is_accepted then return say("  = %s", quote(output.prompt)) end
  local divergence = output.divergence
  say("  %s %s", divergence and "~" or "+", quote(output.prompt))
  if divergence then say("      accepted  %s", quote(divergence.accepted)) end
  say("      found     %s", quote(output.text))
  if divergence and divergence.margin then
    say("      token %d: %s instead of %s, margin %.4f%s", output.new_token,
      quote(tostring(divergence.found)), quote(tostring(divergence.wanted)), divergence.margin,
      output.is_tie and ", a tie" or "")
  end
end

local function say_absent(job)
  say("%s\n  - %s\n    enable: %s", printable.line(job.name), printable.line(job.absent.reason),
    printable.line(job.absent.enable))
end

-- The job's outputs, shown; none when its model is not on this machine.
local function ask(job, device_name)
  if job.absent then
    say_absent(job)
    return {}
  end
  say("%s  on %s", printable.line(job.name), device_name)
  local outputs = acceptance.outputs(job)
  for _, output in ipairs(outputs) do show(output) end
  return outputs
end

-- What is not accepted among the outputs of all jobs, and how many outputs there are.
local function ask_all(jobs, device_name)
  local new, count = {}, 0
  for _, job in ipairs(jobs) do
    for _, output in ipairs(ask(job, device_name)) do
      count = count + 1
      if not output.is_accepted then new[#new + 1] = output end
    end
  end
  return new, count
end

-- Whether to record: --yes, or a person says so.
local function is_agreed(args, new, count)
  if args.yes then return true end
  local found = ("%s of %d not accepted"):format(units.count(#new, "output"), count)
  if not system.isatty(STANDARD_INPUT) then
    error(outcome.error("usage", found .. ", none recorded: standard input is no terminal, so "
      .. "nobody can be asked", "--yes records them", args.spec), 0)
  end
  system.stdout(("\n%s; record in %s? [y/N] "):format(found,
    printable.line(accepted_outputs.path(args.spec))))
  local answer = (system.read_line() or ""):lower()
  return answer == "y" or answer == "yes"
end

local function subjects_of(jobs)
  local subjects = {}
  for _, job in ipairs(jobs) do
    if not job.absent then subjects[#subjects + 1] = job.subject end
  end
  return subjects
end

function M.run(args)
  local chosen = device.choose(args.device)
  local jobs = acceptance.jobs(args, chosen.name)
  local subjects = subjects_of(jobs)
  chosen = device.settle(chosen, subjects, subjects)
  local new, count = ask_all(jobs, chosen.name)
  if count == 0 then return outcome.EXIT_NOTHING end
  if #new == 0 then
    say("\nnothing to accept: %s as before", units.count(count, "output"))
    return outcome.EXIT_PASS
  elseif not is_agreed(args, new, count) then
    say("none recorded")
    return outcome.EXIT_FAIL
  end
  acceptance.record(args.spec, new, chosen.name)
  say("\n%s recorded in %s", units.count(#new, "output"), accepted_outputs.path(args.spec))
  return outcome.EXIT_PASS
end

return M
