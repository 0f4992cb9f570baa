-- qspec lua header_scale.lua PATH ROUNDS: seconds that opening a checkpoint and listing its tensors
-- take, the medians of so many rounds, and how many tensors there are.
local checkpoint = require "host.checkpoint"
local system = require "host.system"

local path, rounds = ...

local function median(values)
  table.sort(values)
  return values[math.ceil(#values / 2)]
end

local opening, listing, count = {}, {}, 0
for i = 1, tonumber(rounds) do
  local began = system.clock()
  local opened = checkpoint.open(path)
  local is_open = system.clock()
  count = #opened:tensors()
  opening[i], listing[i] = is_open - began, system.clock() - is_open
  opened:release()
end
system.stdout(("%d %.9f %.9f\n"):format(count, median(opening), median(listing)))
