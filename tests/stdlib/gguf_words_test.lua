-- What a GGUF file reads and says, and how it computes, against the folder that it was made from.

local registry = require "qspec.registry"
local schema = require "qspec.schema"
local system = require "host.system"
local test = require "test"
local words = require "qspec.gguf.words"
local Context = require "qspec.context"
local Mutant = require "qspec.mutation.mutant"
local Subject = require "qspec.subject"

local DATA = system.home() .. "/tests/data/"

local function genuine()
  return Subject.new { name = "gguf", path = DATA .. "qwen2-tiny-Q4_K_M.gguf",
    baseline = Subject.new { name = "dense", path = DATA .. "qwen2-tiny" } }
end

local function keys(key, value)
  local mutant = Mutant.new(genuine(), "words")
  mutant:set_metadata(key, value)
  local subject, found = mutant:subject(), {}
  for i, one in ipairs(words.differences(subject, subject.baseline)) do found[i] = one.key end
  return table.concat(found, " ")
end

local function findings(name, subject)
  local check = registry("checks").get(name)
  local ctx = Context.new { subject = subject, params = schema.check(check.params or {}, {}, name),
    where = "" }
  check.run(ctx)
  return ctx.findings
end

test("the genuine file reads and ends as its baseline", function()
  test.equal(words.differences(genuine(), genuine().baseline), {})
  test.equal(findings("sidecars", genuine()), {})
  test.equal(findings("config", genuine()), {})
end)

test("each way to read otherwise is named", function()
  test.equal(keys("tokenizer.ggml.pre", "default"), "tokenizer")
  test.equal(keys("tokenizer.ggml.model", "llama"), "tokenizer")
  test.equal(keys("tokenizer.ggml.tokens", nil), "tokenizer")
  test.equal(keys("tokenizer.ggml.merges", nil), "tokenizer")
end)

test("another end token and none are named", function()
  test.equal(keys("tokenizer.ggml.eos_token_id", 7), "eos_token_id")
  test.equal(keys("tokenizer.ggml.eos_token_id", nil), "eos_token_id")
end)

test("metadata that the arithmetic hangs on is held against the baseline", function()
  for key, field in pairs { ["qwen2.rope.freq_base"] = "rope_theta",
      ["qwen2.attention.layer_norm_rms_epsilon"] = "rms_norm_eps" } do
    local mutant = Mutant.new(genuine(), "config")
    mutant:set_metadata(key, 0.5)
    local list = findings("config", mutant:subject())
    test.equal(#list, 1, key)
    test.equal(list[1].key, field)
  end
end)
