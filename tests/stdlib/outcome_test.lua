local test = require "test"
local outcome = require "qspec.outcome"

local function exit_of(...)
  local results = {}
  for i, entry in ipairs { ... } do
    local status, kind = entry:match("^(%a+) ?(%a*)$")
    results[i] = { status = status, kind = kind ~= "" and kind or nil }
  end
  return outcome.exit_code(results)
end

test("a failed check is worse than one that could not be tested", function()
  test.equal(outcome.worst("fail", "error"), "fail")
  test.equal(outcome.worst("error", "fail"), "fail")
end)

test("one that could not be tested is worse than a skip, and a skip than a pass", function()
  test.equal(outcome.worst("skip", "error"), "error")
  test.equal(outcome.worst("pass", "skip"), "skip")
end)

test("any status is worse than none", function()
  test.equal(outcome.worst(nil, "pass"), "pass")
end)

test("exits 0 when checks passed, though others were skipped", function()
  test.equal(exit_of("pass", "skip"), 0)
end)

test("exits 1 when a check failed, though others could not be tested", function()
  test.equal(exit_of("pass", "error checkpoint", "fail"), 1)
end)

test("exits 2 for a mistake in a spec, though a check failed", function()
  test.equal(exit_of("fail", "error spec"), 2)
  test.equal(exit_of("error usage"), 2)
end)

test("exits 3 when something could not be tested", function()
  for _, kind in ipairs { "checkpoint", "unsupported", "device", "io" } do
    test.equal(exit_of("pass", "error " .. kind), 3, kind)
  end
  test.equal(exit_of("error"), 3, "an error without a kind")
end)

test("exits 3 when a check could not decide, though others passed or were skipped", function()
  test.equal(exit_of("pass", "inconclusive", "skip"), 3)
  test.equal(exit_of("inconclusive", "fail"), 1)
  test.equal(outcome.worst("inconclusive", "skip"), "inconclusive")
  test.equal(outcome.worst("inconclusive", "error"), "error")
end)

test("exits 4 when nothing was selected or everything was skipped", function()
  test.equal(exit_of(), 4)
  test.equal(exit_of("skip", "skip"), 4)
end)

test("exits 5 for a fault of the program, whatever else happened", function()
  test.equal(exit_of("fail", "error spec", "error internal"), 5)
end)

test("an error value prints its message and its place", function()
  local err = outcome.error("spec", "unknown key 'x'", "did you mean 'y'?", "bloom.lua:3")
  test.equal(tostring(err), "unknown key 'x' (bloom.lua:3)")
  test.equal(tostring(outcome.error("io", "disk full")), "disk full")
end)

test("an error kind that does not exist is a mistake of the caller", function()
  test.raises("no kind of error", outcome.error, "specs", "x")
end)

test("an error of the host keeps its kind, place and hint", function()
  local err = outcome.error("checkpoint", "truncated", "download it again", "a.safetensors, byte 8")
  test.equal(outcome.from(err), err)
end)

test("a text raised by code of ours is a fault of ours", function()
  test.equal(outcome.from("attempt to index nil").kind, "internal")
end)

test("a text raised by a spec can be given the kind of a spec", function()
  test.equal(outcome.from("attempt to index nil", "spec").kind, "spec")
end)

test("an exhausted memory is an error of the device", function()
  test.equal(outcome.from("not enough memory").kind, "device")
end)

test("anything at all can be raised and comes back as an error value", function()
  for _, raised in ipairs { {}, 7, true, { message = 3 }, { kind = "nonsense", message = "x" } } do
    local err = outcome.from(raised)
    test.equal(err.kind, "internal")
    test.equal(type(tostring(err)), "string")
  end
  test.equal(outcome.from(nil).kind, "internal")
end)
