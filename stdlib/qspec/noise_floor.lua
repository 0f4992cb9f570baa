-- How far the outputs of one model move when nothing about it changes: its noise floor.
--
-- Sums are rounded, and another batch, another order of prompts, a cache or another device adds in
-- another order. Each of these is run on a few short texts and held against each text run alone.
-- None of them is believed: `rounding` says what such noise can be, from the same run with every
-- product of matrices rounded the other way at random (engine/model/random_rounding.h). What moves
-- the outputs by far more is no noise but a fault, which the floor must not hide, and is left out.

local generation = require "qspec.generation"
local probes = require "qspec.probes"
local same_weights = require "qspec.same_weights"

local M = {}

local TEXTS = 4            -- of the probes: about forty tokens, some thirty runs of the model
local ROUNDINGS = 2        -- random roundings of each text
local MOST_EXPLAINED = 8   -- times `rounding` that a difference may be and still be noise: it is up
                           -- to 1 in half precision, and 2 in fp32 where sums are of 2048 terms

---@class qspec.FloorSource
---@field name string
---@field logits number the largest change of a logit
---@field kl number mean divergence, nats
---@field nll number mean change of a token's log-probability, nats
---@field is_noise boolean false: more than rounding explains

---@class qspec.NoiseFloor
---@field device string
---@field rounding qspec.FloorSource
---@field sources qspec.FloorSource[] rounding first
---@field logits number largest of the sources that are noise; and so kl, nll

local function rounded(subject, sequences)
  local run = {}
  for seed = 1, ROUNDINGS do
    for _, logits in ipairs(same_weights.in_batches(subject, sequences, 1,
      { random_rounding = seed })) do
      run[#run + 1] = logits
    end
  end
  return run
end

local function repeated(run)
  local list = {}
  for _ = 1, ROUNDINGS do
    for _, logits in ipairs(run) do list[#list + 1] = logits end
  end
  return list
end

-- Ways to run that must not matter, with what each is called.
local WAYS = {
  { "run to run", function(subject, sequences)
    return same_weights.in_batches(subject, sequences, 1)
  end },
  { "batch of 2", function(subject, sequences)
    return same_weights.in_batches(subject, sequences, 2)
  end },
  { "batch of 4", function(subject, sequences)
    return same_weights.in_batches(subject, sequences, 4)
  end },
  { "prompt order", function(subject, sequences)
    return same_weights.in_other_order(subject, sequences)
  end },
  { "token by token", function(subject, sequences)
    return same_weights.in_batches(subject, { sequences[1] }, 1, { step = 1 })
  end },
  { "on the CPU", function(subject, sequences)
    if subject.device == "cpu" then return nil end
    local twin = subject:on("cpu")
    local run = same_weights.in_batches(twin, sequences, 1)
    twin:release()
    return run
  end },
}

local function first_of(list, count)
  return { unpack(list, 1, count) }
end

local function source(name, run, reference)
  local found = same_weights.difference(run, first_of(reference, #run))
  return { name = name, logits = found.logits, kl = found.kl, nll = found.nll }
end

local function add_noise(floor, found)
  found.is_noise = found.logits <= MOST_EXPLAINED * floor.rounding.logits
  floor.sources[#floor.sources + 1] = found
  if not found.is_noise then return end
  for _, name in ipairs { "logits", "kl", "nll" } do
    floor[name] = math.max(floor[name], found[name])
  end
end

-- The first texts of the probes as tokens. The decoder of an encoder-decoder is given its source
-- once more, behind the start.
local function sequences_of(subject)
  local list = {}
  for i = 1, TEXTS do
    local ids = subject.tokenizer:encode(probes[i], true)
    local given = generation.given_ids(subject, ids)
    list[i] = given == ids and { ids = ids } or { ids = { given[1], unpack(ids) }, source = ids }
  end
  return list
end

--- What rounding alone can change on some sequences.
---@param subject table
---@param sequences qspec.Sequence[]
---@param alone any[] logits of each, run alone
---@return qspec.FloorSource
function M.rounding(subject, sequences, alone)
  return source("rounding", rounded(subject, sequences), repeated(alone))
end

--- Measures a model on its device. Asked through `subject.noise_floor`, which keeps it.
---@param subject table
---@return qspec.NoiseFloor
function M.measure(subject)
  local sequences = sequences_of(subject)
  local alone = same_weights.in_batches(subject, sequences, 1)
  local floor = { device = subject.device, sources = {}, logits = 0, kl = 0, nll = 0 }
  floor.rounding = M.rounding(subject, sequences, alone)
  add_noise(floor, floor.rounding)
  for _, way in ipairs(WAYS) do
    local run = way[2](subject, sequences)
    if run then add_noise(floor, source(way[1], run, alone)) end
  end
  return floor
end

--- The numbers of a floor for a person, the largest first.
---@param floor qspec.NoiseFloor
---@param unit "logits"|"kl"|"nll"
---@return string
function M.describe(floor, unit)
  local parts = {}
  for i, one in ipairs(floor.sources) do
    parts[i] = ("%s %.2g%s"):format(one.name, one[unit], one.is_noise and "" or " (no noise)")
  end
  return ("%.2g on %s: %s"):format(floor[unit], floor.device, table.concat(parts, ", "))
end

return M
