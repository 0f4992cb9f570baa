local strict = require "qspec.strict"
local test = require "test"

test("a global that is not there is an error when it is read", function()
  local globals = strict {}
  test.raises("undefined global 'modle'", function() return globals.modle end)
end)

test("a global that is not there is an error when it is written", function()
  local globals = strict {}
  test.raises("assignment to the undefined global 'count'; write local", function()
    globals.count = 1
  end)
end)

test("what was there before is read and written as ever", function()
  local globals = strict { known = 1 }
  globals.known = globals.known + 1
  test.equal(globals.known, 2)
end)

test("the lock cannot be taken off", function()
  local globals = strict {}
  test.equal(getmetatable(globals), false)
  test.raises("protected", setmetatable, globals, nil)
end)
