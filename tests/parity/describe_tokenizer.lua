-- qspec lua describe_tokenizer.lua FOLDER...: the tokenizer of each folder as a tokenizer.json has
-- it, one list for tokenizer_class_parity.py.
local json = require "host.json"
local system = require "host.system"
local outcome = require "qspec.outcome"
local Subject = require "qspec.subject"
local load = require "qspec.tokenizer.load"

local rows = {}
for i, folder in ipairs { ... } do
  local subject = Subject.new { name = folder, path = folder }
  local ok, result = pcall(load.describe, subject)
  rows[i] = ok and { class = result.class.name, tokenizer = result.parts,
      special = load.names(result.special) }
    or { error = tostring(outcome.from(result)) }
end
system.stdout(json.encode(json.array(rows)))
