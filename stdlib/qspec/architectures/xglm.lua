-- XGLM: OPT's layers, with positions of sines and cosines and scaled embeddings.

local config_values = require "qspec.config_values"
local llama_like = require "qspec.decoder.llama_like"

local OFFSET = 2

local function embed(c)
  return { weight = "model.embed_tokens", class = "XGLMScaledWordEmbedding",
    scale = c.scale_embedding and math.sqrt(c.d_model) or nil,
    sinusoids = { module = "model.embed_positions", class = "XGLMSinusoidalPositionalEmbedding",
      rows = c.max_position_embeddings + OFFSET, offset = OFFSET,
      dtype = llama_like.load_dtype(c) } }
end

return {
  name = "xglm",
  summary = "XGLM",
  model_types = { "xglm" },
  class = "XGLMForCausalLM",
  base_prefix = "model.",
  output = "lm_head",
  tied = { { "lm_head", "model.embed_tokens" } },
  keep_in_fp32 = {},
  keep_in_fp32_strict = {},
  ignored = { "^model%.embed_positions%.weights$" },
  config = {
    aliases = { num_attention_heads = "attention_heads", hidden_size = "d_model",
      num_hidden_layers = "num_layers" },
    required = {},
    defaults = {
      vocab_size = 256008, d_model = 1024, ffn_dim = 4096, num_layers = 24, attention_heads = 16,
      max_position_embeddings = 2048, activation_function = "gelu", scale_embedding = true,
      add_cross_attention = false, tie_word_embeddings = true,
    },
    types = {
      vocab_size = "count", d_model = "count", ffn_dim = "count", num_layers = "count",
      attention_heads = "count", max_position_embeddings = "count",
      activation_function = "string", scale_embedding = "boolean",
      add_cross_attention = "boolean", tie_word_embeddings = "boolean",
    },
  },
  decoder = function(c)
    local head_width = config_values.quotient(c, "d_model", "attention_heads")
    return {
      layers = c.num_layers, prefix = "model.layers.%d.", width = c.d_model,
      vocabulary = c.vocab_size, embed = embed(c),
      norm = { kind = "layer_norm", eps = 1e-5 },
      block = { norm1 = "self_attn_layer_norm", norm2 = "final_layer_norm",
        order = { "attention", "norm1", "mlp", "norm2" } },
      attention = { q = "self_attn.q_proj", k = "self_attn.k_proj", v = "self_attn.v_proj",
        out = "self_attn.out_proj", order = { "k", "v", "q", "out" }, kind = "eager",
        heads = c.attention_heads, kv_heads = c.attention_heads, head_width = head_width,
        bias = true, query_scale = 1 / math.sqrt(head_width), scale = 1 },
      mlp = { kind = "plain", up = "fc1", down = "fc2", width = c.ffn_dim,
        activation = c.activation_function, bias = true },
      final_norm = "model.layer_norm",
      head = { weight = "lm_head" },
      unsupported = c.add_cross_attention and "add_cross_attention" or nil,
    }
  end,
}
