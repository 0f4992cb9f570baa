local test = require "test"
local builder = require "qspec.builder"
local exclusions = require "qspec.exclusions"
local registry = require "qspec.registry"

local bloom = registry("architectures").get("bloom")
local modules = builder.modules(bloom, { hidden_size = 32, n_head = 4, n_layer = 2, vocab_size = 50,
  layer_norm_epsilon = 1e-5, apply_residual_connection_post_layernorm = false, pretraining_tp = 1,
  slow_but_exact = false, tie_word_embeddings = true })

local function protects(key, name)
  return exclusions.matcher(key)(name)
end

test("the defaults of BLOOM are those that transformers computes", function()
  test.equal(exclusions.default_keys(bloom, modules),
    { "lm_head", "transformer.ln_f.bias", "transformer.word_embeddings" })
end)

test("a key matches as a prefix without a boundary, as transformers' re.match does", function()
  test.ok(protects("transformer.h.1", "transformer.h.1.mlp.dense_h_to_4h"))
  test.ok(protects("transformer.h.1", "transformer.h.10.mlp.dense_h_to_4h"), "the known quirk")
end)

test("a key matches as a plain suffix", function()
  test.ok(protects("lm_head", "lm_head"))
  test.ok(protects("lm_head", "xlm_head"), "the known quirk")
  test.ok(not protects("dense", "transformer.h.0.mlp.dense_h_to_4h"))
end)

test("a dot in a key is any character, as in a regular expression", function()
  test.ok(protects("transformer.h.0", "transformerXhX0.mlp"))
end)

test("a key may be a regular expression", function()
  test.ok(protects("transformer\\.h\\.[01]\\.mlp", "transformer.h.1.mlp.dense_4h_to_h"))
  test.ok(not protects("transformer\\.h\\.[01]\\.mlp", "transformer.h.2.mlp.dense_4h_to_h"))
end)

test("a key that is no regular expression is still a suffix", function()
  test.ok(protects("head(", "lm_head("))
  test.ok(not protects("head(", "lm_head"))
end)

test("a key that ends in .weight protects no module", function()
  test.ok(not protects("lm_head.weight", "lm_head"))
end)

test("a user's list replaces the defaults instead of adding to them", function()
  local keys = {}
  for i, exclusion in ipairs(exclusions.in_force(bloom, modules, { "foo" })) do
    keys[i] = exclusion.key
  end
  test.equal(keys, { "foo" })
  test.equal(#exclusions.in_force(bloom, modules, {}), 0)
end)
