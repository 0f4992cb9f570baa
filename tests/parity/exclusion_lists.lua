-- The exclusion list of each format for some names, as JSON: exclusion_lists.lua MODEL NAME...

local exclusion_lists = require "qspec.exclusion_lists"
local json = require "host.json"
local registry = require "qspec.registry"
local system = require "host.system"
local Subject = require "qspec.subject"

local model = arg[1]
local subject = Subject.new { name = model, path = model }
local names, lists = { unpack(arg, 2) }, {}
for _, format in ipairs(registry("formats").all()) do
  local list = format.exclude and format.exclude(names, subject, false)
  if list then lists[format.name] = { text = list.text, config = list.config } end
end
assert(#exclusion_lists.of(names, subject) > 0)
system.stdout(json.encode(lists) .. "\n")
