-- qspec lua tokenize_folder.lua FOLDER WORK_JSON: encodes and decodes work.texts with the tokenizer
-- of a model folder, and prints one list for tokenizer_class_parity.py; an object when the engine
-- lacks a component of it.
local json = require "host.json"
local system = require "host.system"
local outcome = require "qspec.outcome"
local Subject = require "qspec.subject"

local folder, work_path = ...

local subject = Subject.new { name = folder, path = folder }
local ok, tokenizer = pcall(function() return subject.tokenizer end)
if not ok then
  local err = outcome.from(tokenizer)
  if err.kind ~= "unsupported" then error(tokenizer, 0) end
  system.stdout(json.encode { unsupported = err.message })
  return
end

local rows = {}
for i, one in ipairs(json.read(work_path).texts) do
  local ids = tokenizer:encode(one, true)
  rows[i] = json.array { json.array(ids), json.array(tokenizer:encode(one, false)),
    tokenizer:decode(ids, true), tokenizer:decode(ids, false) }
end
system.stdout(json.encode(json.array(rows)))
