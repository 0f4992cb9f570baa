-- GPT-NeoX and Pythia: attention and MLP side by side, each behind a norm of its own; the first
-- quarter of a head's dimensions rotates. Files call the head embed_out.

local config_values = require "qspec.config_values"
local rope = require "qspec.decoder.rope"

return {
  name = "gpt_neox",
  summary = "GPT-NeoX, Pythia, Dolly",
  model_types = { "gpt_neox" },
  class = "GPTNeoXForCausalLM",
  base_prefix = "gpt_neox.",
  output = "lm_head",
  tied = { { "lm_head", "gpt_neox.embed_in" } },
  keep_in_fp32 = {},
  keep_in_fp32_strict = {},
  renames = { { "^embed_out%.", "lm_head." } },
  ignored = { "%.attention%.bias$", "%.attention%.masked_bias$", "rotary_emb%.inv_freq$" },
  config = {
    aliases = { rotary_pct = "partial_rotary_factor", rotary_emb_base = "rope_theta" },
    nullable = { "rope_scaling" },
    required = {},
    defaults = {
      vocab_size = 50432, hidden_size = 6144, num_hidden_layers = 44, num_attention_heads = 64,
      intermediate_size = 24576, hidden_act = "gelu", max_position_embeddings = 2048,
      layer_norm_eps = 1e-5, use_parallel_residual = true, attention_bias = true,
      tie_word_embeddings = false,
    },
    types = {
      vocab_size = "count", hidden_size = "count", num_hidden_layers = "count",
      num_attention_heads = "count", intermediate_size = "count", hidden_act = "string",
      max_position_embeddings = "count", layer_norm_eps = "number",
      use_parallel_residual = "boolean", attention_bias = "boolean",
      tie_word_embeddings = "boolean", rope_parameters = "table", rope_scaling = "table",
      rope_theta = "number", partial_rotary_factor = "number",
    },
  },
  decoder = function(c)
    local head_width = config_values.quotient(c, "hidden_size", "num_attention_heads")
    local frequencies = rope.read(c, { head_width = head_width, share = 0.25 })
    return {
      layers = c.num_hidden_layers, prefix = "gpt_neox.layers.%d.",
      width = c.hidden_size, vocabulary = c.vocab_size,
      embed = { weight = "gpt_neox.embed_in" },
      norm = { kind = "layer_norm", eps = c.layer_norm_eps },
      block = { norm1 = "input_layernorm", norm2 = "post_attention_layernorm",
        parallel = c.use_parallel_residual and "mlp_attention_x" or nil,
        order = { "norm1", "norm2", "attention", "mlp" } },
      attention = { fused = "attention.query_key_value", layout = "per_head",
        out = "attention.dense", heads = c.num_attention_heads, kv_heads = c.num_attention_heads,
        head_width = head_width, bias = c.attention_bias, rope = frequencies },
      mlp = { kind = "plain", up = "mlp.dense_h_to_4h", down = "mlp.dense_4h_to_h",
        width = c.intermediate_size, activation = c.hidden_act, bias = true },
      final_norm = "gpt_neox.final_layer_norm",
      constants = { name = "gpt_neox.rotary_emb", class = "GPTNeoXRotaryEmbedding",
        buffers = rope.buffers(frequencies) },
      head = { weight = "lm_head" },
    }
  end,
}
