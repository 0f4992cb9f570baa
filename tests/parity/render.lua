-- qspec lua render.lua WORK_JSON: renders each { template, context } of the list and prints one
-- list of { text } or { error, kind } for template_parity.py.
local json = require "host.json"
local system = require "host.system"
local outcome = require "qspec.outcome"
local template = require "qspec.template"

local work, kinds = json.read((...))

local rows = {}
for i, one in ipairs(work.cases) do
  local ok, result = pcall(function()
    return template.compile(one.template, "t"):render(one.context, { now = work.now,
      kinds = kinds.cases[i].context })
  end)
  local err = not ok and outcome.from(result)
  rows[i] = ok and { text = result } or { error = tostring(err), kind = err.kind }
end
system.stdout(json.encode(rows))
