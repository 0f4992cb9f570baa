-- The annotation stubs against what the host registers, in both directions.

local system = require "host.system"
local test = require "test"

local FOLDER = system.home() .. "/stdlib/qspec/meta"
local MOST_BYTES = 2 ^ 20

local MODULES = { "system", "json", "checkpoint", "text", "sandbox", "tensor", "model", "gpu" }

-- Names that a stub defines: functions of its module and methods by class.
local function read_stub(path)
  local stub = { functions = {}, classes = {}, module = nil }
  local class_of, class = {}, nil
  for line in (system.read(path, MOST_BYTES) .. "\n"):gmatch("([^\n]*)\n") do
    stub.module = stub.module or line:match("^%-%-%-@meta (host%.%w+)")
    class = line:match("^%-%-%-@class ([%w_.]+)") or class
    local variable = line:match("^local (%w+) = {}")
    if variable then class_of[variable], class = class, nil end
    local owner, mark, name = line:match("^function (%w+)([.:])([%w_]+)")
    if owner and mark == "." then
      stub.functions[#stub.functions + 1] = name
    elseif owner then
      local methods = stub.classes[class_of[owner]] or {}
      methods[#methods + 1] = name
      stub.classes[class_of[owner]] = methods
    end
  end
  return stub
end

local function sorted(names)
  local copy = {}
  for i, name in ipairs(names) do copy[i] = name end
  table.sort(copy)
  return copy
end

-- Names that are only in the first list, and only in the second.
local function differences(stubs, host)
  local only_stub, in_host = {}, {}
  for _, name in ipairs(host) do in_host[name] = true end
  for _, name in ipairs(stubs) do
    if in_host[name] then in_host[name] = nil else only_stub[#only_stub + 1] = name end
  end
  local only_host = {}
  for name in pairs(in_host) do only_host[#only_host + 1] = name end
  return table.concat(sorted(only_stub), " "), table.concat(sorted(only_host), " ")
end

local function expect_same(stubs, host, what)
  local only_stub, only_host = differences(stubs, host)
  test.equal(only_stub, "", what .. ": documented, but not there")
  test.equal(only_host, "", what .. ": there, but not documented")
end

local function all_stubs()
  local stubs = {}
  for _, file in ipairs(system.list(FOLDER)) do
    stubs[#stubs + 1] = read_stub(FOLDER .. "/" .. file)
  end
  return stubs
end

local function stub_of_module(name)
  for _, stub in ipairs(all_stubs()) do
    if stub.module == name then return stub end
  end
end

for _, name in ipairs(MODULES) do
  test("the functions of host." .. name .. " are those of its stub", function()
    require("host." .. name)
    local stub = stub_of_module("host." .. name)
    test.ok(stub, "no stub says ---@meta host." .. name)
    expect_same(stub.functions, system.registered("host." .. name), "host." .. name)
  end)
end

test("the methods of every type are those of its stub", function()
  for _, name in ipairs(MODULES) do require("host." .. name) end
  local documented = {}
  for _, stub in ipairs(all_stubs()) do
    for class, methods in pairs(stub.classes) do documented[class] = methods end
  end
  local types = system.registered()
  test.ok(#types > 0, "no type is registered")
  for _, class in ipairs(types) do
    test.ok(documented[class], "no stub has the class " .. class)
    expect_same(documented[class], system.registered(class), class)
  end
end)
