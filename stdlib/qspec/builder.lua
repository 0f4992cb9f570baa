-- From an architecture and a config to the list of modules and the program. An architecture
-- describes itself in a table, by one of the fields below; each has its builder.

local config_values = require "qspec.config_values"
local holdings = require "qspec.holdings"
local outcome = require "qspec.outcome"

local M = {}

-- A config with a billion layers is an attack on memory; the deepest models have a few hundred.
local MOST_LAYERS = 4096

-- By the field of an architecture that describes the model; registry.lua wants one of them.
local BUILDERS = { decoder = require "qspec.decoder",
  encoder_decoder = require "qspec.encoder_decoder", outline = require "qspec.outline" }

---@class qspec.Builder
---@field check fun(name: string, given: table, most_layers: integer): table the description,
---  checked; `layers` says how many layers it has, `unsupported` what cannot be run
---@field list fun(description: table, tied: table, has: function|nil): qspec.ModelModule[]
---@field program fun(description: table, modules: qspec.ModelModule[]): table

---@return qspec.Builder
local function builder_of(architecture)
  for field, builder in pairs(BUILDERS) do
    if architecture[field] then return builder, architecture[field] end
  end
  error(("architecture '%s' describes no model"):format(architecture.name), 2)
end

local function described(architecture, config)
  config_values.check(architecture.config.types, config)
  local builder, describe = builder_of(architecture)
  local description = builder.check(architecture.name, describe(config), MOST_LAYERS)
  if description.layers > MOST_LAYERS then
    error(outcome.error("checkpoint", ("config.json asks for %.0f layers, more than %d"):format(
      description.layers, MOST_LAYERS)), 0)
  end
  return builder, description
end

-- The module whose weight a file stores of those that are tied to `target`: itself, or the first of
-- the others that is there, as transformers has it.
local function stored_one(pairs_of, target, has)
  if not has or has(target .. ".weight") then return target end
  for _, pair in ipairs(pairs_of) do
    if pair[2] == target and has(pair[1] .. ".weight") then return pair[1] end
  end
  return target
end

-- Whether a file has two weights for a pair: transformers ties them only where they are equal.
local function is_torn(pair, has)
  local one, other = has(pair[1] .. ".weight"), has(pair[2] .. ".weight")
  return one and other and not holdings.is_same_place(one, other)
end

local function tied_names(architecture, config, has)
  local tied = {}
  if config.tie_word_embeddings == false and not architecture.always_tied then return tied end
  for _, pair in ipairs(architecture.tied) do
    local stored = stored_one(architecture.tied, pair[2], has)
    local is_apart = architecture.always_tied and has and is_torn(pair, has)
    if pair[1] ~= stored and not is_apart then tied[pair[1]] = stored end
    if pair[2] ~= stored then tied[pair[2]] = stored end
  end
  return tied
end

---@class qspec.ModelModule
---@field name string "transformer.h.0.mlp.dense_h_to_4h"
---@field class string transformers' name for it: "Linear", "Embedding", "LayerNorm"
---@field kind "linear"|"embedding"|"norm"|"router"|"experts"|"convolution"|"parameter"|"buffers"
---@field in_features integer|nil of a linear
---@field out_features integer|nil of a linear
---@field shape integer[] of the weight as it is stored; empty of a module of buffers
---@field transposed boolean|nil the weight is stored [in, out]
---@field buffers {name: string, dtype: string, shape: integer[]}[]|nil not stored, made on load
---@field bias boolean
---@field parameters {name: string, shape: integer[]}[]
---@field tied_to string|nil the module whose weight it shares

--- The modules that hold parameters, in the order in which transformers registers them.
---@param architecture table
---@param config table values by their current names
---@param has (fun(name: string): table|nil)|nil the entry of a tensor that the checkpoint stores
---@return qspec.ModelModule[]
function M.modules(architecture, config, has)
  local builder, description = described(architecture, config)
  return builder.list(description, tied_names(architecture, config, has), has)
end

--- The program that the engine runs, as plain data for host.model.build.
---@param architecture table
---@param config table
---@param has (fun(name: string): table|nil)|nil
---@return table
function M.program(architecture, config, has)
  local builder, description = described(architecture, config)
  if description.unsupported then
    error(outcome.error("unsupported", "the config asks for " .. description.unsupported
      .. ", which nothing here can run"), 0)
  end
  local list = builder.list(description, tied_names(architecture, config, has), has)
  return builder.program(description, list)
end

return M
