-- GPT-2: learned positions, projections stored as [in, out] (transformers' Conv1D).

local config_values = require "qspec.config_values"

return {
  name = "gpt2",
  summary = "GPT-2 and DistilGPT-2",
  model_types = { "gpt2", "gpt-sw3" },
  class = "GPT2LMHeadModel",
  base_prefix = "transformer.",
  output = "lm_head",
  tied = { { "lm_head", "transformer.wte" } },
  keep_in_fp32 = {},
  keep_in_fp32_strict = {},
  ignored = { "%.attn%.bias$", "%.attn%.masked_bias$" },
  config = {
    aliases = { hidden_size = "n_embd", max_position_embeddings = "n_positions",
      num_attention_heads = "n_head", num_hidden_layers = "n_layer" },
    nullable = { "n_inner" },
    required = {},
    defaults = {
      vocab_size = 50257, n_positions = 1024, n_embd = 768, n_layer = 12, n_head = 12,
      activation_function = "gelu_new", layer_norm_epsilon = 1e-5, scale_attn_weights = true,
      scale_attn_by_inverse_layer_idx = false, reorder_and_upcast_attn = false,
      add_cross_attention = false, tie_word_embeddings = true,
    },
    types = {
      vocab_size = "count", n_positions = "count", n_embd = "count", n_layer = "count",
      n_head = "count", n_inner = "count", activation_function = "string",
      layer_norm_epsilon = "number", scale_attn_weights = "boolean",
      scale_attn_by_inverse_layer_idx = "boolean", reorder_and_upcast_attn = "boolean",
      add_cross_attention = "boolean", tie_word_embeddings = "boolean",
    },
  },
  decoder = function(c)
    return {
      layers = c.n_layer, prefix = "transformer.h.%d.", width = c.n_embd,
      vocabulary = c.vocab_size,
      embed = { weight = "transformer.wte", positions = "transformer.wpe",
        position_rows = c.n_positions },
      norm = { kind = "layer_norm", eps = c.layer_norm_epsilon },
      block = { norm1 = "ln_1", norm2 = "ln_2" },
      linear = { class = "Conv1D", transposed = true },
      attention = { fused = "attn.c_attn", layout = "concat", out = "attn.c_proj",
        heads = c.n_head, kv_heads = c.n_head,
        head_width = config_values.quotient(c, "n_embd", "n_head"), bias = true,
        scale = not c.scale_attn_weights and 1 or nil },
      mlp = { kind = "plain", up = "mlp.c_fc", down = "mlp.c_proj",
        width = c.n_inner or 4 * c.n_embd, activation = c.activation_function, bias = true },
      final_norm = "transformer.ln_f",
      head = { weight = "lm_head" },
      unsupported = c.scale_attn_by_inverse_layer_idx and "scale_attn_by_inverse_layer_idx"
        or c.reorder_and_upcast_attn and "reorder_and_upcast_attn"
        or c.add_cross_attention and "add_cross_attention" or nil,
    }
  end,
}
