-- Accepted outputs beside a spec: what is recorded is read back, for its own key only.

local accepted_outputs = require "qspec.accepted_outputs"
local json = require "host.json"
local json_schema = require "json_schema"
local system = require "host.system"
local test = require "test"

local function output(changes)
  local record = { model = "tiny", device = "cpu", prompt = "Hello", max_new_tokens = 10,
    text = "Hello world", provenance = { qspec = "0.1.0", date = "2026-01-31T12:00:00Z",
      device = "cpu", sha256 = ("0"):rep(64) } }
  for key, value in pairs(changes or {}) do record[key] = value end
  return record
end

local function recorded(...)
  local spec = test.tmpfile(".lua")
  for _, outputs in ipairs { ... } do accepted_outputs.record(spec, outputs) end
  return spec
end

local function texts(spec, key)
  return accepted_outputs.texts(accepted_outputs.read(spec), output(key))
end

-- The error of a file with this text.
local function refused(text, pattern)
  local spec = test.tmpfile(".lua")
  local path = accepted_outputs.path(spec)
  system.write_atomic(path, text)
  local err = test.raises(pattern, accepted_outputs.read, spec)
  test.equal(err.kind, "spec")
  test.ok(err.where:find(path, 1, true), err.where)
  return err
end

test("the file is beside the spec and has its name", function()
  test.equal(accepted_outputs.path("specs/bloom.lua"), "specs/bloom.accepted.json")
  test.equal(accepted_outputs.path("spec"), "spec.accepted.json")
end)

test("without a file nothing was accepted", function()
  test.equal(accepted_outputs.read(test.tmpfile(".lua")), {})
end)

test("what is recorded is accepted, for its model, device, prompt and length only", function()
  local spec = recorded { output() }
  test.equal(texts(spec), { "Hello world" })
  for _, key in ipairs { { model = "other" }, { device = "cuda" }, { prompt = "Hello " },
      { max_new_tokens = 11 } } do
    test.equal(texts(spec, key), {})
  end
end)

test("GPUs of one machine share what is accepted, GPU and CPU do not", function()
  test.equal(accepted_outputs.device("cuda:1"), accepted_outputs.device("cuda:0"))
  test.ok(accepted_outputs.device("cuda:0") ~= accepted_outputs.device("cpu"))
end)

test("a new output takes the place of the one before, and leaves all others", function()
  local spec = recorded({ output(), output { device = "cuda", text = "Hello GPU" } },
    { output { text = "Hello there" } })
  test.equal(texts(spec), { "Hello there" })
  test.equal(texts(spec, { device = "cuda" }), { "Hello GPU" })
end)

test("the same records are the same bytes, in whatever order they came", function()
  local a, b = output { prompt = "A" }, output { prompt = "B" }
  local function bytes(spec) return system.read(accepted_outputs.path(spec), 2 ^ 20) end
  test.equal(bytes(recorded({ a }, { b })), bytes(recorded { b, a }))
end)

test("texts of any kind come back as they were", function()
  local text = 'quotes " \\ and\nlines\t]] \0 世界'
  test.equal(texts(recorded { output { text = text } }), { text })
end)

test("the file keeps to its schema", function()
  local spec = recorded { output(), output { prompt = "B" } }
  test.equal(json_schema.problem(json.read(accepted_outputs.path(spec)), "accepted"), nil)
end)

test("a file that is no JSON is a mistake with its place", function()
  local err = refused('{"schema": "qspec.accepted/1",\n "outputs": [}', "not JSON %(line 2")
  test.ok(err.where:find("byte", 1, true), err.where)
end)

test("a file of another kind is a mistake that says what is wanted", function()
  refused("[]", "schema is nil, wanted 'qspec.accepted/1'")
  refused("3", "schema is absent")
  refused('{"schema": "qspec.run/1", "outputs": []}', "schema is qspec.run/1")
  refused('{"schema": "qspec.accepted/1", "outputs": {}}', "outputs is not a list")
end)

test("a record that lacks something is a mistake with its number and field", function()
  local function with(record)
    return json.encode { schema = "qspec.accepted/1",
      outputs = json.array { output(), record } }
  end
  refused(with(3), "outputs%[2%] is a number, wanted an object")
  for _, field in ipairs { "model", "device", "prompt", "text" } do
    refused(with(output { [field] = 7 }), ("outputs%%[2%%].%s is a number, wanted a string"):format(
      field))
  end
  refused(with(output { max_new_tokens = "10" }), "max_new_tokens is a string, wanted a number")
end)

test("a file that is broken is not replaced by a new record", function()
  local spec = test.tmpfile(".lua")
  system.write_atomic(accepted_outputs.path(spec), "{}")
  test.raises("schema", accepted_outputs.record, spec, { output() })
  test.equal(system.read(accepted_outputs.path(spec), 100), "{}")
end)

test("texts of the spec come first, those recorded after them", function()
  local subject = { accepted = function(prompt, count) return { prompt .. count } end }
  local function of(accepts, prompt)
    return accepted_outputs.of(subject, { accepts = accepts, max_new_tokens = 5 }, prompt or "p")
  end
  test.equal(of { "a", "b" }, { "a", "b", "p5" })
  test.equal(of { p = { "c" }, q = { "d" } }, { "c", "p5" })
  test.equal(of { p = "e" }, { "e", "p5" })
  test.equal(of(nil), { "p5" })
  test.equal(accepted_outputs.of({}, { accepts = { "a" } }, "p"), { "a" })
end)
