-- The state of a run over mutants, for one that goes on where it was stopped: a line that says of
-- what it is, then a line a result. Lines are added whole; one that a killed process cut is passed
-- over, and its mutant tried again.

local json = require "host.json"
local outcome = require "qspec.outcome"
local provenance = require "qspec.provenance"
local results = require "qspec.mutation.results"
local system = require "host.system"

local M = {}

local SCHEMA = "qspec.mutants/1"
local LARGEST = 2 ^ 28

---@class qspec.Journal
---@field path string|nil
---@field done table<string, qspec.MutantLine> by model and mutant
local Journal = {}
Journal.__index = Journal

local function key(model, mutant)
  return model .. "\0" .. mutant
end

local function origin(subject)
  return subject and subject.path and provenance.origin(subject) or nil
end

-- All that results follow from, but for which mutants are tried.
local function subject_of_run(spec_path, jobs, args)
  local models = {}
  for i, job in ipairs(jobs) do
    models[i] = { job.name, origin(job.subject), origin(job.subject.baseline) }
  end
  return system.sha256(json.encode({ spec = system.sha256_file(spec_path), models = models,
    only = args.only, skip = args.skip, tier = args.tier }, { sort = true }))
end

local function refuse(path, message)
  error(outcome.error("usage", message, "take the file away, or name another with --resume", path),
    0)
end

local function check_head(path, line, head)
  local ok, value = pcall(json.decode, line, path)
  if not ok or type(value) ~= "table" or value.schema ~= SCHEMA then
    refuse(path, "this is no state of qspec mutate: its first line has not the schema " .. SCHEMA)
  elseif value.qspec ~= head.qspec then
    refuse(path, ("the state is of qspec %s, this is %s"):format(tostring(value.qspec), head.qspec))
  elseif value.of ~= head.of then
    refuse(path, "the state is of another run: the spec, its models or the options differ")
  end
end

function Journal:read(head)
  local text = system.read(self.path, LARGEST)
  if text ~= "" and text:sub(-1) ~= "\n" then
    system.append(self.path, "\n")  -- what follows begins a line of its own
  end
  local is_first = true
  for line in text:gmatch("[^\n]+") do
    if is_first then check_head(self.path, line, head) end
    is_first = false
    local value = results.parsed(line)
    if value then self.done[key(value.model, value.mutant)] = value end
  end
  return not is_first
end

--- Opens the state of a run, or begins one.
---@param path string
---@param spec_path string
---@param jobs qspec.Job[]
---@param args table options of the command
---@return qspec.Journal
function M.open(path, spec_path, jobs, args)
  local journal = setmetatable({ path = path, done = {} }, Journal)
  local head = { schema = SCHEMA, qspec = system.version().qspec,
    of = subject_of_run(spec_path, jobs, args) }
  if system.kind(path) == nil or not journal:read(head) then
    system.append(path, json.encode(head, { sort = true }) .. "\n")
  end
  return journal
end

--- What is known of a mutant.
---@return qspec.MutantLine|nil
function Journal:find(model, mutant)
  return self.done[key(model, mutant)]
end

--- Remembers a result, on disk where there is a path.
---@param value qspec.MutantLine
---@param line string of results.line
function Journal:add(value, line)
  self.done[key(value.model, value.mutant)] = value
  if self.path then system.append(self.path, line) end
end

--- One that no later run reads.
function M.none()
  return setmetatable({ done = {} }, Journal)
end

return M
