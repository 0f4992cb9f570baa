-- The annotations of what a spec's check sees against what it gets. Those of the host modules are
-- compared by meta_test.lua.

local objects = require "qspec.objects"
local system = require "host.system"
local test = require "test"

local FOLDER = system.home() .. "/stdlib/qspec/meta/"
local STUBS = { Context = "context.lua", Model = "spec_model.lua", Module = "module.lua" }

local function documented(class)
  local names = {}
  local text = system.read(FOLDER .. STUBS[class], 2 ^ 20)
  for name in text:gmatch("\nfunction " .. class .. ":([%w_]+)%(") do names[#names + 1] = name end
  table.sort(names)
  return names
end

local function defined(methods)
  local names = {}
  for name in pairs(methods) do names[#names + 1] = name end
  table.sort(names)
  return names
end

test("every class that a spec meets has a stub", function()
  test.equal(defined(objects.classes), defined(STUBS))
end)

for class in pairs(STUBS) do
  test("the methods of " .. class .. " are those of its stub", function()
    test.equal(documented(class), defined(objects.classes[class]))
  end)
end
