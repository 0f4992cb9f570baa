-- For gpu_decode.py: seconds of a prefill and of a decoded token, one row of JSON.
--
--   qspec lua gpu_decode.lua FOLDER DEVICE BATCH PROMPT NEW REPEATS

local device = require "qspec.device"
local json = require "host.json"
local system = require "host.system"
local Subject = require "qspec.subject"

local folder, wanted, batch, length, new, repeats = ...
batch, length, new, repeats = tonumber(batch), tonumber(length), tonumber(new), tonumber(repeats)

local function prompts()
  local rows = {}
  for b = 1, batch do
    local row = {}
    for i = 1, length do row[i] = 3 + (b * 31 + i * 7) % 190 end
    rows[b] = row
  end
  return rows
end

local function median(list)
  table.sort(list)
  return list[math.floor((#list + 1) / 2)]
end

local function equal(a, b)
  for row = 1, #a do
    if table.concat(a[row].ids, " ") ~= table.concat(b[row].ids, " ") then return false end
  end
  return true
end

local runtime = Subject.new({ name = folder, path = folder,
  device = device.choose(wanted, false).name }).runtime

local function seconds(tokens)
  local began = system.clock()
  local found = runtime:generate(prompts(), { max_new_tokens = tokens })
  return system.clock() - began, found
end

local _, wanted_ids = seconds(new + 1)
local first, all, same = {}, {}, true
for i = 1, repeats do
  first[i] = seconds(1)
  local found
  all[i], found = seconds(new + 1)
  same = same and equal(found, wanted_ids)
end
local prefill = median(first)
system.stdout(json.encode { prefill = prefill, token = (median(all) - prefill) / new, same = same,
  ids = wanted_ids[1].ids } .. "\n")
