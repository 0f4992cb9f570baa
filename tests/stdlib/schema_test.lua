local test = require "test"
local schema = require "qspec.schema"

local DECLARATION = {
  ratio = { type = { "number", "list" }, default = 3, help = "full precision / quantized" },
  dtype = { type = "string", allowed = { "float16", "uint8" } },
  max_new_tokens = { type = "integer", default = 10 },
  accepts = { type = "list", list_of = "string", default = {} },
  [1] = { list_of = "string", help = "patterns" },
}

local function check(values)
  return schema.check(DECLARATION, values, "check 'memory'", "bloom.lua:7")
end

local function refused(values, pattern)
  local err = test.raises(pattern, check, values)
  test.equal(err.kind, "spec")
  test.equal(err.where, "bloom.lua:7")
  return err
end

test("fills in defaults", function()
  test.equal(check {}, { ratio = 3, max_new_tokens = 10, accepts = {} })
end)

test("keeps what it is given, unnamed values included", function()
  test.equal(check { "lm_head", "*ln_f", dtype = "uint8", ratio = { 2, 3 } },
    { "lm_head", "*ln_f", dtype = "uint8", ratio = { 2, 3 }, max_new_tokens = 10, accepts = {} })
end)

test("does not change the table that it is given", function()
  local values = { dtype = "uint8" }
  check(values)
  test.equal(values, { dtype = "uint8" })
end)

test("gives each caller its own copy of a default", function()
  check({}).accepts[1] = "changed"
  test.equal(check({}).accepts, {})
end)

test("names an unknown key, the nearest one and all that there are", function()
  local err = refused({ ratioo = 3 }, "check 'memory' has an unknown key 'ratioo'")
  test.equal(err.hint, "did you mean 'ratio'? it takes accepts, dtype, max_new_tokens, ratio")
end)

test("says what it found and what it wanted of a wrong type", function()
  refused({ ratio = "three" }, "has ratio = 'three', wanted number or list")
end)

test("refuses a fraction where an integer is wanted", function()
  refused({ max_new_tokens = 1.5 }, "has max_new_tokens = 1.5, wanted integer")
end)

test("refuses NaN for a number", function()
  refused({ ratio = 0 / 0 }, "wanted number or list")
end)

test("refuses a value that is not allowed and suggests the nearest", function()
  local err = refused({ dtype = "float61" }, "wanted one of float16, uint8")
  test.equal(err.hint, "did you mean 'float16'?")
end)

test("names the entry of a list that has the wrong type", function()
  refused({ accepts = { "a", 2 } }, "accepts%[2%] = 2, wanted string")
end)

test("names the unnamed value that has the wrong type", function()
  refused({ "lm_head", 7 }, "%[2%] = 7, wanted string")
end)

test("refuses a table with keys where a list is wanted", function()
  refused({ accepts = { a = "b" } }, "accepts = a table, wanted list")
end)

test("refuses a hole in the unnamed values", function()
  refused({ "a", nil, "c" }, "hole")
end)

test("refuses keys that are neither names nor places", function()
  refused({ [{}] = 1 }, "unknown key")
end)

test("refuses unnamed values where none is declared", function()
  test.raises("has 'x' without a name", schema.check, { n = { type = "number" } }, { "x" }, "check")
end)

test("asks for what is required, with its help", function()
  local declaration = { path = { type = "string", required = true, help = "where the model is" } }
  local err = test.raises("model has no 'path'", schema.check, declaration, {}, "model")
  test.equal(err.hint, "where the model is")
end)

test("asks for a required unnamed value", function()
  local declaration = { [1] = { list_of = "string", required = true } }
  test.raises("has no unnamed value", schema.check, declaration, {}, "excluded")
end)

test("takes one unnamed value where one is declared", function()
  local declaration = { [1] = { type = "string" } }
  test.equal(schema.check(declaration, { "a" }, "family"), { "a" })
  test.raises("2 unnamed values, wanted 1", schema.check, declaration, { "a", "b" }, "family")
end)

test("gives the reason of a declaration's own check", function()
  local function positive(value)
    return value <= 0 and "must be positive" or nil
  end
  local declaration = { bits = { type = "number", check = positive } }
  test.raises("bits = %-4: must be positive", schema.check, declaration, { bits = -4 }, "quantized")
end)

test("takes nothing when nothing is declared", function()
  test.equal(schema.check(nil, {}, "companions"), {})
  test.raises("unknown key 'x'", schema.check, nil, { x = 1 }, "companions")
end)
