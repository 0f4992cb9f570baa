-- Greedy tokens of checkpoints that have a record of transformers' (reference.json), one prompt at
-- a time as they were recorded, and all in one batch.
--
--   qspec lua tests/device/greedy_ids.lua DEVICE FOLDER...
--
-- A token may differ where the two best were as good as equal (a margin under 0.05). Exits with 1
-- where another differs, or the batch has other tokens than its prompts alone.

local device = require "qspec.device"
local json = require "host.json"
local system = require "host.system"
local Subject = require "qspec.subject"

local TIE, NEW, MOST_BYTES = 0.05, 10, 2 ^ 24

local wanted_device = ...
local chosen = device.choose(wanted_device, false)

local function record_of(folder)
  return json.decode(system.read(folder .. "/reference.json", MOST_BYTES)).generations
end

-- The first new token that differs, counted from 1.
local function difference(found, wanted, given)
  for i = given + 1, #wanted do
    if found.ids[i] ~= wanted[i] then return i - given end
  end
end

local function judge(counts, found, generation)
  local at = difference(found, generation.output_ids, #generation.input_ids)
  local margin = at and found.steps[at] and math.abs(found.steps[at].margin)
  if not at then
    counts.equal = counts.equal + 1
  elseif margin and margin < TIE then
    counts.ties = counts.ties + 1
  else
    counts.others = counts.others + 1
  end
end

local function compare(folder)
  local runtime = Subject.new({ name = folder, path = folder, device = chosen.name }).runtime
  local alone, together, prompts = { equal = 0, ties = 0, others = 0 },
    { equal = 0, ties = 0, others = 0 }, {}
  local record = record_of(folder)
  for i, generation in ipairs(record) do
    prompts[i] = generation.input_ids
    judge(alone, runtime:generate(generation.input_ids, { max_new_tokens = NEW }), generation)
  end
  for i, found in ipairs(runtime:generate(prompts, { max_new_tokens = NEW })) do
    judge(together, found, record[i])
  end
  system.stdout(("%-28s alone %d equal, %d ties, %d others; batch %d, %d, %d\n"):format(
    folder:match("[^/]+$"), alone.equal, alone.ties, alone.others, together.equal, together.ties,
    together.others))
  return alone.others == 0
end

local is_right = true
for _, folder in ipairs { select(2, ...) } do is_right = compare(folder) and is_right end
if not is_right then error("tokens differ from the record", 0) end
