-- What models with multi-head latent attention share: the names that DeepSeek-V2 gave to it.

local llama_like = require "qspec.decoder.llama_like"
local rope = require "qspec.decoder.rope"

local M = {}

M.types = { q_lora_rank = "count", kv_lora_rank = "count", qk_rope_head_dim = "count",
  qk_nope_head_dim = "count", v_head_dim = "count" }

-- Norms inside of attention have this one whatever the config says.
local INNER_EPS = 1e-6

local function latent(c)
  local has_rank = c.q_lora_rank ~= nil
  return { q = not has_rank and "self_attn.q_proj" or nil,
    q_down = has_rank and "self_attn.q_a_proj" or nil, q_norm = "self_attn.q_a_layernorm",
    q_up = "self_attn.q_b_proj", q_rank = c.q_lora_rank,
    kv_down = "self_attn.kv_a_proj_with_mqa", kv_norm = "self_attn.kv_a_layernorm",
    kv_up = "self_attn.kv_b_proj", rank = c.kv_lora_rank, plain = c.qk_nope_head_dim,
    rope = c.qk_rope_head_dim, value = c.v_head_dim, eps = INNER_EPS }
end

-- A scaling that stretches the context also sharpens the scores.
local function sharpness(c)
  local values = c.rope_parameters or c.rope_scaling or {}
  local kind, share, factor = values.rope_type or values.type, values.mscale_all_dim,
    values.factor
  local is_number = type(share) == "number" and type(factor) == "number"
  if kind == nil or kind == "default" or not is_number or share == 0 or factor <= 1 then
    return 1
  end
  local magnitude = 0.1 * share * math.log(factor) + 1
  return magnitude * magnitude
end

--- The decoder's table.
---@param c table config
---@param prefix string of the names of classes
---@param style table {style, precise?, precise_table?} of the rotation
function M.decoder(c, prefix, style)
  style.head_width = c.qk_rope_head_dim
  local described = llama_like.decoder(c, prefix, { rope = rope.read(c, style) })
  local attention = described.attention
  attention.q, attention.k, attention.v = nil, nil, nil
  attention.kv_heads, attention.latent = attention.heads, latent(c)
  attention.head_width = c.qk_nope_head_dim + c.qk_rope_head_dim
  attention.scale = sharpness(c) / math.sqrt(attention.head_width)
  return described
end

return M
