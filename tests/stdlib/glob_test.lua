local test = require "test"
local glob = require "qspec.glob"

local function matches(pattern, name)
  return glob.compile(pattern)(name)
end

test("matches a plain name and only the whole of it", function()
  test.ok(matches("lm_head", "lm_head"))
  test.ok(not matches("lm_head", "xlm_head"))
  test.ok(not matches("lm_head", "lm_head.weight"))
end)

test("lets a star run over dots", function()
  test.ok(matches("*.mlp.*", "transformer.h.0.mlp.dense_h_to_4h"))
end)

test("lets a star be empty", function()
  test.ok(matches("a*b", "ab"))
  test.ok(matches("*", ""))
  test.ok(matches("**", "anything"))
end)

test("takes the dot of a pattern for a dot", function()
  test.ok(not matches("*.mlp.*", "xmlpx"))
end)

test("does not use one byte for both ends of a pattern", function()
  test.ok(not matches("a*a", "a"))
  test.ok(not matches("ab*ba", "aba"))
  test.ok(not matches("a*bc*c", "abc"))
end)

test("finds the end of a name even where its text came before", function()
  test.ok(matches("*ln_f", "ln_f.ln_f"))
  test.ok(not matches("*ln_f", "ln_f.weight"))
end)

test("takes exactly one byte for a question mark", function()
  test.ok(matches("h.?", "h.1"))
  test.ok(not matches("h.?", "h."))
  test.ok(not matches("h.?", "h.12"))
end)

test("reads sets, ranges and their negation", function()
  test.ok(matches("h.[02].x", "h.2.x"))
  test.ok(not matches("h.[02].x", "h.1.x"))
  test.ok(matches("h.[0-9].x", "h.7.x"))
  test.ok(matches("h.[!0-9].x", "h.a.x"))
  test.ok(not matches("h.[!0-9].x", "h.7.x"))
end)

test("takes brackets and signs inside a set for themselves", function()
  test.ok(matches("[[]x", "[x"))
  test.ok(matches("[]]x", "]x"))
  test.ok(matches("*[%]*", "a%b"))
  test.ok(matches("[a^]", "^"))
  test.ok(matches("[!]", "!"))
end)

test("takes every magic sign of Lua patterns for itself", function()
  for sign in ("^$()%.+-]"):gmatch(".") do
    test.ok(matches("a" .. sign .. "*", "a" .. sign .. "z"), sign .. " did not match itself")
    test.ok(not matches("a" .. sign .. "*", "aaz"), sign .. " matched an a")
  end
end)

test("refuses a set that does not end", function()
  local err = test.raises("without its ']'", glob.compile, "h.[0-9")
  test.equal(err.kind, "spec")
end)

test("stays fast on a pattern of two hundred stars that fails at its end", function()
  local name = ("a"):rep(20000)
  test.ok(not matches(("*a"):rep(200) .. "*b", name))
end)

test("tells patterns from names", function()
  test.ok(glob.is_pattern("*.mlp"))
  test.ok(glob.is_pattern("h.[01]"))
  test.ok(not glob.is_pattern("transformer.h.0-1+2"))
end)
