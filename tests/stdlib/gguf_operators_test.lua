-- Operators on GGUF files, on biases and on the run, each against its definition.

local registry = require "qspec.registry"
local survey = require "qspec.mutation.survey"
local system = require "host.system"
local test = require "test"
local Subject = require "qspec.subject"

local HOME = system.home() .. "/"

local function gguf()
  return Subject.new { name = "gguf", path = HOME .. "tests/data/qwen2-tiny-Q4_K_M.gguf",
    baseline = Subject.new { name = "dense", path = HOME .. "tests/data/qwen2-tiny" } }
end

local function nf4()
  return Subject.new { name = "nf4", path = HOME .. "examples/models/bloom-tiny-bnb-nf4" }
end

local function mutant_of(subject, operator, variant, dose)
  for _, plan in ipairs((survey.plan(subject, { registry("operators").get(operator) }))) do
    if plan.variant.name == variant and plan.dose == dose then
      return survey.make(subject, plan)
    end
  end
  error(("%s has no mutant %s %s"):format(operator, variant, dose))
end

-- Name, bytes before and bytes after of the one tensor that changed.
local function changed(mutant)
  local name = next(mutant.touched)
  test.equal(next(mutant.touched, name), nil)
  return name, mutant.genuine.stored:bytes(name, 2 ^ 30), mutant.stored:bytes(name, 2 ^ 30)
end

