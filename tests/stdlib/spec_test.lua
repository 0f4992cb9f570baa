local test = require "test"
local spec = require "qspec.spec"
local system = require "host.system"

local function load(text)
  local path = test.tmpfile(".lua")
  system.write_atomic(path, text)
  return spec.load(path), path
end

-- The error of a spec that must not load, with the line it names.
local function mistake(text, pattern, line)
  local path = test.tmpfile(".lua")
  system.write_atomic(path, text)
  local err = test.raises(pattern, spec.load, path)
  test.equal(err.kind, "spec")
  if line then test.equal(err.where, path .. ":" .. line) end
  return err
end

test("loading only records: nothing of the model is read", function()
  local loaded = load [[
model "nowhere" { checkpoint = "/nonexistent" }
layers { "*" }
]]
  test.equal(#loaded.models, 1)
  test.equal(#loaded.declarations, 1)
end)

test("a declaration knows its file and line", function()
  local loaded, path = load "\n\nlayers {}\n"
  test.equal(loaded.declarations[1].where, path .. ":3")
end)

test("a check inside a model is placed on its own line", function()
  local loaded, path = load [[
model "m" {
  checkpoint = "x",
  memory = { ratio = 2 },
}
]]
  test.equal(loaded.models[1].declarations[1].where, path .. ":3")
end)

test("an unknown verb names the nearest and the line", function()
  local err = mistake("\nlayrs {}\n", "unknown name 'layrs'", 2)
  test.equal(err.hint, "did you mean 'layers'?")
end)

test("an unknown key of a check names the nearest", function()
  local err = mistake("memory { ration = 2 }", "unknown key 'ration'", 1)
  test.ok(err.hint:find("did you mean 'ratio'?", 1, true), err.hint)
end)

test("an unknown key of a model names the nearest and its line", function()
  local err = mistake('model "m" {\n  checkpoit = "x",\n}', "unknown key 'checkpoit'", 2)
  test.ok(err.hint:find("checkpoint", 1, true), err.hint)
end)

test("a model needs a checkpoint or an architecture", function()
  mistake('model "m" {}', "neither checkpoint nor architecture", 1)
end)

test("a value of the wrong type is refused with both types", function()
  mistake('memory { tolerance = "small" }', "tolerance = 'small', wanted number", 1)
end)

test("a syntax error is placed", function()
  mistake("layers {\n", "expected", 2)
end)

test("an assignment to a global is refused", function()
  mistake("threshold = 3\nlayers {}", "assignment to the global 'threshold'", 1)
end)

test("a spec that declares nothing is refused", function()
  mistake("local x = 1", "declares nothing")
end)

test("an endless loop is stopped and says so", function()
  mistake("while true do end", "more than 50000000 instructions")
end)

test("a memory bomb is stopped and says so", function()
  mistake("local t = {}\nfor i = 1, 1e9 do t[i] = {i} end", "MiB")
end)

test("a raise is an error of the spec at its line", function()
  mistake("\nerror('no luck')", "no luck", 2)
end)

test("bytecode is refused", function()
  mistake("\27LJ\2\0", ".")
end)

test("a folder is refused as a spec", function()
  test.raises("folder", spec.load, test.tmpdir())
end)

test("a spec that is not there is refused by name", function()
  local err = test.raises("no such spec", spec.load, "/nonexistent/spec.lua")
  test.ok(err.where:find("/nonexistent/spec.lua", 1, true) or
    err.message:find("/nonexistent/spec.lua", 1, true))
end)

test("the environment reaches nothing outside", function()
  for _, name in ipairs { "io", "os", "require", "debug", "package", "ffi", "jit", "loadstring",
      "dofile", "getmetatable", "setmetatable", "setfenv", "getfenv", "rawset", "newproxy",
      "collectgarbage", "coroutine" } do
    mistake("local x = " .. name .. "\nlayers {}", "unknown name '" .. name .. "'", 1)
  end
end)

test("quantize wants a format's verb", function()
  mistake('model "m" { checkpoint = "x", quantize = "nf4" }', "quantize is 'nf4'", 1)
end)

test("a format's verb checks its options", function()
  mistake("bitsandbytes { bits = 5 }", "bits = 5", 1)
end)

test("generates may leave its texts to qspec accept", function()
  local params = load('generates { "Hello" }').declarations[1].params
  test.equal({ params[1], params.accepts, params.max_new_tokens }, { "Hello", nil, 10 })
end)

test("a family is one name or a list of them", function()
  test.equal(load('family "bloom"\nlayers {}').families, { "bloom" })
  test.equal(load('family { "phi", "phi3" }\nlayers {}').families, { "phi", "phi3" })
end)

test("a family that no architecture has is a mistake with the nearest name", function()
  local err = mistake('\nfamily "blom"\nlayers {}', "there is no architecture 'blom'", 2)
  test.equal(err.hint, "did you mean 'bloom'?")
  mistake('family {}\nlayers {}', "family wants a name", 1)
end)

test("a repository is named alone, with a revision, or with one of its files", function()
  local function reference(text) return load("model 'm' { checkpoint = hub" .. text .. " }")
    .models[1].checkpoint end
  test.equal(reference ' "org/name"', { kind = "hub", repository = "org/name" })
  test.equal(reference '("org/name", "v2")',
    { kind = "hub", repository = "org/name", revision = "v2" })
  test.equal(reference ' { "org/name", file = "a.gguf", revision = "v2" }',
    { kind = "hub", repository = "org/name", file = "a.gguf", revision = "v2" })
end)

test("an unknown key of hub names the nearest", function()
  local err = mistake('model "m" { checkpoint = hub { "org/name", fle = "a" } }',
    "hub has an unknown key 'fle'", 1)
  test.ok(err.hint:find("did you mean 'file'?", 1, true), err.hint)
end)
