-- Lua source that is written: what is read back is what was meant, and lines keep within 100 bytes.

local lua_source = require "qspec.lua_source"
local sandbox = require "host.sandbox"
local test = require "test"

-- As a spec is read, which refuses what is no UTF-8.
local function read(source)
  return assert(sandbox.load("return " .. source, "@spec:written", {}))()
end

local function longest_line(source)
  local longest = 0
  for line in source:gmatch("[^\n]+") do longest = math.max(longest, #line) end
  return longest
end

-- The same on every machine and in every run.
local function random_bytes(seed, count, least, most)
  local state, bytes = seed, {}
  for i = 1, count do
    state = (state * 1103515245 + 12345) % 2 ^ 31
    bytes[i] = string.char(least + math.floor(state / 65536) % (most - least + 1))
  end
  return table.concat(bytes)
end

test("every byte, alone and between others, is read back as it was", function()
  for byte = 0, 255 do
    local char = string.char(byte)
    for _, text in ipairs { char, "a" .. char .. "1", char .. char } do
      test.equal(read(lua_source.quote(text)), text)
    end
  end
end)

test("quotes, backslashes, brackets and line feeds are escaped for a person to read", function()
  test.equal(lua_source.quote 'say "no"\n\tC:\\x ]] --', [=["say \"no\"\n\tC:\\x ]] --"]=])
end)

test("well-formed UTF-8 stays readable, what steers a terminal does not", function()
  test.equal(lua_source.quote "Grüße, 世界 👋", '"Grüße, 世界 👋"')
  test.equal(lua_source.quote "a\226\128\174b", [["a\xE2\x80\xAEb"]])
  test.equal(read(lua_source.quote "a\226\128\174b"), "a\226\128\174b")
end)

test("a literal is plain text: no line feed, no control character", function()
  local literal = lua_source.quote(random_bytes(7, 4000, 0, 255))
  test.equal(literal:find("%c"), nil)
  test.equal(read(literal), random_bytes(7, 4000, 0, 255))
end)

test("a long text becomes several literals that are one text again", function()
  local texts = { ("word "):rep(60), ("x"):rep(500), ("世界"):rep(90), ("\n"):rep(200),
    ("\""):rep(150), random_bytes(3, 700, 0, 255), random_bytes(4, 700, 32, 126) }
  for _, text in ipairs(texts) do
    local entry = lua_source.entry(text, "    ")
    test.ok(longest_line(entry) <= 100, entry)
    test.equal(read("{" .. entry .. "}")[1], text)
  end
end)

test("a long text is cut between words", function()
  local entry = lua_source.entry(("seventeen letters "):rep(10), "  ")
  test.equal(entry:find("seventee\"", 1, true), nil)
  test.ok(entry:find('letters "\n    .. "seventeen', 1, true), entry)
end)

test("a call is one line while it fits", function()
  test.equal(lua_source.call("files", {}, {}), "files {}")
  test.equal(lua_source.call("layers", { "*.mlp.*" }, { { "class", '"Linear"' } }),
    'layers { "*.mlp.*", class = "Linear" }')
end)

test("a call that does not fit has its texts first and its fields below", function()
  local names = {}
  for i = 1, 12 do names[i] = ("model.layers.%d.self_attn.q_proj"):format(i) end
  local source = lua_source.call("layers", names, { { "class", '"Linear"' }, { "share", "1" } })
  test.ok(longest_line(source) <= 100, source)
  test.ok(source:find('\n  class = "Linear", share = 1,\n}$'), source)
  local seen
  local verbs = { layers = function(values) seen = values end }
  assert(sandbox.load(source, "@spec:written", verbs))()
  names.class, names.share = "Linear", 1
  test.equal(seen, names)
end)

test("a comment has no line that ends it early", function()
  local comment = lua_source.comment("found\nos.exit() " .. ("and more "):rep(30))
  for line in comment:gmatch("[^\n]+") do test.ok(line:find("^%-%- "), line) end
  test.ok(longest_line(comment) <= 100, comment)
end)
