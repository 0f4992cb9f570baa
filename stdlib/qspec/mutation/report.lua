-- What `qspec mutate` says: a line an operator, then what survived.

local json = require "host.json"
local printable = require "qspec.printable"
local survey = require "qspec.mutation.survey"
local text_table = require "qspec.text_table"
local units = require "qspec.units"

local M = {}

local function by_operator(results)
  local groups, found = {}, {}
  for _, result in ipairs(results) do
    local group = found[result.operator]
    if not group then
      group = { operator = result.operator, results = {} }
      found[result.operator], groups[#groups + 1] = group, group
    end
    group.results[#group.results + 1] = result
  end
  return groups
end

local function count(results, status)
  local number = 0
  for _, result in ipairs(results) do number = number + (result.status == status and 1 or 0) end
  return number
end

-- The values that a field of trials takes, in the order of first use.
local function distinct(results, field)
  local list, seen = {}, {}
  for _, result in ipairs(results) do
    local value = result.trial[field]
    if result.status == "killed" and not seen[value] then
      seen[value], list[#list + 1] = true, value
    end
  end
  return table.concat(list, ", ")
end

local function slowest(results)
  local most = 0
  for _, result in ipairs(results) do most = math.max(most, result.trial.seconds) end
  return most
end

local function table_lines(groups)
  local rows = { { "", "operator", "mutants", "killed", "survived", "equivalent", "noticed from",
    "by", "at", "slowest" } }
  for _, group in ipairs(groups) do
    local results = group.results
    rows[#rows + 1] = { group.operator.id, group.operator.name, tostring(#results),
      tostring(count(results, "killed")), tostring(count(results, "survived")
      + count(results, "fault")), tostring(count(results, "equivalent")),
      survey.detection_limit(results) or "-", distinct(results, "check"), distinct(results, "tier"),
      units.seconds(slowest(results)) }
  end
  return text_table.lines(rows)
end

local function noticed(trial)
  local finding = trial.finding or {}
  local words = { finding.module or "", finding.key or "", finding.found or "" }
  return printable.line((table.concat(words, " "):gsub("^%s+", ""):gsub("%s+", " ")))
end

local WORDS = {
  killed = function(result)
    return ("killed by %s at %s in %s: %s"):format(result.trial.check, result.trial.tier,
      units.seconds(result.trial.seconds), noticed(result.trial))
  end,
  survived = function(result) return result.advice and "survived; add: " .. result.advice
    or "survived" end,
  equivalent = function(result) return "equivalent: " .. result.reason end,
  fault = function(result)
    return ("%s broke down: %s"):format(result.trial.check, result.trial.fault:match("^[^\n]*"))
  end,
}

local function result_lines(lines, title, results, shown)
  local rows = {}
  for _, result in ipairs(results) do
    if shown[result.status] then
      rows[#rows + 1] = { result.operator.id, result.name, WORDS[result.status](result) }
    end
  end
  if #rows == 0 then return end
  lines[#lines + 1], lines[#lines + 2] = "", title
  for _, line in ipairs(text_table.lines(rows, { indent = "  " })) do lines[#lines + 1] = line end
end

local function unfit_lines(lines, unfit)
  if #unfit == 0 then return end
  lines[#lines + 1], lines[#lines + 2] = "", "do not fit"
  local rows = {}
  for i, one in ipairs(unfit) do
    rows[i] = { one.operator.id, one.operator.name, one.reason or "" }
  end
  for _, line in ipairs(text_table.lines(rows, { indent = "  " })) do lines[#lines + 1] = line end
end

local function summary(one)
  local results = one.results
  if #results == 0 then return one.name .. ": no operator fits" end
  return ("%s: %s, %d killed, %d survived, %d equivalent, score %.1f %%"):format(one.name,
    units.count(#results, "mutant"), count(results, "killed"), count(results, "survived")
    + count(results, "fault"), count(results, "equivalent"), one.score * 100)
end

local function add_survey(lines, one, args)
  lines[#lines + 1] = ("%s on %s"):format(args.spec, printable.line(one.name))
  lines[#lines + 1] = ""
  for _, line in ipairs(#one.results > 0 and table_lines(by_operator(one.results)) or {}) do
    lines[#lines + 1] = line
  end
  result_lines(lines, "survivors", one.results, { survived = true, fault = true })
  if args.verbose then
    result_lines(lines, "equivalent", one.results, { equivalent = true })
    result_lines(lines, "killed", one.results, { killed = true })
    unfit_lines(lines, one.unfit)
  end
  lines[#lines + 1] = ""
  lines[#lines + 1] = summary(one)
end

--- For people.
---@param surveys table[] {name, path, results, unfit, score}
---@param args table options of the command
function M.render(surveys, args)
  local lines = {}
  for i, one in ipairs(surveys) do
    if i > 1 then lines[#lines + 1] = "" end
    add_survey(lines, one, args)
  end
  return table.concat(lines, "\n") .. "\n"
end

local function result_json(result)
  local one = result.trial
  return { operator = result.operator.id, name = result.operator.name, variant = result.variant,
    dose = result.dose, status = result.status, reason = result.reason, advice = result.advice,
    check = one.check, tier = one.tier, seconds = one.seconds, finding = one.finding and {
      module = one.finding.module, key = one.finding.key, found = one.finding.found,
      wanted = one.finding.wanted }, fault = one.fault }
end

--- For programs: schema qspec.mutate/1.
function M.to_json(surveys, path)
  local models = {}
  for i, one in ipairs(surveys) do
    local mutants, unfit, limits = {}, {}, {}
    for j, result in ipairs(one.results) do mutants[j] = result_json(result) end
    for j, other in ipairs(one.unfit) do
      unfit[j] = { operator = other.operator.id, name = other.operator.name, reason = other.reason }
    end
    for _, group in ipairs(by_operator(one.results)) do
      limits[group.operator.id] = survey.detection_limit(group.results)
    end
    models[i] = { name = one.name, path = one.path, score = one.score,
      mutants = json.array(mutants), unfit = json.array(unfit), detection_limits = limits }
  end
  return { schema = "qspec.mutate/1", spec = path, models = json.array(models) }
end

return M
