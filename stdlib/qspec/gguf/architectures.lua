-- What the architectures of GGUF files are to Hugging Face: model_type, names of modules, keys of
-- the config, and what llama.cpp's converter does to weights on the way, so that it is undone.
--
-- Source: the package gguf 0.19, constants.py and tensor_mapping.py; llama.cpp,
-- convert_hf_to_gguf.py.

local rows = require "qspec.gguf.rows"

---@class qspec.GgufArchitecture
---@field model_type string|fun(m): string
---@field top table<string, string> modules outside of the layers, by the file's names
---@field layer string the prefix of a layer's modules
---@field names table<string, string> modules of a layer, by the file's names
---@field config fun(m): table keys that are this architecture's own; m(key) is its metadata
---@field order (fun(name: string, config: table): (fun(rows: integer): integer[])|nil)|nil
---@field plus_one boolean|nil the file's norms are one more than the checkpoint's
---@field transposed table<string, boolean>|nil names whose weight is the transpose

local M = {}

local function joined(base, more)
  local all = {}
  for key, value in pairs(base) do all[key] = value end
  for key, value in pairs(more) do all[key] = value end
  return all
end

-- LLaMA and its like ---------------------------------------------------------------------------

local LLAMA_TOP = { token_embd = "model.embed_tokens", output_norm = "model.norm",
  output = "lm_head" }

local LLAMA_NAMES = { attn_norm = "input_layernorm", attn_q = "self_attn.q_proj",
  attn_k = "self_attn.k_proj", attn_v = "self_attn.v_proj", attn_output = "self_attn.o_proj",
  attn_q_norm = "self_attn.q_norm", attn_k_norm = "self_attn.k_norm",
  ffn_norm = "post_attention_layernorm", ffn_gate = "mlp.gate_proj", ffn_up = "mlp.up_proj",
  ffn_down = "mlp.down_proj" }

local function llama_config(m)
  return { hidden_size = m("embedding_length"), num_hidden_layers = m("block_count"),
    intermediate_size = m("feed_forward_length"), num_attention_heads = m("attention.head_count"),
    num_key_value_heads = m("attention.head_count_kv"), head_dim = m("attention.key_length"),
    rms_norm_eps = m("attention.layer_norm_rms_epsilon"),
    max_position_embeddings = m("context_length"), rope_theta = m("rope.freq_base") }
end

local function llama_like(model_type, o)
  o = o or {}
  return { model_type = model_type, top = LLAMA_TOP, layer = "model.layers.%d.",
    names = joined(LLAMA_NAMES, o.names or {}), order = o.order, plus_one = o.plus_one,
    config = function(m)
      return joined(llama_config(m), o.config and o.config(m) or {})
    end }
end

-- A window, where the file has one.
local function window(m)
  local width = m("attention.sliding_window")
  return width and { sliding_window = width, use_sliding_window = true } or {}
end

M.llama = llama_like("llama", {
  order = function(name, config)
    if name == "attn_q" then return rows.rotary(config.num_attention_heads) end
    if name == "attn_k" then
      return rows.rotary(config.num_key_value_heads or config.num_attention_heads)
    end
  end,
  config = function(m)
    return { attention_bias = m.has("blk.0.attn_q.bias"), mlp_bias = m.has("blk.0.ffn_up.bias") }
  end,
})

M.qwen2 = llama_like("qwen2", { config = window })
M.qwen3 = llama_like("qwen3", { config = window })

local function gemma_config(m)
  return joined(window(m), { query_pre_attn_scalar = m("attention.key_length"),
    final_logit_softcapping = m("final_logit_softcapping"),
    attn_logit_softcapping = m("attn_logit_softcapping") })
end

M.gemma = llama_like("gemma", { plus_one = true })
M.gemma2 = llama_like("gemma2", { plus_one = true, config = gemma_config,
  names = { post_attention_norm = "post_attention_layernorm",
    ffn_norm = "pre_feedforward_layernorm", post_ffw_norm = "post_feedforward_layernorm" } })

M.phi3 = llama_like("phi3", {
  names = { attn_qkv = "self_attn.qkv_proj", ffn_up = "mlp.gate_up_proj" },
  config = function(m)
    local head = m("embedding_length") / m("attention.head_count")
    return { sliding_window = m("attention.sliding_window"),
      partial_rotary_factor = (m("rope.dimension_count") or head) / head }
  end,
})

-- Others ---------------------------------------------------------------------------------------

