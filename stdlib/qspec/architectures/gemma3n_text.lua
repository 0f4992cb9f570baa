-- Gemma 3n, the text model: four streams of hidden states that take turns (AltUp), a narrow branch
-- beside attention (LAuReL), embeddings for each layer. Listed, not run.

local blocks = require "qspec.outline.blocks"
local config_values = require "qspec.config_values"
local gemma_like = require "qspec.decoder.gemma_like"
local layer_types = require "qspec.decoder.layer_types"
local llama_like = require "qspec.decoder.llama_like"
local rope = require "qspec.decoder.rope"

local THETAS = { sliding_attention = 10000, full_attention = 1000000 }

-- One width for all layers, or one of each.
local function inner_widths(c)
  local given = c.intermediate_size
  if type(given) ~= "table" then return function() return given end end
  if #given ~= c.num_hidden_layers then
    config_values.refuse("intermediate_size", #given, ("one of each of %d layers"):format(
      c.num_hidden_layers))
  end
  return function(index) return given[index + 1] end
end

-- The last layers take keys and values of earlier ones, and have no projections for them.
local function attention(listing, prefix, c, norm, has_keys)
  local o = blocks.attention_of(c)
  local q, kv = o.heads * o.head_width, o.kv_heads * o.head_width
  listing:linear(prefix .. "q_proj", o.width, q, o.bias)
  norm(prefix .. "q_norm", o.head_width)
  if has_keys then
    listing:linear(prefix .. "k_proj", o.width, kv, o.bias)
    listing:linear(prefix .. "v_proj", o.width, kv, o.bias)
    norm(prefix .. "k_norm", o.head_width)
  end
  listing:linear(prefix .. "o_proj", q, o.width, o.bias)
end

local function alternating_updates(listing, name, c, norm)
  local streams, width = c.altup_num_inputs, c.hidden_size
  listing:parameter(name .. "correct_output_scale", { width })
  listing:buffers(name:sub(1, -2), "Gemma3nTextAltUp", {
    { name = "router_input_scale", dtype = llama_like.load_dtype(c), shape = {} } })
  listing:linear(name .. "correction_coefs", streams, streams, false)
  listing:linear(name .. "prediction_coefs", streams, streams * streams, false)
  listing:linear(name .. "modality_router", width, streams, false)
  norm(name .. "router_norm")
end

local function layer(listing, name, c, norm, o)
  local width, narrow = c.hidden_size, c.hidden_size_per_layer_input
  attention(listing, name .. "self_attn.", c, norm, o.has_keys)
  blocks.mlp(listing, name .. "mlp.", width, o.inner)
  for _, which in ipairs { "input_layernorm", "post_attention_layernorm",
    "pre_feedforward_layernorm", "post_feedforward_layernorm", "post_per_layer_input_norm" } do
    norm(name .. which)
  end
  alternating_updates(listing, name .. "altup.", c, norm)
  listing:linear(name .. "laurel.linear_left", width, c.laurel_rank, false)
  listing:linear(name .. "laurel.linear_right", c.laurel_rank, width, false)
  norm(name .. "laurel.post_laurel_norm")
  listing:linear(name .. "per_layer_input_gate", width, narrow, false)
  listing:linear(name .. "per_layer_projection", narrow, width, false)
end

local function embedding(listing, name, rows, width, c)
  listing:embedding(name, rows, width, "Gemma3nTextScaledWordEmbedding", {
    { name = "embed_scale", dtype = llama_like.load_dtype(c), shape = {} } })
end

local function frequencies(c)
  local types = layer_types.read(c, function(index) return (index + 1) % 5 ~= 0 end)
  local ropes = rope.by_type(c, { head_width = llama_like.head_width(c) }, THETAS)
  return rope.buffers_by_type(ropes, function(type_of)
    return layer_types.has(c, types, type_of)
  end)
end

local function outside_of_layers(listing, c, norm)
  local all = c.num_hidden_layers * c.hidden_size_per_layer_input
  norm "model.norm"
  listing:buffers("model.rotary_emb", "Gemma3nRotaryEmbedding", frequencies(c))
  embedding(listing, "model.embed_tokens_per_layer", c.vocab_size_per_layer_input, all, c)
  listing:linear("model.per_layer_model_projection", c.hidden_size, all, false)
  norm("model.per_layer_projection_norm", c.hidden_size_per_layer_input)
  for _, name in ipairs { "model.altup_projections", "model.altup_unembed_projections" } do
    for stream = 0, c.altup_num_inputs - 2 do
      listing:linear(("%s.%d"):format(name, stream), c.hidden_size, c.hidden_size, false)
    end
  end
end

local function list(listing, c)
  local norm, inner = blocks.norms(listing, "Gemma3nRMSNorm", c.hidden_size), inner_widths(c)
  local dtype = llama_like.load_dtype(c)
  listing:buffers("model", "Gemma3nTextModel", {
    { name = "per_layer_projection_scale", dtype = dtype, shape = {} },
    { name = "per_layer_input_scale", dtype = dtype, shape = {} } })
  embedding(listing, "model.embed_tokens", c.vocab_size, c.hidden_size, c)
  for index = 0, c.num_hidden_layers - 1 do
    layer(listing, ("model.layers.%d."):format(index), c, norm, { inner = inner(index),
      has_keys = index < c.num_hidden_layers - c.num_kv_shared_layers })
  end
  outside_of_layers(listing, c, norm)
  listing:plain_linear("lm_head", c.hidden_size, c.vocab_size, false)
end

return gemma_like.architecture("Gemma3n", {
  name = "gemma3n_text",
  summary = "Gemma 3n, text models (listed, not run)",
  model_types = { "gemma3n_text" },
  config = gemma_like.config {
    defaults = { vocab_size = 262400, hidden_size = 2048, intermediate_size = 16384,
      num_hidden_layers = 35, num_attention_heads = 8, num_key_value_heads = 2,
      max_position_embeddings = 32768, vocab_size_per_layer_input = 262144,
      hidden_size_per_layer_input = 256, altup_num_inputs = 4, num_kv_shared_layers = 15,
      laurel_rank = 64 },
    types = { intermediate_size = "counts", vocab_size_per_layer_input = "count",
      hidden_size_per_layer_input = "count", altup_num_inputs = "count",
      num_kv_shared_layers = "whole", laurel_rank = "count" },
  },
  outline = function(c)
    return { layers = c.num_hidden_layers, refusal = "layers of alternating updates "
      .. "(Gemma3nTextAltUp)", list = function(listing) list(listing, c) end }
  end,
})
