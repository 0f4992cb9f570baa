-- qspec lua tokenize.lua TOKENIZER_JSON WORK_JSON: encodes work.texts and decodes work.ids, and
-- prints one list for tokenizer_parity.py.
local json = require "host.json"
local system = require "host.system"
local text = require "host.text"

local tokenizer_path, work_path = ...

local tokenizer = text.tokenizer(tokenizer_path)
local work = json.read(work_path)

local function decoded(ids)
  return tokenizer:decode(ids, false), tokenizer:decode(ids, true)
end

local rows = {}
for i, one in ipairs(work.texts) do
  local ids = tokenizer:encode(one, true)
  local plain = tokenizer:encode(one, false)
  rows[i] = { json.array(ids), json.array(plain), decoded(ids) }
end
for _, ids in ipairs(work.ids) do rows[#rows + 1] = { decoded(ids) } end
system.stdout(json.encode(rows))
