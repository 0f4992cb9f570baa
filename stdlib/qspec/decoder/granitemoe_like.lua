-- Granite's mixtures: experts on every layer under names of their own, and in later ones an MLP
-- beside them that every token takes.

local granite_like = require "qspec.decoder.granite_like"
local llama_like = require "qspec.decoder.llama_like"

local M = {}

local MIXTURE = "block_sparse_moe."

--- Names that files have and the classes do not.
M.renames = { { "%.block_sparse_moe%.input_linear%.weight$",
    ".block_sparse_moe.experts.gate_up_proj" },
  { "%.block_sparse_moe%.output_linear%.weight$", ".block_sparse_moe.experts.down_proj" },
  { "%.block_sparse_moe%.router%.layer%.", ".block_sparse_moe.router." } }

--- What to declare of the config.
---@param more table|nil defaults beside those that all of them have
function M.config(more)
  local defaults = { num_local_experts = 8, num_experts_per_tok = 2 }
  for _, given in ipairs { granite_like.defaults, more or {} } do
    for key, value in pairs(given) do defaults[key] = value end
  end
  local types = { num_local_experts = "count", num_experts_per_tok = "count",
    shared_intermediate_size = "whole" }
  for key, value in pairs(granite_like.types) do types[key] = value end
  return llama_like.config { defaults = defaults, types = types }
end

local function mixture(c, prefix)
  local described = llama_like.experts(c, prefix, { score = "top_then_softmax", cast = true,
    count = c.num_local_experts, width = c.intermediate_size,
    router = { weight = MIXTURE .. "router" } })
  described.experts.parts = nil
  described.experts.gate_up = MIXTURE .. "experts.gate_up_proj"
  described.experts.down = MIXTURE .. "experts.down_proj"
  return described
end

--- The decoder's table.
---@param c table config
---@param prefix string of the names of classes
function M.decoder(c, prefix)
  local described = granite_like.decoder(c, prefix)
  described.mlp = mixture(c, prefix)
  if (c.shared_intermediate_size or 0) > 0 then
    described.mlp.shared = { kind = "gated_fused", gate_up = "shared_mlp.input_linear",
      down = "shared_mlp.output_linear", width = c.shared_intermediate_size,
      activation = c.hidden_act, bias = false }
  end
  return described
end

return M
