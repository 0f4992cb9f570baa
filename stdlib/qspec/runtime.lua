-- Binds a census to the engine's model runner: the model's program and one weight a module.

local builder = require "qspec.builder"
local expert_parts = require "qspec.expert_parts"
local experts = require "qspec.experts"
local json = require "host.json"
local nearest = require "qspec.nearest"
local outcome = require "qspec.outcome"
local weights = require "qspec.weights"

local M = {}

-- Decoded weights are kept up to this many bytes; beyond it they are decoded at each use. On a GPU
-- all are: they would have to be brought there each time.
local DENSE_BUDGET = 4 * 2 ^ 30
local ALL = 2 ^ 48

local function dense_weight(subject, row, suffix)
  local entry = row.holding.tensors[suffix]
  if not entry then return nil end
  local loaded = expert_parts.read(subject.checkpoint, entry)
  local wanted = (row.parameters[suffix] or row.buffers[suffix]).dtype
  return loaded:dtype() == wanted and loaded or loaded:to(wanted)
end

local function packed_weight(subject, row)
  if row.kind == "embedding" and not row.layout.linear then  -- rows are looked up, not multiplied
    return { weight = weights.read(row, subject.checkpoint, subject.dtype) }
  end
  if not row.layout.linear then return { weight = weights.packed(row) } end
  return row.layout.linear(row.weight, subject.quantization_values or {}, subject.device)
end

local function bind(subject, row)
  local weight = row.layout and packed_weight(subject, row)
    or { weight = dense_weight(subject, row, "weight") }
  weight.bias = dense_weight(subject, row, "bias")
  return weight
end

-- What the census has found of a module, in words.
local function found_of(census, row)
  for _, fact in ipairs(census.facts) do
    if fact.module == row.name and fact.found == "missing" then
      return (", wanted a %s %s"):format(fact.key, fact.wanted)
    elseif fact.module == row.name then
      return (": %s is %s, wanted %s"):format(fact.key or "it", fact.found, fact.wanted)
    end
  end
  return ""
end

-- Of a module that is missing, the tensors that nothing wants and that are named most like it.
local function hint_of(census, row)
  local names = {}
  for _, fact in ipairs(census.facts) do
    local name = fact.kind == "orphan" and not fact.module and fact.key or nil
    names[#names + 1] = name and name:gsub("%.weight$", "")
  end
  local close = row.status == "missing" and nearest(row.name, names)
  return close and ("the file has '%s', which the architecture does not know"):format(close)
    or "qspec inspect shows what is there"
end

-- Facts that leave a module without a usable weight.
local function refuse_broken(subject)
  local census = subject.census
  for _, row in ipairs(census.modules) do
    local broken = row.status == "missing" or row.status == "mismatched" or row.status == "broken"
    if broken then
      error(outcome.error("checkpoint", ("cannot run the model: '%s' is %s%s"):format(row.name,
        row.status, found_of(census, row)), hint_of(census, row), subject.path), 0)
    end
  end
end

-- One weight for each module that the program names.
local function bindings(subject)
  refuse_broken(subject)
  local bound, rows = {}, subject.census.by_name
  for _, row in ipairs(subject.census.modules) do
    local is_whole = row.own_tensors and not row.module.expert
    if is_whole then bound[row.name] = bind(subject, row) end
  end
  for name, weight in pairs(experts.joined(subject.census, subject.checkpoint, subject.dtype)) do
    bound[name] = { weight = weight }
  end
  for name, row in pairs(rows) do
    if row.tied_to and not bound[name] then bound[name] = bound[row.tied_to] end
  end
  return bound
end

local function program_of(subject)
  local rows = subject.census.by_name
  return builder.program(subject.architecture, subject.config, function(name)
    local module, parameter = name:match("^(.*)%.([^.]+)$")
    local row = module and rows[module]
    return row and row.holding.tensors[parameter]
  end)
end

--- Whether two subjects have one program: the models then differ in weights alone.
---@param subject table
---@param other table
---@return boolean
function M.same_program(subject, other)
  local function text(one) return json.encode(program_of(one), { sort = true }) end
  return text(subject) == text(other)
end

--- The program of a subject with the weights of another one of its architecture.
---@param subject table
---@param other table
---@return any model qspec.Model
function M.build_with(subject, other)
  return require("host.model").build(program_of(subject), bindings(other),
    { device = subject.device, dense_budget = subject.device == "cpu" and DENSE_BUDGET or ALL })
end

--- Builds the runnable model of a subject.
---@param subject table
---@return any model qspec.Model
function M.build(subject)
  return M.build_with(subject, subject)
end

return M
