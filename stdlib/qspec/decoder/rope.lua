-- Rotary positions as the config describes them: `rope_parameters` of today, or `rope_theta`,
-- `rope_scaling` and `partial_rotary_factor` of older files. What is computed in double precision
-- by transformers is computed here; the engine takes it from there in fp32.

local config_values = require "qspec.config_values"
local json = require "host.json"
local outcome = require "qspec.outcome"

local M = {}

--- What an architecture with rotary positions declares of its config.
M.types = { rope_parameters = "table", rope_scaling = "table", rope_theta = "number",
  partial_rotary_factor = "number", max_position_embeddings = "count",
  original_max_position_embeddings = "count" }

local function given_values(raw)
  local values = {}
  for key, value in pairs(raw or {}) do
    if value ~= json.null then values[key] = value end
  end
  return values
end

local function number(values, key, default)
  local value = values[key]
  if value == nil then value = default end
  if value == nil or type(value) == "number" and value == value and math.abs(value) < math.huge then
    return value
  end
  config_values.refuse("rope_parameters." .. key, value, "a number")
end

local function needed(values, key, default)
  local value = number(values, key, default)
  if value and value > 0 then return value end
  config_values.refuse("rope_parameters." .. key, value or "nothing", "a positive number")
end

-- The config's values of a kind that stretches an original context.
local function original_context(values, config)
  return config.original_max_position_embeddings
    or needed(values, "original_max_position_embeddings", config.max_position_embeddings)
end

local function stretch(values, config)
  return needed(values, "factor", config.max_position_embeddings / original_context(values, config))
end

local SCALINGS = {}

function SCALINGS.default() return {} end

function SCALINGS.linear(values) return { factor = needed(values, "factor") } end

function SCALINGS.dynamic(values, config)
  return { factor = needed(values, "factor"), context = config.max_position_embeddings }
end

function SCALINGS.llama3(values, config)
  return { factor = needed(values, "factor"), low = needed(values, "low_freq_factor"),
    high = needed(values, "high_freq_factor"), original = original_context(values, config) }
end

local function magnitude(factor, share)
  return factor <= 1 and 1 or 0.1 * share * math.log(factor) + 1
end

local function yarn_amplitude(values, factor)
  local given = number(values, "attention_factor")
  if given then return given end
  local over, under = number(values, "mscale", 0), number(values, "mscale_all_dim", 0)
  if over ~= 0 and under ~= 0 then return magnitude(factor, over) / magnitude(factor, under) end
  return magnitude(factor, 1)
end

function SCALINGS.yarn(values, config, width, theta)
  local factor, original = stretch(values, config), original_context(values, config)
  local function index_of(rotations)
    return width * math.log(original / (rotations * 2 * math.pi)) / (2 * math.log(theta))
  end
  local low = index_of(needed(values, "beta_fast", 32))
  local high = index_of(needed(values, "beta_slow", 1))
  if values.truncate ~= false then low, high = math.floor(low), math.ceil(high) end
  low, high = math.max(low, 0), math.min(high, width - 1)
  if low == high then high = high + 0.001 end
  return { factor = factor, low = low, high = high, amplitude = yarn_amplitude(values, factor) }
end

function SCALINGS.longrope(values, config)
  local factor, original = stretch(values, config), original_context(values, config)
  local amplitude = number(values, "attention_factor")
    or factor <= 1 and 1 or math.sqrt(1 + math.log(factor) / math.log(original))
  return { original = original, amplitude = amplitude, short = values.short_factor,
    long = values.long_factor }
end

local function unsupported(kind)
  error(outcome.error("unsupported", ("config.json has rotary positions of kind '%s', which "
    .. "nothing here can compute"):format(tostring(kind))), 0)
end

local function rotated_width(head_width, share)
  local width = math.floor(head_width * share)
  if share > 0 and share <= 1 and width >= 2 and width % 2 == 0 then return width end
  config_values.refuse("partial_rotary_factor", share,
    ("a share of 1 that leaves an even number of the %d of a head"):format(head_width))
end

-- A scaling that one family reads in its own way.
local function refuse_alpha(values)
  if values.alpha then unsupported("dynamic with alpha") end
end

--- The attributes of the op "rope_table" for a config.
---@param config table
---@param o {head_width: integer, theta?: number, share?: number, parameters?: table,
---  style?: string, precise?: boolean, precise_table?: boolean}
---@return table
function M.read(config, o)
  local values = given_values(o.parameters or config.rope_parameters or config.rope_scaling)
  refuse_alpha(values)
  local kind = values.rope_type or values.type or "default"
  local scaling = SCALINGS[kind] or unsupported(kind)
  local share = number(values, "partial_rotary_factor",
    config.partial_rotary_factor or o.share or 1)
  local width = rotated_width(o.head_width, share)
  local theta = needed(values, "rope_theta", config.rope_theta or o.theta or 10000)
  local rope = scaling(values, config, width, theta)
  rope.scaling, rope.width, rope.theta = kind, width, theta
  rope.amplitude = rope.amplitude or 1
  rope.style, rope.precise, rope.precise_table = o.style or "halves", o.precise, o.precise_table
  return rope
end

--- One for each type of layers: today's configs have `rope_parameters` by type, older ones a theta
--- of each and a scaling that is for full attention.
---@param config table
---@param o table as of `read`
---@param thetas table<string, number> by type, where the config says nothing
---@return table<string, table>
function M.by_type(config, o, thetas)
  local given, ropes = config.rope_parameters or {}, {}
  local is_nested = given.full_attention ~= nil or given.sliding_attention ~= nil
  for type_of, theta in pairs(thetas) do
    local parameters = is_nested and given[type_of]
      or { rope_theta = theta, rope_type = "default" }
    if not is_nested and type_of == "full_attention" then
      parameters = given_values(config.rope_parameters or config.rope_scaling)
      parameters.rope_theta = parameters.rope_theta or theta
    end
    local each = { parameters = parameters }
    for key, value in pairs(o) do each[key] = value end
    ropes[type_of] = M.read(config, each)
  end
  return ropes
end

--- The buffers of the module of frequencies by type of layers.
---@param ropes table<string, table>
---@param used fun(type_of: string): boolean whether a layer has this type
function M.buffers_by_type(ropes, used)
  local all = {}
  for _, type_of in ipairs { "sliding_attention", "full_attention" } do
    if used(type_of) then
      for _, buffer in ipairs(M.buffers(ropes[type_of], type_of .. "_")) do
        all[#all + 1] = buffer
      end
    end
  end
  return all
end

--- The buffers of the module that holds the frequencies.
---@param rope table
function M.buffers(rope, suffix)
  local shape = { rope.width / 2 }
  return { { name = (suffix or "") .. "inv_freq", dtype = "float32", shape = shape },
    { name = (suffix or "") .. "original_inv_freq", dtype = "float32", shape = shape } }
end

return M
