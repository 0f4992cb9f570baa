-- Falcon: attention and MLP side by side. 7B has one head of keys and values, 40B and 180B have
-- groups of heads and two norms, 11B groups and one norm, RW has ALiBi and neither. Its linears are
-- of a class of their own, which no quantizer of transformers converts.

local config_values = require "qspec.config_values"
local rope = require "qspec.decoder.rope"
local slopes = require "qspec.slopes"

local function kv_heads(c)
  if c.new_decoder_architecture then return c.num_kv_heads or c.num_attention_heads end
  return c.multi_query and 1 or c.num_attention_heads
end

local function layout(c)
  return c.new_decoder_architecture and "per_group" or c.multi_query and "concat" or "per_head"
end

local function block(c)
  local is_parallel = c.new_decoder_architecture or c.parallel_attn
  local described = { norm1 = "input_layernorm",
    parallel = is_parallel and "mlp_attention_x" or nil,
    order = { "attention", "mlp", "norm1", "norm2" } }
  if c.new_decoder_architecture and (c.num_ln_in_parallel_attn or 2) == 2 then
    described.norm1, described.norm2 = "ln_attn", "ln_mlp"
  elseif not is_parallel then
    described.norm2 = "post_attention_layernorm"
  end
  return described
end

return {
  name = "falcon",
  summary = "Falcon 7B, 11B, 40B, 180B and RW",
  model_types = { "falcon" },
  class = "FalconForCausalLM",
  base_prefix = "transformer.",
  output = "lm_head",
  tied = { { "lm_head", "transformer.word_embeddings" } },
  keep_in_fp32 = {},
  keep_in_fp32_strict = {},
  config = {
    aliases = { n_embed = "hidden_size", n_layer = "num_hidden_layers",
      n_head = "num_attention_heads", n_head_kv = "num_kv_heads" },
    nullable = { "num_kv_heads", "ffn_hidden_size", "rope_scaling", "num_ln_in_parallel_attn" },
    required = {},
    defaults = {
      vocab_size = 65024, hidden_size = 4544, num_hidden_layers = 32, num_attention_heads = 71,
      layer_norm_epsilon = 1e-5, alibi = false, new_decoder_architecture = false,
      multi_query = true, parallel_attn = true, bias = false, max_position_embeddings = 2048,
      activation = "gelu", tie_word_embeddings = true,
    },
    types = {
      vocab_size = "count", hidden_size = "count", num_hidden_layers = "count",
      num_attention_heads = "count", num_kv_heads = "count", ffn_hidden_size = "count",
      num_ln_in_parallel_attn = "count", layer_norm_epsilon = "number", alibi = "boolean",
      new_decoder_architecture = "boolean", multi_query = "boolean", parallel_attn = "boolean",
      bias = "boolean", max_position_embeddings = "count", activation = "string",
      tie_word_embeddings = "boolean", rope_parameters = "table", rope_scaling = "table",
      rope_theta = "number",
    },
  },
  decoder = function(c)
    local head_width = config_values.quotient(c, "hidden_size", "num_attention_heads")
    local frequencies = rope.read(c, { head_width = head_width })
    local shared = kv_heads(c)
    return {
      layers = c.num_hidden_layers, prefix = "transformer.h.%d.",
      width = c.hidden_size, vocabulary = c.vocab_size,
      embed = { weight = "transformer.word_embeddings" },
      norm = { kind = "layer_norm", eps = c.layer_norm_epsilon },
      block = block(c),
      linear = { class = "FalconLinear", separate_bias = true },
      attention = { fused = "self_attention.query_key_value", layout = layout(c),
        out = "self_attention.dense", heads = c.num_attention_heads, kv_heads = shared,
        head_width = head_width, bias = c.bias, mask_always = true, broadcast = shared == 1,
        rope = not c.alibi and frequencies or nil,
        alibi = c.alibi and slopes.alibi(c.num_attention_heads) or nil },
      mlp = { kind = "plain", up = "mlp.dense_h_to_4h", down = "mlp.dense_4h_to_h",
        width = c.ffn_hidden_size or 4 * c.hidden_size, activation = c.activation,
        bias = c.bias },
      final_norm = "transformer.ln_f",
      constants = { name = "transformer.rotary_emb", class = "FalconRotaryEmbedding",
        buffers = rope.buffers(frequencies) },
      head = { weight = "lm_head" },
    }
  end,
}
