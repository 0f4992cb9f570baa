-- Who may require whom in the standard library, read from every file of it.

local system = require "host.system"
local test = require "test"

local ROOT = system.home() .. "/stdlib/qspec"
local MOST_BYTES = 2 ^ 20

-- Of a registry's folder, the other folders that its files may reach.
local REACH = {
  architectures = { decoder = true, encoder_decoder = true, outline = true },
  layouts = { layouts = true },
  formats = { layouts = true, gguf = true },
  checks = { lock = true, numerics = true, gguf = true },
  reporters = {},
  operators = { mutation = true, layouts = true },
  incidents = {},
}

-- Modules with only these callers.
local CALLERS = {
  ["qspec.main"] = {},
  ["qspec.session"] = { ["qspec.commands.run"] = true },
  ["qspec.runner"] = { ["qspec.session"] = true, ["qspec.mutation.trial"] = true,
    ["qspec.mutation.advice"] = true, ["qspec.bisect.judge"] = true,
    ["qspec.lock.checked"] = true },
  ["qspec.acceptance"] = { ["qspec.commands.accept"] = true },
  ["qspec.spec"] = { ["qspec.session"] = true, ["qspec.runner"] = true,
    ["qspec.acceptance"] = true, ["qspec.mutation.jobs"] = true, ["qspec.bisect.target"] = true,
    ["qspec.lock.checked"] = true },
  ["qspec.plan"] = { ["qspec.session"] = true, ["qspec.acceptance"] = true,
    ["qspec.mutation.jobs"] = true, ["qspec.bisect.target"] = true, ["qspec.lock.checked"] = true },
  ["qspec.census"] = { ["qspec.subject"] = true, ["qspec.checks.quantized"] = true,
    ["qspec.lock.record"] = true },
}

-- The host modules that are LibTorch's.
local TORCH = { ["host.tensor"] = true, ["host.model"] = true }

local function lua_files(folder, prefix, files)
  for _, entry in ipairs(system.list(folder)) do
    local path, stem = folder .. "/" .. entry, entry:match("^(.*)%.lua$")
    if stem then
      files[#files + 1] = { name = prefix .. stem, path = path }
    elseif system.kind(path) == "directory" and entry ~= "meta" then
      lua_files(path, prefix .. entry .. ".", files)
    end
  end
  return files
end

-- What a file requires: when it is loaded, and later, inside of a function.
local function requirements(path)
  local text = system.read(path, MOST_BYTES):gsub("%[%[.-%]%]", ""):gsub("%-%-[^\n]*", "")
  local at_once, later = {}, {}
  for line in (text .. "\n"):gmatch("([^\n]*)\n") do
    local list = line:find("^%s") and later or at_once
    for name in line:gmatch('require%s*%(?%s*"([%w_.]+)"') do list[#list + 1] = name end
  end
  return at_once, later
end

local modules = lua_files(ROOT, "qspec.", {})
for _, module in ipairs(modules) do
  module.at_once, module.later = requirements(module.path)
  module.folder = module.name:match("^qspec%.(%w+)%.")
end

-- Each pair of a module and a name that it requires.
local function each_requirement(visit)
  for _, module in ipairs(modules) do
    for _, list in ipairs { module.at_once, module.later } do
      for _, name in ipairs(list) do visit(module, name) end
    end
  end
end

test("the files are read as they are", function()
  local by_name = {}
  for _, module in ipairs(modules) do by_name[module.name] = module end
  test.ok(#modules > 50, "found only " .. #modules .. " files")
  test.equal(by_name["qspec.runtime"].later, { "host.model" })
  test.equal(by_name["qspec.hub"].at_once, { "host.system" })
end)

test("registries reach no other registry's files but formats those of layouts", function()
  each_requirement(function(module, name)
    local reach, target = REACH[module.folder], name:match("^qspec%.(%w+)%.")
    if reach and target and not reach[target] then
      test.fail(module.name .. " requires " .. name)
    end
  end)
end)

test("what the runner calls does not call the runner", function()
  each_requirement(function(module, name)
    local callers = CALLERS[name]
    if callers and not callers[module.name] then
      test.fail(module.name .. " requires " .. name)
    end
  end)
end)

test("commands are reached by their registry, and help by the program", function()
  each_requirement(function(module, name)
    local to_command = name:find("^qspec%.commands%.")
    if to_command and module.name ~= "qspec.main" then
      test.fail(module.name .. " requires " .. name)
    end
  end)
end)

test("reporters see events and neither models nor files", function()
  each_requirement(function(module, name)
    local ours = { ["host.json"] = true, ["host.system"] = true }
    local reads = name:find("^host%.") and not ours[name] or name:find("^qspec%.subject")
    if module.folder == "reporters" and reads then
      test.fail(module.name .. " requires " .. name)
    end
  end)
end)

-- libqspec_torch.so is mapped by the first of these that runs, so that headers alone never map it.
test("LibTorch is required inside of a function, never when a file is loaded", function()
  for _, module in ipairs(modules) do
    for _, name in ipairs(module.at_once) do
      if TORCH[name] then test.fail(module.name .. " requires " .. name .. " when it is loaded") end
    end
  end
end)

test("LibTorch is required by layouts, what breaks weights, and what runs a model", function()
  local may = { ["qspec.runtime"] = true, ["qspec.objects"] = true, ["qspec.weights"] = true,
    ["qspec.stored_weight"] = true, ["qspec.expert_parts"] = true, ["qspec.experts"] = true,
    ["qspec.nearest_rounding"] = true, ["qspec.compensated"] = true,
    ["qspec.block_gains"] = true }
  local folders = { layouts = true, mutation = true, operators = true }
  each_requirement(function(module, name)
    if TORCH[name] and not may[module.name] and not folders[module.folder] then
      test.fail(module.name .. " requires " .. name)
    end
  end)
end)

test("every module of qspec that is required is there", function()
  local there = {}
  for _, module in ipairs(modules) do there[module.name] = true end
  each_requirement(function(module, name)
    if name:find("^qspec%.") and not there[name] then
      test.fail(module.name .. " requires " .. name .. ", which is not there")
    end
  end)
end)

test("no two files need each other to be loaded", function()
  local by_name, state = {}, {}
  for _, module in ipairs(modules) do by_name[module.name] = module end
  local function visit(name, path)
    if state[name] == "done" or not by_name[name] then return end
    path = path .. " -> " .. name
    if state[name] == "open" then test.fail("a circle:" .. path) end
    state[name] = "open"
    for _, next_name in ipairs(by_name[name].at_once) do visit(next_name, path) end
    state[name] = "done"
  end
  for _, module in ipairs(modules) do visit(module.name, "") end
end)
