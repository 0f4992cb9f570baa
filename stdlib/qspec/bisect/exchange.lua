-- A checkpoint and its baseline as two models of one program, so that modules can be taken from
-- either. The program is the checkpoint's: what its config changes beside the weights stays, and
-- shows as a fault that no module has. The baseline's weights are taken in the checkpoint's dtype.
--
-- Beside the two models nothing large is held: an exchange shares their weights, and hidden states
-- are kept up to a limit, so that a run begins where the first module differs from an earlier one.

local baselines = require "qspec.baseline"
local expert_parts = require "qspec.expert_parts"
local outcome = require "qspec.outcome"
local Subject = require "qspec.subject"

local M = {}

local MOST_KEPT = 2 ^ 30  -- bytes of hidden states

---@class qspec.Unit
---@field name string a module, or the layer whose modules cannot be told apart
---@field modules string[] all of them, in the order of the program
---@field packed string[] those that hold packed weights
---@field stored_bytes number

---@class qspec.Exchange
---@field subject table
---@field baseline any qspec.Model: the baseline's weights
---@field model any qspec.Model: the checkpoint's
---@field reference any qspec.Model: what is compared with, the baseline in its own program
---@field is_partial boolean|nil only modules of a pattern are units
---@field units qspec.Unit[] that differ, in the order of the program
local Exchange = {}
Exchange.__index = Exchange

-- The baseline as a subject whose dense weights are loaded in the dtype of the checkpoint.
local function alike(subject)
  local baseline = subject.baseline
  local copy = Subject.new { name = baseline.name, path = baseline.path, device = subject.device,
    folder = baseline.folder, stored = baseline.stored }
  rawset(copy, "dtype", subject.dtype)
  return copy
end

-- The baseline's own runtime does where nothing but weights differs: a large model is not held
-- twice.
local function own_model(subject)
  local baseline = subject.baseline
  local is_alike = baseline.device == subject.device and baseline.dtype == subject.dtype
  return is_alike and baseline.runtime or nil
end

local function baseline_model(subject, other)
  local runtime = require "qspec.runtime"
  local ok, model = pcall(runtime.build_with, subject, other)
  if ok then return model end
  local err = outcome.from(model)
  error(outcome.error(err.kind, "the baseline's weights do not fit the model: " .. err.message,
    err.hint ~= "" and err.hint or "name the checkpoint that the model was made from",
    other.path), 0)
end

-- Which modules differ --------------------------------------------------------------------------

local function same_tensor(subject, other, suffix, row, theirs)
  local mine, reference = row.holding.tensors[suffix], theirs.holding.tensors[suffix]
  if not (mine and reference) then return mine == reference end
  local a = expert_parts.read(subject.checkpoint, mine)
  local b = expert_parts.read(other.checkpoint, reference)
  return a:equal(b:dtype() == a:dtype() and b or b:to(a:dtype()))
end

-- A module of which both hold the same values cannot be to blame.
local function differs(subject, other, name)
  local row, theirs = subject.census.by_name[name], other.census.by_name[name]
  if not row or not theirs then return false end
  if row.layout or theirs.layout then return true end
  for _, suffix in ipairs(row.holding.list) do
    if not same_tensor(subject, other, suffix, row, theirs) then return true end
  end
  return false
end

-- Units -------------------------------------------------------------------------------------------

--- Whether the quantizer folds factors of one weight into another of its layer: then no module
--- could be exchanged alone, nor be given the input of the baseline's.
---@param subject table
---@return boolean
function M.is_folded(subject)
  local format, requested = subject.format, subject.requested
  return format and (format.rescales or requested.rescales) and true or false
end

local function unit_name(subject, group)
  local row = subject.census.by_name[group[1]]
  if row and row.tied_to then return row.tied_to end
  return M.is_folded(subject) and group[1]:match("^(.-%.%d+)%.") or group[1]
end

local function add(unit, subject, group)
  for _, name in ipairs(group) do
    local row = subject.census.by_name[name]
    unit.modules[#unit.modules + 1] = name
    if row and row.layout then unit.packed[#unit.packed + 1] = name end
    unit.stored_bytes = unit.stored_bytes + (row and row.stored or 0)
  end
end

local function any(list, holds)
  for _, item in ipairs(list) do
    if holds(item) then return true end
  end
  return false
end

local function units_of(subject, other, groups, matches)
  local units, by_name = {}, {}
  for _, group in ipairs(groups) do
    local wanted = any(group, matches) and any(group, function(name)
      return differs(subject, other, name)
    end)
    local name = unit_name(subject, group)
    if wanted and not by_name[name] then
      by_name[name] = { name = name, modules = {}, packed = {}, stored_bytes = 0 }
      units[#units + 1] = by_name[name]
    end
    if wanted then add(by_name[name], subject, group) end
  end
  return units
end

-- Opening -----------------------------------------------------------------------------------------

local function everything() return true end

---@class qspec.ExchangedModels
---@field model any qspec.Model: the checkpoint's
---@field baseline any qspec.Model: the baseline's weights in the same program
---@field other table the baseline as a subject in the dtype of the checkpoint
---@field is_whole boolean whether the baseline's own program is the same

--- Both models of one program.
---@param subject table with a baseline
---@return qspec.ExchangedModels
function M.models(subject)
  baselines.require_relation(subject)
  local other = alike(subject)
  local is_whole = require("qspec.runtime").same_program(subject, other)
  local model = subject.runtime
  local baseline = is_whole and own_model(subject) or baseline_model(subject, other)
  return { model = model, baseline = baseline, other = other, is_whole = is_whole }
end

--- Builds both models and lists what differs.
---@param subject table with a baseline
---@param matches (fun(name: string): boolean)|nil which modules may be exchanged
---@return qspec.Exchange
function M.open(subject, matches)
  local models = M.models(subject)
  local baseline = models.baseline:remembering(MOST_KEPT)
  local units = units_of(subject, models.other, baseline:module_groups(), matches or everything)
  return setmetatable({ subject = subject, baseline = baseline, model = models.model,
    reference = models.is_whole and baseline or subject.baseline.runtime, units = units }, Exchange)
end

--- The baseline with these units as the checkpoint has them.
---@param set integer[] places in `units`
---@return any qspec.Model
function Exchange:with(set)
  local names = {}
  for _, place in ipairs(set) do
    for _, name in ipairs(self.units[place].modules) do names[#names + 1] = name end
  end
  return self.baseline:with(self.model, names)
end

--- The error that each unit adds to its output by itself: the least SQNR of its modules.
---@param ids integer[]
---@return table<integer, number> decibels by place in `units`; NaN where values are not finite, nil
---  where modules cannot be told apart
function Exchange:added_db(ids)
  local by_module, list = {}, {}
  if M.is_folded(self.subject) then return list end
  for _, error in ipairs(self.model:module_errors(self.baseline, ids)) do
    for _, name in ipairs(error.modules) do by_module[name] = error.added_db end
  end
  for place, unit in ipairs(self.units) do
    for _, name in ipairs(unit.modules) do
      local db = by_module[name]
      if not list[place] or db ~= db or db < list[place] then list[place] = db end
    end
  end
  return list
end

--- The subject, to checks and measures, as if it were this model.
---@param model any qspec.Model
function Exchange:as_subject(model)
  local subject = self.subject
  local baseline = setmetatable({ runtime = self.reference }, { __index = subject.baseline })
  return setmetatable({ runtime = model, baseline = baseline }, { __index = subject })
end

return M
