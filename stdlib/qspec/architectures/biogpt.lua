-- BioGPT: learned positions two rows in, scaled embeddings, an output of its own name.

local config_values = require "qspec.config_values"

local OFFSET = 2

local function embed(c)
  return { weight = "biogpt.embed_tokens", class = "BioGptScaledWordEmbedding",
    scale = c.scale_embedding and math.sqrt(c.hidden_size) or nil,
    positions = "biogpt.embed_positions", position_offset = OFFSET,
    position_rows = c.max_position_embeddings + OFFSET,
    position_class = "BioGptLearnedPositionalEmbedding" }
end

return {
  name = "biogpt",
  summary = "BioGPT",
  model_types = { "biogpt" },
  class = "BioGptForCausalLM",
  base_prefix = "biogpt.",
  output = "output_projection",
  tied = { { "output_projection", "biogpt.embed_tokens" } },
  keep_in_fp32 = {},
  keep_in_fp32_strict = {},
  config = {
    required = {},
    defaults = {
      vocab_size = 42384, hidden_size = 1024, num_hidden_layers = 24, num_attention_heads = 16,
      intermediate_size = 4096, hidden_act = "gelu", max_position_embeddings = 1024,
      scale_embedding = true, tie_word_embeddings = true,
    },
    types = {
      vocab_size = "count", hidden_size = "count", num_hidden_layers = "count",
      num_attention_heads = "count", intermediate_size = "count", hidden_act = "string",
      max_position_embeddings = "count", scale_embedding = "boolean",
      tie_word_embeddings = "boolean",
    },
  },
  decoder = function(c)
    return {
      layers = c.num_hidden_layers, prefix = "biogpt.layers.%d.", width = c.hidden_size,
      vocabulary = c.vocab_size, embed = embed(c),
      norm = { kind = "layer_norm", eps = 1e-5 },
      block = { norm1 = "self_attn_layer_norm", norm2 = "final_layer_norm",
        order = { "attention", "norm1", "mlp", "norm2" } },
      attention = { q = "self_attn.q_proj", k = "self_attn.k_proj", v = "self_attn.v_proj",
        out = "self_attn.out_proj", order = { "k", "v", "q", "out" },
        heads = c.num_attention_heads, kv_heads = c.num_attention_heads,
        head_width = config_values.quotient(c, "hidden_size", "num_attention_heads"),
        bias = true },
      mlp = { kind = "plain", up = "fc1", down = "fc2", width = c.intermediate_size,
        activation = c.hidden_act, bias = true },
      final_norm = "biogpt.layer_norm",
      head = { weight = "output_projection" },
    }
  end,
}
