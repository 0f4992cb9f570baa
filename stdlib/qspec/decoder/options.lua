-- The options of an architecture's decoder table. One that nobody knows is refused, with the
-- nearest name: a silent default would be another model.

local nearest = require "qspec.nearest"
local outcome = require "qspec.outcome"
local schema = require "qspec.schema"

local M = {}

local STRING = { type = "string", required = true }
local COUNT = { type = "integer", required = true }
local OPTIONAL_STRING = { type = "string" }
local OPTIONAL_COUNT = { type = "integer" }
local OPTIONAL_NUMBER = { type = "number" }
local OPTIONAL_TABLE = { type = "table" }
local FLAG = { type = "boolean", default = false }
local TABLE = { type = "table", required = true }
-- One for all layers, or a function of the layer's index, from 0.
local BY_LAYER = { type = { "table", "function" } }

-- `bias`: true and false are what the architecture says; "stored" asks the checkpoint.
local BIAS = { type = { "boolean", "string" }, required = true }
local OPTIONAL_BIAS = { type = { "boolean", "string" } }

local ACTIVATION = STRING
local ACTIVATIONS = {}
for _, name in ipairs { "bloom_gelu", "gelu", "gelu_fast", "gelu_new", "gelu_pytorch_tanh",
  "quick_gelu", "relu", "relu2", "sigmoid", "silu", "swish", "tanh", "xielu" } do
  ACTIVATIONS[name] = true
end

local NORM_KINDS = { "layer_norm", "layer_norm_plus_one", "layer_norm_fp32", "layer_norm_bare",
  "rms_norm", "rms_norm_bare", "rms_norm_fp32", "rms_norm_own", "rms_norm_plus_one" }

local DECODER = {
  layers = COUNT, width = COUNT, vocabulary = COUNT,
  prefix = { type = "string", required = true, help = "of a layer's modules: 'model.layers.%d.'" },
  embed = TABLE, norm = TABLE, block = TABLE, attention = TABLE, head = TABLE,
  mlp = { type = { "table", "function" }, required = true },
  linear = { type = "table", default = {}, help = "what is special of the linears of layers" },
  final_norm = OPTIONAL_STRING,
  constants = { type = "table", help = "the module that holds tables that no file stores" },
  unsupported = { type = "string", help = "what in this config changes the arithmetic" },
}

local NORM = { kind = { type = "string", required = true, allowed = NORM_KINDS },
  eps = { type = "number", required = true }, class = OPTIONAL_STRING, bias = OPTIONAL_BIAS }

M.NORM = NORM

