-- What the Gemma models share beyond what they have of LLaMA.

local llama_like = require "qspec.decoder.llama_like"

local M = { architecture = llama_like.architecture }

--- What to declare of the config.
function M.config(o)
  local defaults = { tie_word_embeddings = true, head_dim = 256, max_position_embeddings = 8192,
    hidden_activation = "gelu_pytorch_tanh" }
  for key, value in pairs(o.defaults) do defaults[key] = value end
  local types = { hidden_activation = "string" }
  for key, value in pairs(o.types or {}) do types[key] = value end
  return llama_like.config { defaults = defaults, types = types, nullable = o.nullable,
    aliases = o.aliases }
end

--- The decoder's table.
---@param c table config
---@param prefix string of the names of classes
---@param activation string
---@param o table|nil as of llama_like.decoder
function M.decoder(c, prefix, activation, o)
  local described = llama_like.decoder(c, prefix, o)
  described.norm.kind = "rms_norm_plus_one"
  described.mlp.activation, described.mlp.bias = activation, false
  local embed = described.embed
  embed.scale, embed.scale_rounded = math.sqrt(c.hidden_size), true
  embed.class = prefix .. "TextScaledWordEmbedding"
  embed.buffers = { { name = "embed_scale", dtype = llama_like.load_dtype(c), shape = {} } }
  return described
end

--- Norms before and behind attention and MLP.
function M.between_norms(described)
  described.block = { norm1 = "input_layernorm", post1 = "post_attention_layernorm",
    norm2 = "pre_feedforward_layernorm", post2 = "post_feedforward_layernorm",
    order = { "attention", "mlp", "norm1", "post1", "norm2", "post2" } }
end

return M
