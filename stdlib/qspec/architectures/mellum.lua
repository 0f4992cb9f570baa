-- Mellum 2: Qwen3-MoE with rotary positions by type of layer.

local layer_types = require "qspec.decoder.layer_types"
local llama_like = require "qspec.decoder.llama_like"
local rope = require "qspec.decoder.rope"
local sparse_layers = require "qspec.decoder.sparse_layers"

local THETAS = { sliding_attention = 10000, full_attention = 500000 }

return llama_like.architecture("Mellum", {
  name = "mellum",
  summary = "Mellum 2",
  model_types = { "mellum" },
  config = llama_like.config {
    aliases = { num_experts = "num_local_experts" },
    defaults = { vocab_size = 98304, hidden_size = 2304, intermediate_size = 7168,
      num_hidden_layers = 28, num_attention_heads = 32, num_key_value_heads = 4, head_dim = 128,
      max_position_embeddings = 131072, sliding_window = 1024, moe_intermediate_size = 896,
      num_experts_per_tok = 8, num_local_experts = 64, norm_topk_prob = true },
    types = { moe_intermediate_size = "count", num_experts_per_tok = "count",
      num_local_experts = "count", norm_topk_prob = "boolean", mlp_layer_types = "table" },
    nullable = { "mlp_layer_types" },
  },
  decoder = function(c)
    local types = layer_types.read(c, function() return false end)
    local ropes = rope.by_type(c, { head_width = llama_like.head_width(c) }, THETAS)
    local described = llama_like.decoder(c, "Mellum", { rope = ropes.full_attention })
    local attention = described.attention
    attention.rope = function(index) return ropes[types(index)] end
    attention.window = layer_types.windows(c, types)
    attention.norm = llama_like.head_norm(described)
    described.constants.buffers = rope.buffers_by_type(ropes, function(type_of)
      return layer_types.has(c, types, type_of)
    end)
    described.mlp.bias = false
    described.mlp = sparse_layers.by_type(c, 0, described.mlp, function()
      return llama_like.experts(c, "Mellum", { score = "softmax_then_top",
        normalize = c.norm_topk_prob, cast = true, count = c.num_local_experts,
        width = c.moe_intermediate_size })
    end)
    return described
  end,
})
