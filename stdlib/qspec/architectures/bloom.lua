-- BLOOM: ALiBi, a layer norm behind the embeddings, biases everywhere but in the tied head.

local config_values = require "qspec.config_values"
local slopes = require "qspec.slopes"

return {
  name = "bloom",
  summary = "BLOOM and BLOOMZ",
  model_types = { "bloom" },
  class = "BloomForCausalLM",
  base_prefix = "transformer.",
  output = "lm_head",
  tied = { { "lm_head", "transformer.word_embeddings" } },
  keep_in_fp32 = {},
  keep_in_fp32_strict = {},
  config = {
    aliases = { num_hidden_layers = "n_layer", num_attention_heads = "n_head",
      n_embed = "hidden_size" },
    required = {},
    defaults = {
      vocab_size = 250880, hidden_size = 64, n_layer = 2, n_head = 8, layer_norm_epsilon = 1e-5,
      apply_residual_connection_post_layernorm = false, pretraining_tp = 1, slow_but_exact = false,
      tie_word_embeddings = true,
    },
    types = {
      vocab_size = "count", hidden_size = "count", n_layer = "count", n_head = "count",
      layer_norm_epsilon = "number", apply_residual_connection_post_layernorm = "boolean",
      pretraining_tp = "count", slow_but_exact = "boolean", tie_word_embeddings = "boolean",
    },
  },
  decoder = function(c)
    local sliced = c.slow_but_exact and c.pretraining_tp > 1
    return {
      layers = c.n_layer, prefix = "transformer.h.%d.",
      width = c.hidden_size, vocabulary = c.vocab_size,
      embed = { weight = "transformer.word_embeddings",
        norm = "transformer.word_embeddings_layernorm" },
      norm = { kind = "layer_norm", eps = c.layer_norm_epsilon },
      block = { norm1 = "input_layernorm", norm2 = "post_attention_layernorm",
        residual_from_norm = c.apply_residual_connection_post_layernorm },
      attention = { fused = "self_attention.query_key_value", layout = "per_head",
        out = "self_attention.dense", heads = c.n_head, kv_heads = c.n_head,
        head_width = config_values.quotient(c, "hidden_size", "n_head"), bias = true,
        kind = "alibi", alibi = slopes.alibi(c.n_head) },
      mlp = { kind = "plain", up = "mlp.dense_h_to_4h", down = "mlp.dense_4h_to_h",
        width = 4 * c.hidden_size, activation = "bloom_gelu", bias = true },
      final_norm = "transformer.ln_f",
      head = { weight = "lm_head" },
      unsupported = sliced and "slow_but_exact with pretraining_tp > 1" or nil,
    }
  end,
}
