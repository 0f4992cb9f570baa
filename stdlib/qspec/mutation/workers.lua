-- A run over mutants shared by several processes: this program, each with a slice of the mutants.

local outcome = require "qspec.outcome"
local results = require "qspec.mutation.results"
local system = require "host.system"

local M = {}

-- Mutants are independent: a worker computes on its share of the processors, and no more.
local function environment(count)
  local threads = math.max(1, math.floor(system.cpus() / count))
  return { "/usr/bin/env", "OMP_NUM_THREADS=" .. threads }
end

local VALUES = { model = "--model", baseline = "--baseline", operators = "--operators",
  dose = "--dose", tier = "--tier", keep = "--keep", resume = "--resume", pairs = "--pairs",
  seed = "--seed" }
local LISTS = { only = "--only", skip = "--skip" }

-- The command line that tries the `number`th of `count` slices.
local function command(args, number, count)
  local words = environment(count)
  for _, word in ipairs { system.program(), "mutate", args.spec, "--slice",
    number .. "/" .. count } do
    words[#words + 1] = word
  end
  for name, option in pairs(VALUES) do
    if args[name] ~= nil then
      words[#words + 1], words[#words + 2] = option, tostring(args[name])
    end
  end
  for name, option in pairs(LISTS) do
    for _, value in ipairs(args[name]) do
      words[#words + 1], words[#words + 2] = option, value
    end
  end
  return words
end

local function ending(code, signal)
  return signal ~= 0 and "by signal " .. signal or "with exit code " .. code
end

local function require_success(codes, signals)
  for i, code in ipairs(codes) do
    if code ~= 0 or signals[i] ~= 0 then
      error(outcome.error("internal", ("worker %d of %d ended %s"):format(i, #codes,
        ending(code, signals[i])), "its error is above; with --resume FILE a run goes on where it "
        .. "stopped"), 0)
    end
  end
end

--- Tries all mutants that a command line means.
---@param args table options of `qspec mutate`
---@param count integer workers
---@param on_result fun(value: qspec.MutantLine, line: string)
function M.run(args, count, on_result)
  local commands = {}
  for i = 1, count do commands[i] = command(args, i, count) end
  require_success(system.run_together(commands, function(_, line)
    local value = results.parsed(line)
    if value then on_result(value, line .. "\n") end
  end))
end

return M