M.bloom = {
  model_type = "bloom",
  top = { token_embd = "transformer.word_embeddings",
    token_embd_norm = "transformer.word_embeddings_layernorm", output_norm = "transformer.ln_f",
    output = "lm_head" },
  layer = "transformer.h.%d.",
  names = { attn_norm = "input_layernorm", attn_qkv = "self_attention.query_key_value",
    attn_output = "self_attention.dense", ffn_norm = "post_attention_layernorm",
    ffn_up = "mlp.dense_h_to_4h", ffn_down = "mlp.dense_4h_to_h" },
  config = function(m)
    return { hidden_size = m("embedding_length"), n_layer = m("block_count"),
      n_head = m("attention.head_count"), layer_norm_epsilon = m("attention.layer_norm_epsilon") }
  end,
  order = function(name, config)
    return name == "attn_qkv" and rows.per_head(config.n_head) or nil
  end,
}

M.gptneox = {
  model_type = "gpt_neox",
  top = { token_embd = "gpt_neox.embed_in", output_norm = "gpt_neox.final_layer_norm",
    output = "lm_head" },
  layer = "gpt_neox.layers.%d.",
  names = { attn_norm = "input_layernorm", attn_qkv = "attention.query_key_value",
    attn_output = "attention.dense", ffn_norm = "post_attention_layernorm",
    ffn_up = "mlp.dense_h_to_4h", ffn_down = "mlp.dense_4h_to_h" },
  config = function(m)
    local head = m("embedding_length") / m("attention.head_count")
    return { hidden_size = m("embedding_length"), num_hidden_layers = m("block_count"),
      num_attention_heads = m("attention.head_count"),
      intermediate_size = m("feed_forward_length"),
      max_position_embeddings = m("context_length"),
      layer_norm_eps = m("attention.layer_norm_epsilon"),
      use_parallel_residual = m("use_parallel_residual"),
      partial_rotary_factor = (m("rope.dimension_count") or head) / head,
      rope_theta = m("rope.freq_base") }
  end,
  order = function(name, config)
    return name == "attn_qkv" and rows.per_head(config.num_attention_heads) or nil
  end,
}

M.gpt2 = {
  model_type = "gpt2",
  top = { token_embd = "transformer.wte", position_embd = "transformer.wpe",
    output_norm = "transformer.ln_f", output = "lm_head" },
  layer = "transformer.h.%d.",
  names = { attn_norm = "ln_1", attn_qkv = "attn.c_attn", attn_output = "attn.c_proj",
    ffn_norm = "ln_2", ffn_up = "mlp.c_fc", ffn_down = "mlp.c_proj" },
  transposed = { attn_qkv = true, attn_output = true, ffn_up = true, ffn_down = true },
  config = function(m)
    return { n_embd = m("embedding_length"), n_layer = m("block_count"),
      n_head = m("attention.head_count"), n_positions = m("context_length"),
      n_inner = m("feed_forward_length"),
      layer_norm_epsilon = m("attention.layer_norm_epsilon") }
  end,
}

M.falcon = {
  model_type = "falcon",
  top = { token_embd = "transformer.word_embeddings", output_norm = "transformer.ln_f",
    output = "lm_head" },
  layer = "transformer.h.%d.",
  names = { attn_norm = "input_layernorm", attn_norm_2 = "ln_attn",
    attn_qkv = "self_attention.query_key_value", attn_output = "self_attention.dense",
    ffn_up = "mlp.dense_h_to_4h", ffn_down = "mlp.dense_4h_to_h" },
  -- 40B has two norms, of which the file's first is that of the MLP.
  renamed = function(m)
    return m.has("blk.0.attn_norm_2.weight") and { attn_norm = "ln_mlp" } or {}
  end,
  config = function(m)
    local kv_heads = m("attention.head_count_kv") or m("attention.head_count")
    return { hidden_size = m("embedding_length"), num_hidden_layers = m("block_count"),
      num_attention_heads = m("attention.head_count"), num_kv_heads = kv_heads,
      ffn_hidden_size = m("feed_forward_length"), multi_query = kv_heads == 1,
      new_decoder_architecture = m.has("blk.0.attn_norm_2.weight") or kv_heads > 1,
      num_ln_in_parallel_attn = m.has("blk.0.attn_norm_2.weight") and 2 or 1,
      layer_norm_epsilon = m("attention.layer_norm_epsilon"), rope_theta = m("rope.freq_base") }
  end,
  order = function(name, config)
    if name ~= "attn_qkv" then return nil end
    return rows.per_group(config.num_attention_heads, config.num_kv_heads)
  end,
}

return M
