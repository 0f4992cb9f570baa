-- DBRX: experts whose weights are one matrix each, gates and ups apart. Listed, not run.

local config_values = require "qspec.config_values"
local llama_like = require "qspec.decoder.llama_like"
local rope = require "qspec.decoder.rope"

local NORM = { kind = "layer_norm", bias = false }

-- What stands in an inner config, or the class's default.
local function inner(config, key, default)
  local value = config and config[key]
  if value == nil then value = default end
  config_values.check({ [key] = "count" }, { [key] = value })
  return value
end

local function layer(listing, name, c)
  local width, attention, ffn = c.d_model, c.attn_config, c.ffn_config
  local head = config_values.quotient(c, "d_model", "n_heads")
  local experts, inner_width = inner(ffn, "moe_num_experts", 4), inner(ffn, "ffn_hidden_size", 3584)
  listing:norm(name .. "norm_attn_norm.norm_1", NORM, { width })
  listing:linear(name .. "norm_attn_norm.attn.Wqkv", width,
    width + 2 * inner(attention, "kv_n_heads", 1) * head, false)
  listing:linear(name .. "norm_attn_norm.attn.out_proj", width, width, false)
  listing:norm(name .. "norm_attn_norm.norm_2", NORM, { width })
  listing:linear(name .. "ffn.router.layer", width, experts, false)
  for _, part in ipairs { "w1", "v1", "w2" } do
    listing:parameter(name .. "ffn.experts.mlp." .. part, { experts * inner_width, width })
  end
end

return llama_like.architecture("Dbrx", {
  name = "dbrx",
  summary = "DBRX (listed, not run)",
  model_types = { "dbrx" },
  base_prefix = "transformer.",
  tied = { { "lm_head", "transformer.wte" } },
  config = { required = {}, aliases = { hidden_size = "d_model", num_attention_heads = "n_heads",
      num_hidden_layers = "n_layers", max_position_embeddings = "max_seq_len" },
    defaults = { vocab_size = 32000, d_model = 2048, n_heads = 16, n_layers = 24,
      max_seq_len = 2048, tie_word_embeddings = false },
    types = { vocab_size = "count", d_model = "count", n_heads = "count", n_layers = "count",
      max_seq_len = "count", attn_config = "table", ffn_config = "table",
      tie_word_embeddings = "boolean" } },
  outline = function(c)
    local head = config_values.quotient(c, "d_model", "n_heads")
    return { layers = c.n_layers, refusal = "layers of experts in one matrix (DbrxExpertGLU)",
      list = function(listing)
        listing:buffers("transformer.rotary_emb", "DbrxRotaryEmbedding",
          rope.buffers(rope.read(c, { head_width = head })))
        listing:embedding("transformer.wte", c.vocab_size, c.d_model)
        for index = 0, c.n_layers - 1 do
          layer(listing, ("transformer.blocks.%d."):format(index), c)
        end
        listing:norm("transformer.norm_f", NORM, { c.d_model })
        listing:plain_linear("lm_head", c.d_model, c.vocab_size, false)
      end }
  end,
})
