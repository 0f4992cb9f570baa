-- For generate_speed.py: seconds of a prefill and of a decoded token, one row of JSON.
--
--   qspec lua generate_speed.lua FOLDER BATCH PROMPT NEW REPEATS

local json = require "host.json"
local system = require "host.system"
local Subject = require "qspec.subject"

local folder, batch, length, new, repeats = ...
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

local runtime = Subject.new({ name = folder, path = folder }).runtime

local function seconds(tokens)
  local began = system.clock()
  runtime:generate(prompts(), { max_new_tokens = tokens })
  return system.clock() - began
end

seconds(2)
local first, all = {}, {}
for i = 1, repeats do first[i], all[i] = seconds(1), seconds(new + 1) end
local prefill = median(first)
system.stdout(json.encode { prefill = prefill, token = (median(all) - prefill) / new } .. "\n")