local function places_that_differ(before, after)
  local places = {}
  for i = 1, #before do
    if before:byte(i) ~= after:byte(i) then places[#places + 1] = i - 1 end
  end
  return places
end

local SIZE = { Q4_0 = 18, Q5_0 = 22, Q8_0 = 34, Q4_K = 144, Q6_K = 210 }
local SCALE_AT = { Q4_0 = 0, Q5_0 = 0, Q8_0 = 0, Q4_K = 0, Q6_K = 208 }
local CODES_AT = { Q4_0 = 2, Q5_0 = 6, Q8_0 = 2, Q4_K = 16, Q6_K = 0 }

test("a scale of 0 changes the two bytes of one block's scale and no other", function()
  local mutant = mutant_of(gguf(), "block_fields", "scale 0", "block")
  local name, before, after = changed(mutant)
  local kind = mutant.genuine.stored:find(name).dtype
  local places = places_that_differ(before, after)
  test.ok(#places >= 1 and #places <= 2)
  for _, place in ipairs(places) do
    test.equal(after:byte(place + 1), 0)
    local within = place % SIZE[kind] - SCALE_AT[kind]
    test.ok(within == 0 or within == 1)
  end
end)

test("swapped nibbles are those of the codes of a block, and swapped once", function()
  local mutant = mutant_of(gguf(), "block_fields", "codes with nibbles swapped", "block")
  local name, before, after = changed(mutant)
  local kind = mutant.genuine.stored:find(name).dtype
  for _, place in ipairs(places_that_differ(before, after)) do
    local byte = before:byte(place + 1)
    test.equal(after:byte(place + 1), byte % 16 * 16 + math.floor(byte / 16))
    test.ok(place % SIZE[kind] >= CODES_AT[kind])
  end
end)

test("a whole module changes in every block, and its size never", function()
  local mutant = mutant_of(gguf(), "block_fields", "scale negative", "module")
  local name, before, after = changed(mutant)
  local kind = mutant.genuine.stored:find(name).dtype
  test.equal(#after, #before)
  test.equal(#places_that_differ(before, after), #before / SIZE[kind])  -- the bytes with the signs
end)

test("blocks decoded to float16 are the values that they stood for", function()
  local mutant = mutant_of(gguf(), "block_type", "float16", "module")
  local name = next(mutant.touched)
  test.equal(mutant.stored:find(name).dtype, "F16")
  test.equal(mutant.stored:find(name).shape, mutant.genuine.stored:find(name).shape)
end)

test("a key of the metadata changes in the mutant alone", function()
  local subject = gguf()
  local mutant = mutant_of(subject, "gguf_metadata", "tokenizer.ggml.eos_token_id gone", "once")
  test.equal(mutant.stored:metadata("tokenizer.ggml.eos_token_id"), nil)
  test.ok(subject.stored:metadata("tokenizer.ggml.eos_token_id"))
end)

test("what is read or said is never called equivalent for its logits", function()
  local operator = registry("operators").get("gguf_metadata")
  test.equal(operator.equivalent(nil, { key = "tokenizer.ggml.pre" }), nil)
  test.ok(operator.equivalent(nil, { key = "general.file_type" }))
end)

test("a value that the type of a key does not hold is refused", function()
  local overlay = gguf().stored:overlay()
  for _, value in ipairs { -1, 2 ^ 32, 0.5, "text" } do
    test.raises("", overlay.set_metadata, overlay, "qwen2.block_count", value)
  end
  test.raises("there is no metadata 'none'", overlay.set_metadata, overlay, "none", 1)
  test.raises("lists stay", overlay.set_metadata, overlay, "tokenizer.ggml.tokens", "x")
end)

test("biases are negated, moved, or another module's", function()
  local tensor = require "host.tensor"
  local subject = nf4()
  local function biases(variant)
    local mutant = mutant_of(subject, "bias_damage", variant, "module")
    local name = next(mutant.touched)
    return tensor.read(subject.stored, name):to("float32"),
      tensor.read(mutant.stored, name):to("float32")
  end
  local before, after = biases("negated")
  test.equal(after:add(before):abs():max(), 0)
  before, after = biases("moved by one")
  test.equal(after:select(1, 1):item(), before:select(1, 2):item())
  before, after = biases("the previous module's")
  test.ok(not after:equal(before) and after:numel() == before:numel())
end)

test("a module of two layers changes places with all of its tensors, and back", function()
  local mutant = mutant_of(nf4(), "layer_swap", "", "module")
  local before, after, count = mutant.genuine.stored, mutant.stored, 0
  for name in pairs(mutant.touched) do
    local layer = tonumber(name:match("%.h%.(%d+)%."))
    local other = name:gsub("%.h%.%d+%.", (".h.%d."):format(layer + 1))
    if not mutant.touched[other] then
      other = name:gsub("%.h%.%d+%.", (".h.%d."):format(layer - 1))
    end
    test.equal(after:bytes(name, 2 ^ 30), before:bytes(other, 2 ^ 30))
    count = count + 1
  end
  test.equal(count % 2, 0)
  test.ok(count >= 8)
end)

test("of the table of words one row is 0, or two have changed places", function()
  local function rows(variant)
    local mutant = mutant_of(nf4(), "vocabulary_rows", variant, "once")
    local name, before, after = changed(mutant)
    local width, differing = #before / mutant.stored:find(name).shape[1], {}
    for at = 0, #before / width - 1 do
      local a = before:sub(at * width + 1, (at + 1) * width)
      local b = after:sub(at * width + 1, (at + 1) * width)
      if a ~= b then differing[#differing + 1] = { a, b } end
    end
    return differing, width
  end
  local lost, width = rows("one is 0")
  test.equal(#lost, 1)
  test.equal(lost[1][2], ("\0"):rep(width))
  local exchanged = rows("two exchanged")
  test.equal(#exchanged, 2)
  test.equal(exchanged[1][1], exchanged[2][2])
  test.equal(exchanged[2][1], exchanged[1][2])
end)

local function played(subject, length)
  return registry("operators").get("run_decode").play(subject, "once", { length = length })
end

test("tokens one by one are those of all at once", function()
  local difference, reason = played(nf4(), 8)
  test.equal(difference, nil)
  test.ok(reason)
end)

test("a cache that forgets is noticed, with the token where it shows", function()
  local subject = nf4()
  local genuine = subject.runtime
  local forgetful = { release = function() end }
  function forgetful.forward(_, ids) return genuine:forward(ids) end
  function forgetful.generate(_, ids, options)
    local made = genuine:generate({ ids[#ids] }, options)  -- all but the last token is lost
    local all = { unpack(ids) }
    for i = 2, #made.ids do all[#all + 1] = made.ids[i] end
    return { ids = all, steps = made.steps }
  end
  rawset(subject, "runtime", forgetful)
  test.ok(played(subject, 8):find("^new token %d after 8 has the logit"))
end)

test("of the runs that cannot be played here each says why", function()
  for _, name in ipairs { "run_version", "run_parallel" } do
    local fits, reason = registry("operators").get(name).applies(nf4())
    test.ok(not fits and #reason > 10)
  end
end)
