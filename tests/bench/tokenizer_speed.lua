-- qspec lua tokenizer_speed.lua TOKENIZER_JSON TEXTS_JSON ROUNDS: the seconds that each list of
-- texts takes to encode, of each round, as JSON.
local json = require "host.json"
local system = require "host.system"
local text = require "host.text"

local tokenizer_path, texts_path, rounds = ...

local tokenizer = text.tokenizer(tokenizer_path)

local function seconds(texts)
  local start = system.clock()
  for _, one in ipairs(texts) do tokenizer:encode(one, false) end
  return system.clock() - start
end

local taken = {}
for i, texts in ipairs(json.read(texts_path)) do
  taken[i] = {}
  for round = 1, tonumber(rounds) do taken[i][round] = seconds(texts) end
end
system.stdout(json.encode(taken))
