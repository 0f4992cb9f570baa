-- Whether a mutant that nothing noticed is the genuine model after all.
--
-- Shown, not asserted: either nothing changed at all (same tensors, same values of the small
-- files), or an operator that claims so is proven right by the same logits, bit for bit.

local json = require "host.json"
local playing = require "qspec.mutation.playing"

local M = {}

local LARGEST = 2 ^ 30
local PROBE_TOKENS = 24

local function same_tensor(genuine, mutated, name)
  local a, b = genuine:find(name), mutated:find(name)
  if a == nil or b == nil then return a == b end
  return a.dtype == b.dtype and table.concat(a.shape, ",") == table.concat(b.shape, ",")
    and genuine:bytes(name, LARGEST) == mutated:bytes(name, LARGEST)
end

local function same_text(genuine, mutated, name)
  if not genuine:has(name) or not mutated:has(name) then
    return genuine:has(name) == mutated:has(name)
  end
  local a, b = genuine:text(name), mutated:text(name)
  if a == b then return true end
  if not name:find("%.json$") then return false end
  local options = { sort = true }
  return json.encode(json.decode(a, name), options) == json.encode(json.decode(b, name), options)
end

--- Whether nothing that is stored differs.
---@param mutant qspec.Mutant
function M.is_unchanged(mutant)
  for name in pairs(mutant.touched) do
    if not same_tensor(mutant.genuine.stored, mutant.stored, name) then return false end
  end
  for key in pairs(mutant.metadata) do
    if mutant.genuine.stored:metadata(key) ~= mutant.stored:metadata(key) then return false end
  end
  for name in pairs(mutant.folder.changed) do
    if not same_text(mutant.genuine.folder, mutant.folder, name) then return false end
  end
  return true
end

local function logits(subject, ids)
  return subject.runtime:forward(ids)
end

-- Who wrote the file, and what greedy generation of one sequence does not need.
local IS_NOTE = { transformers_version = true, _from_model_config = true, pad_token_id = true,
  do_sample = true }

local function said(generation_config)
  local kept = {}
  for key, value in pairs(generation_config) do
    if not IS_NOTE[key] and value ~= json.null then kept[key] = value end
  end
  return json.encode(kept, { sort = true })
end

local function same_generation(genuine, subject)
  return said(genuine.generation_config) == said(subject.generation_config)
end

--- Whether both models give the same logits and generate under the same settings; false also for
--- one that does not run.
---@param genuine table subject
---@param subject table of the mutant
function M.same_output(genuine, subject)
  local ids = playing.probe(genuine, PROBE_TOKENS)
  local wanted = logits(genuine, ids)
  local ok, found = pcall(logits, subject, ids)
  return ok and found:equal(wanted) and same_generation(genuine, subject)
end

--- Why a surviving mutant is no fault, or nil.
---@param operator table
---@param mutant qspec.Mutant
---@param variant table
---@return string|nil reason
function M.reason(operator, mutant, variant)
  if M.is_unchanged(mutant) then return "nothing that is stored changed" end
  local claim = operator.equivalent
  if type(claim) == "function" then claim = claim(mutant, variant) end
  if not claim then return nil end
  local subject = mutant:subject()
  local ok, same = pcall(M.same_output, mutant.genuine, subject)
  subject:release()
  return ok and same and claim or nil
end

return M
