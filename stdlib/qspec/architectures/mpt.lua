-- MPT: ALiBi relative to the last key, no biases anywhere.

local config_values = require "qspec.config_values"
local json = require "host.json"

local NO_BIAS = false

local function attention_values(c)
  local values = {}
  for key, value in pairs(c.attn_config) do
    if value ~= json.null then values[key] = value end
  end
  config_values.check({ clip_qkv = "number", softmax_scale = "number", alibi_bias_max = "number",
    alibi = "boolean", qk_ln = "boolean", prefix_lm = "boolean" }, values)
  return values
end

local function unsupported(c, a)
  return a.alibi == false and "attn_config.alibi = false" or a.qk_ln and "attn_config.qk_ln"
    or a.prefix_lm and "attn_config.prefix_lm" or not c.no_bias and "no_bias = false"
    or c.logit_scale and "logit_scale" or nil
end

return {
  name = "mpt",
  summary = "MPT",
  model_types = { "mpt" },
  class = "MptForCausalLM",
  base_prefix = "transformer.",
  output = "lm_head",
  tied = { { "lm_head", "transformer.wte" } },
  keep_in_fp32 = {},
  keep_in_fp32_strict = {},
  config = {
    aliases = { hidden_size = "d_model", num_attention_heads = "n_heads",
      num_hidden_layers = "n_layers" },
    required = {},
    defaults = {
      d_model = 2048, n_heads = 16, n_layers = 24, max_seq_len = 2048, vocab_size = 50368,
      layer_norm_epsilon = 1e-5, no_bias = true, tie_word_embeddings = true, attn_config = {},
    },
    types = {
      d_model = "count", n_heads = "count", n_layers = "count", max_seq_len = "count",
      vocab_size = "count", layer_norm_epsilon = "number", no_bias = "boolean",
      tie_word_embeddings = "boolean", attn_config = "table",
    },
  },
  decoder = function(c)
    local a = attention_values(c)
    return {
      layers = c.n_layers, prefix = "transformer.blocks.%d.", width = c.d_model,
      vocabulary = c.vocab_size,
      embed = { weight = "transformer.wte" },
      norm = { kind = "layer_norm", eps = c.layer_norm_epsilon, bias = NO_BIAS },
      block = { norm1 = "norm_1", norm2 = "norm_2" },
      attention = { fused = "attn.Wqkv", layout = "concat", out = "attn.out_proj",
        heads = c.n_heads, kv_heads = c.n_heads,
        head_width = config_values.quotient(c, "d_model", "n_heads"), bias = NO_BIAS,
        kind = "eager", clip = a.clip_qkv, scale = a.softmax_scale,
        steepest = a.alibi_bias_max or 8 },
      mlp = { kind = "plain", up = "ffn.up_proj", down = "ffn.down_proj", width = 4 * c.d_model,
        activation = "gelu", bias = NO_BIAS },
      final_norm = "transformer.norm_f",
      head = { weight = "lm_head" },
      unsupported = unsupported(c, a),
    }
  end,
}
