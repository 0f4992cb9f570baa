-- Which layers of a mixture have experts and which a plain MLP; and the experts that several
-- architectures have behind their first layers.

local config_values = require "qspec.config_values"
local llama_like = require "qspec.decoder.llama_like"

local M = {}

local function set_of(list)
  local set = {}
  for _, index in ipairs(list or {}) do set[index] = true end
  return set
end

--- Experts on every decoder_sparse_step-th layer but those that mlp_only_layers lists.
---@param c table config
---@param dense table
---@param sparse table
function M.by_step(c, dense, sparse)
  local plain = set_of(c.mlp_only_layers)
  return function(index)
    local is_sparse = not plain[index] and (index + 1) % c.decoder_sparse_step == 0
    return is_sparse and sparse or dense
  end
end

--- Plain layers first, experts from the layer first_k_dense_replace on.
---@param c table
---@param dense table
---@param sparse fun(c: table): table asked only when a layer has experts
function M.after_first(c, dense, sparse)
  local experts = c.first_k_dense_replace < c.num_hidden_layers and sparse(c)
  return function(index) return index >= c.first_k_dense_replace and experts or dense end
end

--- By the list mlp_layer_types, "dense" or "sparse" each; without one plain layers come first.
---@param c table
---@param first integer how many layers are plain where the config has no list
---@param dense table
---@param sparse fun(c: table): table asked only when a layer has experts
function M.by_type(c, first, dense, sparse)
  local types, experts = c.mlp_layer_types, nil
  if types and #types < c.num_hidden_layers then
    config_values.refuse("mlp_layer_types", #types, ("one of each of %d layers"):format(
      c.num_hidden_layers))
  end
  return function(index)
    local is_sparse = index >= first
    if types then is_sparse = types[index + 1] == "sparse" end
    if is_sparse then experts = experts or sparse(c) end
    return is_sparse and experts or dense
  end
end

M.sigmoid_types = { n_routed_experts = "count", n_shared_experts = "count",
  num_experts_per_tok = "count", moe_intermediate_size = "count",
  first_k_dense_replace = "whole", routed_scaling_factor = "number", n_group = "count",
  topk_group = "count", norm_topk_prob = "boolean" }

--- Experts behind a router of sigmoids with a correction, beside shared ones.
---@param c table
---@param prefix string of the names of classes
function M.sigmoid_experts(c, prefix)
  local mixture = llama_like.experts(c, prefix, { score = "sigmoid", count = c.n_routed_experts,
    width = c.moe_intermediate_size, normalize = c.norm_topk_prob,
    router = { class = prefix .. "TopkRouter", fp32 = true, scale = c.routed_scaling_factor,
      correction = "mlp.gate.e_score_correction_bias", groups = c.n_group,
      chosen_groups = c.topk_group } })
  mixture.shared = llama_like.shared(c, "mlp.shared_experts",
    c.moe_intermediate_size * c.n_shared_experts)
  return mixture
end

return M
