-- Phi-3.5-MoE: layer norms, and two experts a token that SparseMixer picks.

local llama_like = require "qspec.decoder.llama_like"
local rope = require "qspec.decoder.rope"

-- transformers 5.17 takes the short factors for every length, and an amplitude of the config's own.
local function frequencies(c)
  local found = rope.read(c, { head_width = llama_like.head_width(c), theta = 1e6 })
  local values = c.rope_parameters or c.rope_scaling or {}
  if found.scaling ~= "longrope" then return found end
  found.long = found.short
  found.amplitude = values.short_mscale or found.amplitude
  return found, values.short_mscale ~= values.long_mscale
end

return llama_like.architecture("Phimoe", {
  name = "phimoe",
  summary = "Phi-3.5-MoE",
  model_types = { "phimoe" },
  renames = { { "%.block_sparse_moe%.", ".mlp." }, { "%.gate%.weight$", ".router.weight" } },
  config = llama_like.config {
    aliases = { num_experts = "num_local_experts" },
    defaults = { vocab_size = 32064, hidden_size = 4096, intermediate_size = 6400,
      num_hidden_layers = 32, num_attention_heads = 32, num_key_value_heads = 8,
      max_position_embeddings = 131072, rms_norm_eps = 1e-5, num_local_experts = 16,
      num_experts_per_tok = 2, router_jitter_noise = 0.01, lm_head_bias = false },
    types = { num_local_experts = "count", num_experts_per_tok = "count",
      router_jitter_noise = "number", lm_head_bias = "boolean" },
  },
  decoder = function(c)
    local found, changes = frequencies(c)
    local described = llama_like.decoder(c, "Phimoe", { rope = found })
    described.norm = { kind = "layer_norm", eps = c.rms_norm_eps }
    described.attention.window = c.sliding_window
    described.head.bias = c.lm_head_bias
    described.mlp = llama_like.experts(c, "Phimoe", { score = "sparse_mixer",
      count = c.num_local_experts, width = c.intermediate_size,
      router = { weight = "mlp.router", jitter = c.router_jitter_noise },
      parts = { prefix = "mlp.experts.%d.", gate = "w1", up = "w3", down = "w2" } })
    described.mlp.router.chosen = 2
    described.unsupported = changes and "a long_mscale other than its short_mscale" or nil
    return described
  end,
})
