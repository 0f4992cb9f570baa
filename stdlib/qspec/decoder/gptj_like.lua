-- What GPT-J and CodeGen share.

local config_values = require "qspec.config_values"

local M = {}

local CONFIG = {
  aliases = { hidden_size = "n_embd", max_position_embeddings = "n_positions",
    num_attention_heads = "n_head", num_hidden_layers = "n_layer" },
  nullable = { "n_inner", "rotary_dim" },
  required = {},
  defaults = {
    vocab_size = 50400, n_positions = 2048, n_embd = 4096, n_layer = 28, n_head = 16,
    rotary_dim = 64, activation_function = "gelu_new", layer_norm_epsilon = 1e-5,
    tie_word_embeddings = false,
  },
  types = {
    vocab_size = "count", n_positions = "count", n_embd = "count", n_layer = "count",
    n_head = "count", rotary_dim = "count", n_inner = "count", activation_function = "string",
    layer_norm_epsilon = "number", tie_word_embeddings = "boolean",
  },
}

--- An architecture's file, from what both have and what it adds.
---@param prefix string of the names of classes
---@param fields table
function M.architecture(prefix, fields)
  fields.class, fields.base_prefix = prefix .. "ForCausalLM", "transformer."
  fields.output, fields.tied = "lm_head", { { "lm_head", "transformer.wte" } }
  fields.keep_in_fp32, fields.keep_in_fp32_strict, fields.config = {}, {}, CONFIG
  fields.ignored = { "%.attn%.bias$", "%.attn%.masked_bias$", "%.attn%.causal_mask$" }
  return fields
end

local function attention(c, prefix, projections)
  local head_width = config_values.quotient(c, "n_embd", "n_head")
  local width = c.rotary_dim or head_width
  if width > head_width or width % 2 ~= 0 then
    config_values.refuse("rotary_dim", width, ("an even number of at most %d"):format(head_width))
  end
  local described = { out = "attn.out_proj", heads = c.n_head, kv_heads = c.n_head,
    head_width = head_width, bias = false, kind = "eager", fp32_scores = true,
    divide = math.sqrt(head_width),
    rope = { scaling = "default", theta = 10000, width = width, amplitude = 1,
      style = "neighbours" },
    constants = { name = "attn", class = prefix .. "Attention", buffers = {
      { name = "embed_positions", dtype = "float32",
        shape = { c.n_positions, width } } } } }
  for key, value in pairs(projections) do described[key] = value end
  return described
end

--- The decoder's table.
---@param c table config
---@param prefix string of the names of classes
---@param projections table names of the projections, or of the fused one
function M.decoder(c, prefix, projections)
  return {
    layers = c.n_layer, prefix = "transformer.h.%d.", width = c.n_embd,
    vocabulary = c.vocab_size,
    embed = { weight = "transformer.wte" },
    norm = { kind = "layer_norm", eps = c.layer_norm_epsilon },
    block = { norm1 = "ln_1", parallel = "attention_mlp_x" },
    attention = attention(c, prefix, projections),
    mlp = { kind = "plain", up = "mlp.fc_in", down = "mlp.fc_out",
      width = c.n_inner or 4 * c.n_embd, activation = c.activation_function, bias = true },
    final_norm = "transformer.ln_f",
    head = { weight = "lm_head", bias = true },
  }
end

return M
