-- Finds the baseline of a checkpoint that was given without one, among those that the spec names.
--
-- A quantizer leaves biases, norms and embeddings as they are. A dense checkpoint of the same
-- architecture whose every unquantized tensor is equal to this one's, byte for byte, is the model
-- that it was made from; anything less is not taken, so that two trainings of one shape are never
-- compared.

local outcome = require "qspec.outcome"
local tier = require "qspec.tier"
local Subject = require "qspec.subject"

local M = {}

local LARGEST_COMPARED = 64 * 2 ^ 20  -- embeddings beyond this are left out: the rest decides

local function same_bytes(a, entry_a, b, entry_b)
  if entry_a.dtype ~= entry_b.dtype or entry_a.bytes ~= entry_b.bytes then return false end
  return a:bytes(entry_a.name, LARGEST_COMPARED) == b:bytes(entry_b.name, LARGEST_COMPARED)
end

local function is_origin(subject, candidate)
  local compared = 0
  for _, row in ipairs(subject.census.modules) do
    local other = candidate.census.by_name[row.name]
    if not other or other.format then return false end
    for _, suffix in ipairs(row.holding.list) do
      local mine, theirs = row.holding.tensors[suffix], other.holding.tensors[suffix]
      local dense = not row.format or suffix == "bias"
      if dense and theirs and mine.bytes <= LARGEST_COMPARED then
        if not same_bytes(subject.checkpoint, mine, candidate.checkpoint, theirs) then
          return false
        end
        compared = compared + 1
      end
    end
  end
  return compared > 0
end

--- The first of `paths` that the subject was made from, or nil.
---@param subject table
---@param paths string[]
---@param highest integer rank of the highest tier allowed; bytes are read from weights on
function M.infer(subject, paths, highest)
  if highest < tier.rank("weights") then return nil end
  for _, path in ipairs(paths) do
    if path ~= subject.path then
      local candidate = Subject.new { name = path:match("[^/]+/*$"), path = path }
      local ok, same = pcall(function()
        return candidate.architecture == subject.architecture and is_origin(subject, candidate)
      end)
      if ok and same then return candidate end
    end
  end
end

--- Raises when the baseline is of another architecture.
---@param subject table
function M.require_relation(subject)
  local baseline = subject.baseline
  if not baseline or baseline.architecture == subject.architecture then return end
  error(outcome.error("usage", ("the baseline is a '%s', the model a '%s'"):format(
    baseline.architecture.name, subject.architecture.name),
    "name the checkpoint that the model was made from", baseline.path), 0)
end

return M