local PARTS = {
  -- scale: times a number, rounded to the dtype before when scale_rounded
  embed = { weight = STRING, class = { type = "string", default = "Embedding" },
    norm = OPTIONAL_STRING, scale = OPTIONAL_NUMBER, scale_rounded = FLAG,
    buffers = { type = "table", default = {} },
    sinusoids = OPTIONAL_TABLE,
    positions = OPTIONAL_STRING, position_rows = OPTIONAL_COUNT, position_class = OPTIONAL_STRING,
    position_offset = { type = "integer", default = 0 },
    project_in = OPTIONAL_STRING, project_out = OPTIONAL_STRING, width = OPTIONAL_COUNT },
  norm = NORM,
  -- post1, post2: norms of what attention and the MLP give; post_norm: the norms stand behind the
  -- sums; parallel: both read x, and the order of the sum of three, which rounding shows
  block = { norm1 = OPTIONAL_STRING, norm2 = OPTIONAL_STRING, post1 = OPTIONAL_STRING,
    post2 = OPTIONAL_STRING, residual_from_norm = FLAG, residual_scale = OPTIONAL_NUMBER,
    post_norm = FLAG, parallel = { type = "string",
      allowed = { "x_attention_mlp", "attention_mlp_x", "mlp_attention_x" } },
    order = { type = "list", list_of = "string",
      default = { "norm1", "attention", "post1", "norm2", "mlp", "post2" },
      allowed = { "norm1", "attention", "post1", "norm2", "mlp", "post2" } } },
  -- whole_cache: keys that no token sees any more are kept, and hidden by a mask
  attention = { q = OPTIONAL_STRING, k = OPTIONAL_STRING, v = OPTIONAL_STRING,
    fused = OPTIONAL_STRING, out = STRING, heads = COUNT, kv_heads = COUNT, head_width = COUNT,
    layout = { type = "string", allowed = { "concat", "per_head", "per_group", "codegen" } },
    order = { type = "list", list_of = "string" },
    bias = BIAS, out_bias = OPTIONAL_BIAS, out_norm = OPTIONAL_STRING,
    kind = { type = "string", default = "sdpa", allowed = { "sdpa", "eager", "alibi" } },
    alibi = { type = "list" }, steepest = OPTIONAL_NUMBER,
    scale = OPTIONAL_NUMBER, divide = OPTIONAL_NUMBER, query_scale = OPTIONAL_NUMBER,
    clip = OPTIONAL_NUMBER, norm = OPTIONAL_TABLE, rope = BY_LAYER,
    window = { type = { "integer", "function" } }, chunk = { type = { "integer", "function" } },
    whole_cache = FLAG,
    sinks = OPTIONAL_STRING,
    temperature = OPTIONAL_TABLE, mask_always = FLAG, broadcast = FLAG, fp32_scores = FLAG,
    native_softmax = FLAG, latent = OPTIONAL_TABLE, constants = OPTIONAL_TABLE },
  head = { weight = STRING, bias = { type = "boolean", default = false }, scale = OPTIONAL_NUMBER,
    divide = OPTIONAL_NUMBER, hidden_divide = OPTIONAL_NUMBER, softcap = OPTIONAL_NUMBER },
  linear = { class = { type = "string", default = "Linear" }, transposed = FLAG,
    separate_bias = FLAG },
  constants = { name = STRING, class = STRING, buffers = TABLE },
}

-- Of attention.temperature, of queries, on the layers for which `layers` says so, or on all.
local TEMPERATURE = { beta = NORM.eps, original = NORM.eps,
  first = { type = "integer", default = 0 }, precise = FLAG, layers = { type = "function" } }

-- Of embed.sinusoids: positions that are computed and not learned; `module` holds them in memory.
local SINUSOIDS = { module = STRING, class = STRING, rows = COUNT,
  offset = { type = "integer", default = 0 }, dtype = STRING }

-- Of attention.norm: of queries and keys, by head, over the whole projection, or one norm a head;
-- `layers` says which layers have it, if not all.
local HEAD_NORM = { q = STRING, k = STRING, kind = NORM.kind, eps = NORM.eps, class = NORM.class,
  bias = NORM.bias, over = { type = "string", required = true,
    allowed = { "head", "projection", "each_head", "head_rows" } }, after_rope = FLAG,
  layers = { type = "function" } }

-- Of attention.latent: keys and values through a bottleneck of `rank`, positions in `rope` of the
-- dimensions of a head.
local LATENT = { q = OPTIONAL_STRING, q_down = OPTIONAL_STRING, q_norm = OPTIONAL_STRING,
  q_up = OPTIONAL_STRING, q_rank = OPTIONAL_COUNT, kv_down = STRING, kv_norm = STRING,
  kv_up = STRING, rank = COUNT, plain = COUNT, rope = COUNT, value = COUNT, eps = NORM.eps }

local INNER_PARTS = {
  attention = { norm = HEAD_NORM, latent = LATENT, constants = PARTS.constants,
    temperature = TEMPERATURE },
  embed = { sinusoids = SINUSOIDS },
}

-- norm: of what the last weight multiplies;
-- as_down: that is cast to the weight's dtype, which may be fp32 among others;
-- learned: the module with the parameters of an activation that has some (xielu).
local MLPS = {
  plain = { kind = STRING, up = STRING, down = STRING, width = COUNT, activation = ACTIVATION,
    bias = BIAS, as_down = FLAG, learned = OPTIONAL_STRING },
  gated = { kind = STRING, gate = STRING, up = STRING, down = STRING, width = COUNT,
    activation = ACTIVATION, bias = BIAS, as_down = FLAG, norm = OPTIONAL_STRING },
  gated_fused = { kind = STRING, gate_up = STRING, down = STRING, width = COUNT,
    activation = ACTIVATION, bias = BIAS },
  experts = { kind = STRING, router = TABLE, experts = TABLE, activation = ACTIVATION,
    shared = OPTIONAL_TABLE, shared_gate = OPTIONAL_STRING },
}

