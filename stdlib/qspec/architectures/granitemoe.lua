-- Granite 3 MoE: experts on every layer, under names of their own.

local granite_like = require "qspec.decoder.granite_like"
local llama_like = require "qspec.decoder.llama_like"

local defaults = { num_local_experts = 8, num_experts_per_tok = 2 }
for key, value in pairs(granite_like.defaults) do defaults[key] = value end
local types = { num_local_experts = "count", num_experts_per_tok = "count" }
for key, value in pairs(granite_like.types) do types[key] = value end

local MIXTURE = "block_sparse_moe."

return llama_like.architecture("GraniteMoe", {
  name = "granitemoe",
  summary = "Granite 3 MoE",
  model_types = { "granitemoe" },
  renames = { { "%.block_sparse_moe%.input_linear%.weight$",
      ".block_sparse_moe.experts.gate_up_proj" },
    { "%.block_sparse_moe%.output_linear%.weight$", ".block_sparse_moe.experts.down_proj" },
    { "%.block_sparse_moe%.router%.layer%.", ".block_sparse_moe.router." } },
  config = llama_like.config { defaults = defaults, types = types },
  decoder = function(c)
    local described = granite_like.decoder(c, "GraniteMoe")
    local mixture = llama_like.experts(c, "GraniteMoe", { score = "top_then_softmax",
      cast = true, count = c.num_local_experts, width = c.intermediate_size,
      router = { weight = MIXTURE .. "router" } })
    mixture.experts.parts = nil
    mixture.experts.gate_up = MIXTURE .. "experts.gate_up_proj"
    mixture.experts.down = MIXTURE .. "experts.down_proj"
    described.mlp = mixture
    return described
  end,
})
