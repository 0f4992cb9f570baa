-- Ways to run one model on the same tokens that ought to make no difference, and the difference.
--
-- A run is the logits of each sequence, [T, V] in fp64 on the CPU.

local M = {}

---@class qspec.Sequence
---@field ids integer[] what the decoder is given
---@field source integer[]|nil what an encoder-decoder reads

-- The last rows of a padded batch are those of the sequence.
local function rows_of(logits, index, count)
  local rows = logits:select(1, index)
  return rows:narrow(1, rows:shape()[1] - count + 1, count):to("float64")
end

--- Runs sequences as one batch.
---@param subject table
---@param sequences qspec.Sequence[]
---@param options table|nil as host.model's forward takes it
---@return any[] logits qspec.Tensor of each sequence
function M.batch(subject, sequences, options)
  local ids, sources = {}, {}
  for i, sequence in ipairs(sequences) do ids[i], sources[i] = sequence.ids, sequence.source end
  local logits = subject.runtime:forward(ids, options, sources[1] and sources or nil)
  local run = {}
  for i, one in ipairs(ids) do run[i] = rows_of(logits, i, #one) end
  return run
end

--- Runs sequences in batches of a size.
---@param subject table
---@param sequences qspec.Sequence[]
---@param size integer
---@param options table|nil
---@return any[]
function M.in_batches(subject, sequences, size, options)
  local run = {}
  for first = 1, #sequences, size do
    local part = { unpack(sequences, first, math.min(first + size - 1, #sequences)) }
    for _, logits in ipairs(M.batch(subject, part, options)) do run[#run + 1] = logits end
  end
  return run
end

--- A list from its end.
function M.reversed(list)
  local backwards = {}
  for i, value in ipairs(list) do backwards[#list + 1 - i] = value end
  return backwards
end

--- Runs them all in one batch, the last one first; the logits in the given order.
function M.in_other_order(subject, sequences)
  return M.reversed(M.batch(subject, M.reversed(sequences)))
end

local function log_shares(logits)
  local rows = logits:shape()[1]
  local shifted = logits:sub(logits:max(2):reshape(rows, 1))
  return shifted:sub(shifted:exp():sum(2):log():reshape(rows, 1))
end

-- Summed over the places of a sequence: the divergence, and the expected change of a logarithm.
local function nats(reference, logits)
  local p, q = log_shares(reference), log_shares(logits)
  local shares, change = p:exp(), p:sub(q)
  return shares:mul(change):sum(), shares:mul(change:abs()):sum()
end

---@class qspec.Difference
---@field logits number the largest change of a logit
---@field kl number mean divergence in nats
---@field nll number mean change of the log-probability of a token that the model draws, in nats
---@field at table {sequence, position, token} of the largest change, counted from 1, token from 0

--- How far a run lies from another on the same sequences.
---@param run any[]
---@param reference any[]
---@return qspec.Difference
function M.difference(run, reference)
  local result, places = { logits = 0, kl = 0, nll = 0, at = {} }, 0
  for i, logits in ipairs(run) do
    local change = logits:sub(reference[i]):abs()
    local largest = change:max()
    if not (largest <= result.logits) then
      local place, width = change:argmax() - 1, change:shape()[2]
      result.logits = largest
      result.at = { sequence = i, position = math.floor(place / width) + 1, token = place % width }
    end
    local kl, nll = nats(reference[i], logits)
    result.kl, result.nll = result.kl + kl, result.nll + nll
    places = places + logits:shape()[1]
  end
  result.kl, result.nll = math.max(result.kl / places, 0), result.nll / places
  return result
end

return M
