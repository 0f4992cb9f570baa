-- The one builder for decoder-only models. An architecture describes itself in a table
-- (decoder/options.lua says of what); from it come the list of its modules and its program.

local config_values = require "qspec.config_values"
local modules = require "qspec.decoder.modules"
local options = require "qspec.decoder.options"
local outcome = require "qspec.outcome"

local M = {}

-- A config with a billion layers is an attack on memory; the deepest models have a few hundred.
local MOST_LAYERS = 4096

local function described(architecture, config)
  config_values.check(architecture.config.types, config)
  local decoder = options.check(architecture.name, architecture.decoder(config), MOST_LAYERS)
  if decoder.layers > MOST_LAYERS then
    error(outcome.error("checkpoint", ("config.json asks for %.0f layers, more than %d"):format(
      decoder.layers, MOST_LAYERS)), 0)
  end
  return decoder
end

local function tied_names(architecture, config)
  local tied = {}
  if config.tie_word_embeddings == false then return tied end
  for _, pair in ipairs(architecture.tied) do tied[pair[1]] = pair[2] end
  return tied
end

---@class qspec.DecoderModule
---@field name string "transformer.h.0.mlp.dense_h_to_4h"
---@field class string transformers' name for it: "Linear", "Embedding", "LayerNorm"
---@field kind "linear"|"embedding"|"norm"|"router"|"experts"|"parameter"|"buffers"
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
---@param has (fun(name: string): boolean)|nil whether the checkpoint stores a tensor
---@return qspec.DecoderModule[]
function M.modules(architecture, config, has)
  local decoder = described(architecture, config)
  return modules.list(decoder, tied_names(architecture, config), has)
end

--- The program that the engine runs, as plain data for host.model.build.
---@param architecture table
---@param config table
---@param has (fun(name: string): boolean)|nil
---@return table
function M.program(architecture, config, has)
  local decoder = described(architecture, config)
  if decoder.unsupported then
    error(outcome.error("unsupported", "the config asks for " .. decoder.unsupported
      .. ", which nothing here can run"), 0)
  end
  local list = modules.list(decoder, tied_names(architecture, config), has)
  return require("qspec.decoder.program").build(decoder, list)
end

return M
