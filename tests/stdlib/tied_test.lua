-- Weights that the config ties: stored once, or equal twice.

local checkpoint = require "host.checkpoint"
local system = require "host.system"
local Context = require "qspec.context"
local Subject = require "qspec.subject"
local tied = require "qspec.checks.tied"
local test = require "test"

local DENSE = system.home() .. "/examples/models/bloom-tiny"
local EMBEDDING = "transformer.word_embeddings.weight"
local MOST_BYTES = 2 ^ 24

-- What the check finds on the example when its head is stored too, as `bytes`.
local function findings_of(part, bytes)
  local overlay = checkpoint.open(DENSE):overlay()
  local entry = overlay:find(EMBEDDING)
  if bytes then overlay:put("lm_head.weight", entry.dtype, entry.shape, bytes) end
  local subject = Subject.new { name = "changed", path = DENSE }
  subject.stored = overlay
  local ctx = Context.new { subject = subject, params = {} }
  tied.run[part](ctx)
  return ctx.findings
end

local function embedding_bytes()
  return checkpoint.open(DENSE):bytes(EMBEDDING, MOST_BYTES)
end

test("a tied weight that is stored once is as it should be", function()
  test.equal(findings_of("header"), {})
  test.equal(findings_of("weights"), {})
end)

test("a tied weight that is stored twice and equal is as it should be", function()
  test.equal(findings_of("weights", embedding_bytes()), {})
end)

test("a head that differs from the embeddings in one byte is named", function()
  local bytes = embedding_bytes()
  local changed = bytes:sub(1, -2) .. string.char((bytes:byte(-1) + 1) % 256)
  local findings = findings_of("weights", changed)
  test.equal(#findings, 1)
  test.equal(findings[1].module, "lm_head")
  test.equal(findings[1].found, "other values than those of transformer.word_embeddings")
end)
