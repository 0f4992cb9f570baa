-- GPT-Neo: scores in fp32 and not scaled; every second layer looks at a window.

local config_values = require "qspec.config_values"
local outcome = require "qspec.outcome"

local MOST_LAYERS = 4096

-- The type of each layer: attention_types is a list of {types, how often}.
local function expanded(c)
  local all = {}
  for _, group in ipairs(c.attention_types) do
    local types, times = group[1], group[2]
    if type(types) ~= "table" or type(times) ~= "number" or times > MOST_LAYERS then
      config_values.refuse("attention_types", #all, "lists of {types, times}")
    end
    for _ = 1, times do
      for _, one in ipairs(types) do all[#all + 1] = one end
    end
  end
  return all
end

local function windows(c)
  local types = c.attention_layers or expanded(c)
  if #types ~= c.num_layers then
    config_values.refuse("attention_types", #types, ("one of each of %d layers"):format(
      c.num_layers))
  end
  return function(index)
    local one = types[index + 1]
    if one == "local" then return c.window_size end
    if one == "global" then return nil end
    error(outcome.error("unsupported", ("config.json has a layer of type '%s', which nothing here "
      .. "can run"):format(tostring(one))), 0)
  end
end

return {
  name = "gpt_neo",
  summary = "GPT-Neo",
  model_types = { "gpt_neo" },
  class = "GPTNeoForCausalLM",
  base_prefix = "transformer.",
  output = "lm_head",
  tied = { { "lm_head", "transformer.wte" } },
  keep_in_fp32 = {},
  keep_in_fp32_strict = {},
  ignored = { "%.attn%.attention%.bias$", "%.attn%.attention%.masked_bias$" },
  config = {
    aliases = { num_hidden_layers = "num_layers", num_attention_heads = "num_heads" },
    nullable = { "intermediate_size" },
    required = {},
    defaults = {
      vocab_size = 50257, max_position_embeddings = 2048, hidden_size = 2048, num_layers = 24,
      num_heads = 16, window_size = 256, activation_function = "gelu_new",
      layer_norm_epsilon = 1e-5, tie_word_embeddings = true,
      attention_types = { { { "global", "local" }, 12 } },
    },
    types = {
      vocab_size = "count", max_position_embeddings = "count", hidden_size = "count",
      num_layers = "count", num_heads = "count", intermediate_size = "count",
      window_size = "count", activation_function = "string", layer_norm_epsilon = "number",
      tie_word_embeddings = "boolean", attention_types = "table", attention_layers = "table",
    },
  },
  decoder = function(c)
    local context = c.max_position_embeddings
    return {
      layers = c.num_layers, prefix = "transformer.h.%d.", width = c.hidden_size,
      vocabulary = c.vocab_size,
      embed = { weight = "transformer.wte", positions = "transformer.wpe",
        position_rows = context },
      norm = { kind = "layer_norm", eps = c.layer_norm_epsilon },
      block = { norm1 = "ln_1", norm2 = "ln_2" },
      attention = { q = "attn.attention.q_proj", k = "attn.attention.k_proj",
        v = "attn.attention.v_proj", out = "attn.attention.out_proj",
        order = { "k", "v", "q", "out" }, heads = c.num_heads, kv_heads = c.num_heads,
        head_width = config_values.quotient(c, "hidden_size", "num_heads"), bias = false,
        out_bias = true, kind = "eager", fp32_scores = true, scale = 1,
        window = windows(c), whole_cache = true,
        constants = { name = "attn.attention", class = "GPTNeoSelfAttention", buffers = {
          { name = "bias", dtype = "bool", shape = { 1, 1, context, context } } } } },
      mlp = { kind = "plain", up = "mlp.c_fc", down = "mlp.c_proj",
        width = c.intermediate_size or 4 * c.hidden_size, activation = c.activation_function,
        bias = true },
      final_norm = "transformer.ln_f",
      head = { weight = "lm_head" },
    }
  end,
}