-- score: how logits become weights; see the op "route".
local EXPERT_PARTS = {
  router = { weight = STRING, class = STRING, bias = { type = "boolean", default = false },
    correction = OPTIONAL_STRING, correction_shape = OPTIONAL_TABLE,
    score = { type = "string", required = true, allowed = { "softmax_then_top",
      "top_then_softmax", "top_then_sigmoid", "sigmoid", "sparse_mixer" } },
    jitter = OPTIONAL_NUMBER, chosen = COUNT, normalize = FLAG, least_sum = OPTIONAL_NUMBER,
    scale = { type = "number", default = 1 }, fp32 = FLAG, cast = FLAG, native_softmax = FLAG,
    groups = { type = "integer", default = 1 },
    chosen_groups = { type = "integer", default = 1 } },
  experts = { gate_up = STRING, down = STRING, class = STRING, count = COUNT, width = COUNT,
    transposed = FLAG, share_first = FLAG, bias = { type = "boolean", default = false },
    limit = OPTIONAL_NUMBER, parts = OPTIONAL_TABLE },
}

-- The name comes from the config, not from the architecture.
local function check_activation(name)
  if ACTIVATIONS[name] then return end
  local known = {}
  for activation in pairs(ACTIVATIONS) do known[#known + 1] = activation end
  table.sort(known)
  local close = type(name) == "string" and nearest(name, known)
  error(outcome.error("unsupported", ("config.json asks for the activation %s, which nothing here "
    .. "can run"):format(schema.show(name)), close and ("did you mean '%s'?"):format(close) or nil),
    0)
end

--- An MLP's table with defaults filled in.
function M.mlp(given, what)
  local declaration = MLPS[given.kind]
  if not declaration then
    schema.check({ kind = { type = "string", required = true,
      allowed = { "plain", "gated", "gated_fused", "experts" } } }, { kind = given.kind }, what)
  end
  local options = schema.check(declaration, given, what)
  check_activation(options.activation)
  if given.kind ~= "experts" then return options end
  for part, inner in pairs(EXPERT_PARTS) do
    options[part] = schema.check(inner, options[part], what .. ": " .. part)
  end
  if options.shared then options.shared = M.mlp(options.shared, what .. ": shared") end
  return options
end

-- One a layer: a function of the index is asked once.
local function by_layer(given, layers, check)
  local all = {}
  local same = type(given) ~= "function" and (given ~= nil and check(given) or false)
  for index = 0, layers - 1 do
    local one = same
    if type(given) == "function" then
      local value = given(index)
      one = value ~= nil and check(value) or false
    end
    all[index] = one
  end
  return all
end

local function itself(value) return value end

local function check_inner(options, declarations, what)
  for part, declaration in pairs(declarations) do
    if options[part] then
      options[part] = schema.check(declaration, options[part], what .. "." .. part)
    end
  end
end

--- The table with defaults filled in; `mlp`, `attention.rope` and `attention.window` by layer.
---@param name string of the architecture
---@param given table what its decoder function returned
---@param most_layers integer
---@return table
function M.check(name, given, most_layers)
  local what = ("the decoder of architecture '%s'"):format(name)
  local options = schema.check(DECODER, given, what)
  for part, declaration in pairs(PARTS) do
    if options[part] then
      options[part] = schema.check(declaration, options[part], what .. ": " .. part)
    end
  end
  for part, declarations in pairs(INNER_PARTS) do
    check_inner(options[part], declarations, what .. ": " .. part)
  end
  local attention, layers = options.attention, math.min(options.layers, most_layers)
  if attention.out_bias == nil then attention.out_bias = attention.bias end
  attention.rope = by_layer(attention.rope, layers, itself)
  attention.window = by_layer(attention.window, layers, itself)
  attention.chunk = by_layer(attention.chunk, layers, itself)
  options.mlp = by_layer(options.mlp, layers, function(mlp)
    return M.mlp(mlp, what .. ": mlp")
  end)
  return options
end

return M
