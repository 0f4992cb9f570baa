-- OPT: learned positions two rows in, queries scaled before attention. The 350m model has its norms
-- behind the sums and narrower embeddings.

local config_values = require "qspec.config_values"

local OFFSET = 2

local function embed(c)
  local is_narrow = c.word_embed_proj_dim ~= c.hidden_size
  return { weight = "model.decoder.embed_tokens", width = c.word_embed_proj_dim,
    positions = "model.decoder.embed_positions", position_offset = OFFSET,
    position_rows = c.max_position_embeddings + OFFSET,
    position_class = "OPTLearnedPositionalEmbedding",
    project_in = is_narrow and "model.decoder.project_in" or nil,
    project_out = is_narrow and "model.decoder.project_out" or nil }
end

return {
  name = "opt",
  summary = "OPT, Galactica",
  model_types = { "opt" },
  class = "OPTForCausalLM",
  base_prefix = "model.",
  output = "lm_head",
  tied = { { "lm_head", "model.decoder.embed_tokens" } },
  keep_in_fp32 = {},
  keep_in_fp32_strict = {},
  config = {
    required = {},
    defaults = {
      vocab_size = 50272, hidden_size = 768, num_hidden_layers = 12, ffn_dim = 3072,
      max_position_embeddings = 2048, do_layer_norm_before = true,
      _remove_final_layer_norm = false, num_attention_heads = 12, activation_function = "relu",
      enable_bias = true, layer_norm_elementwise_affine = true, tie_word_embeddings = true,
    },
    types = {
      vocab_size = "count", hidden_size = "count", num_hidden_layers = "count",
      ffn_dim = "count", max_position_embeddings = "count", do_layer_norm_before = "boolean",
      _remove_final_layer_norm = "boolean", word_embed_proj_dim = "count",
      num_attention_heads = "count", activation_function = "string", enable_bias = "boolean",
      layer_norm_elementwise_affine = "boolean", tie_word_embeddings = "boolean",
    },
  },
  decoder = function(c)
    c.word_embed_proj_dim = c.word_embed_proj_dim or c.hidden_size
    local head_width = config_values.quotient(c, "hidden_size", "num_attention_heads")
    local has_final_norm = c.do_layer_norm_before and not c._remove_final_layer_norm
    return {
      layers = c.num_hidden_layers, prefix = "model.decoder.layers.%d.",
      width = c.hidden_size, vocabulary = c.vocab_size,
      embed = embed(c),
      norm = { kind = "layer_norm", eps = 1e-5 },
      block = { norm1 = "self_attn_layer_norm", norm2 = "final_layer_norm",
        post_norm = not c.do_layer_norm_before,
        order = { "attention", "norm1", "mlp", "norm2" } },
      attention = { q = "self_attn.q_proj", k = "self_attn.k_proj", v = "self_attn.v_proj",
        out = "self_attn.out_proj", order = { "k", "v", "q", "out" },
        heads = c.num_attention_heads, kv_heads = c.num_attention_heads,
        head_width = head_width, bias = c.enable_bias, query_scale = 1 / math.sqrt(head_width),
        scale = 1 },
      mlp = { kind = "plain", up = "fc1", down = "fc2", width = c.ffn_dim,
        activation = c.activation_function, bias = c.enable_bias },
      final_norm = has_final_norm and "model.decoder.final_layer_norm" or nil,
      head = { weight = "lm_head" },
      unsupported = not c.layer_norm_elementwise_affine
        and "layer_norm_elementwise_affine = false" or nil,
    }
  end,
}
