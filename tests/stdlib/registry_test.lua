local test = require "test"
local outcome = require "qspec.outcome"
local registry = require "qspec.registry"

-- A registry over files that are only a table: path without root -> what the file returns.
local function checks_in(...)
  local roots, loads = {}, {}
  local folders = { ... }
  for i in ipairs(folders) do roots[i] = "/root" .. i end
  local function files_of(path)
    local root, rest = path:match("^/root(%d)/qspec/checks/?(.*)$")
    return folders[tonumber(root)], rest
  end
  local source = { roots = roots }
  function source.list(path)
    local names = {}
    for name in pairs(files_of(path)) do names[#names + 1] = name end
    return names
  end
  function source.kind(path)
    local files, name = files_of(path)
    return files[name] ~= nil and "file" or nil
  end
  function source.load(path)
    loads[#loads + 1] = path
    local files, name = files_of(path)
    if type(files[name]) == "string" then error(files[name], 0) end
    return files[name]
  end
  return registry("checks", source), loads
end

local function a_check(name, changes)
  local check = { name = name, summary = "a summary", needs = "header", run = function() end }
  for field, value in pairs(changes or {}) do
    if value == "absent" then check[field] = nil else check[field] = value end
  end
  return check
end

test("names the files of a folder in order and loads none", function()
  local files = { ["b.lua"] = a_check "b", ["a.lua"] = a_check "a", ["x.txt"] = 1 }
  local checks, loads = checks_in(files)
  test.equal(checks.names(), { "a", "b" })
  test.equal(loads, {})
end)

test("loads only the file that is asked for, and once", function()
  local checks, loads = checks_in { ["a.lua"] = a_check "a", ["b.lua"] = a_check "b" }
  test.equal(checks.get("b").name, "b")
  checks.get("b")
  test.equal(loads, { "/root1/qspec/checks/b.lua" })
end)

test("prefers the user's own folder to the one that ships", function()
  local own, shipped = a_check "a", a_check "a"
  local checks = checks_in({ ["a.lua"] = own }, { ["a.lua"] = shipped, ["b.lua"] = a_check "b" })
  test.ok(checks.get("a") == own)
  test.equal(checks.names(), { "a", "b" })
end)

test("gives every entry by name", function()
  local checks = checks_in { ["b.lua"] = a_check "b", ["a.lua"] = a_check "a" }
  test.equal({ checks.all()[1].name, checks.all()[2].name }, { "a", "b" })
end)

test("does not let a caller change its names", function()
  local checks = checks_in { ["a.lua"] = a_check "a" }
  table.insert(checks.names(), "x")
  test.equal(checks.names(), { "a" })
end)

test("suggests the nearest name for one that is not there", function()
  local checks = checks_in { ["memory.lua"] = a_check "memory" }
  local err = test.raises("there is no check 'memroy'", checks.get, "memroy")
  test.equal(err.hint, "did you mean 'memory'?")
  test.equal(err.kind, "spec")
end)

test("lists the names when none is near", function()
  local checks = checks_in { ["memory.lua"] = a_check "memory", ["config.lua"] = a_check "config" }
  test.equal(test.raises("no check 'xyz'", checks.get, "xyz").hint, "checks: config, memory")
end)

test("does not leave its folder by a name with a path in it", function()
  local checks, loads = checks_in { ["../commands/run.lua"] = a_check "run" }
  test.raises("there is no check", checks.get, "../commands/run")
  test.equal(loads, {})
end)

local INVALID = {
  { "a file that returns nothing", false, "returned a boolean, wanted a table" },
  { "a name that is not the file's", a_check "b", "'name' is 'b', wanted the file's name 'a'" },
  { "a name that is missing", a_check("a", { name = "absent" }), "'name' is a nil, wanted a str" },
  { "a summary that is missing", a_check("a", { summary = "absent" }), "'summary' is a nil" },
  { "a tier that does not exist", a_check("a", { needs = "weigths" }),
    "'needs' is 'weigths', wanted one of config, header, weights" },
  { "a run that is a text", a_check("a", { run = "x" }), "'run' is a string, wanted a function" },
  { "parameters that are no table", a_check("a", { params = 1 }), "'params' is a number" },
  { "details that are no text", a_check("a", { details = {} }), "'details' is a table" },
}

for _, case in ipairs(INVALID) do
  test("refuses " .. case[1] .. ", naming file, field, got and wanted", function()
    local checks = checks_in { ["a.lua"] = case[2] }
    local err = test.raises(case[3], checks.get, "a")
    test.equal(err.where, "/root1/qspec/checks/a.lua")
    test.equal(err.kind, "spec")
  end)
end

test("says which file does not compile", function()
  local checks = checks_in { ["a.lua"] = "unexpected symbol near '}'" }
  local err = test.raises("check 'a' does not load: unexpected symbol", checks.get, "a")
  test.equal(err.where, "/root1/qspec/checks/a.lua")
end)

test("a registry that does not exist is a mistake of the caller", function()
  test.raises("no registry 'cheks'", registry, "cheks")
end)

for _, folder in ipairs { "architectures", "formats", "checks", "reporters", "commands" } do
  test("every one of the " .. folder .. " that ship is valid", function()
    test.ok(#registry(folder).all() > 0, "there is none")
  end)
end

test("an unknown command is a mistake of usage, exit code 2", function()
  local err = test.raises("no command 'rnu'", registry("commands").get, "rnu")
  test.equal(outcome.exit_of_error(err), 2)
end)
