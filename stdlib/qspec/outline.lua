-- The builder for models whose layers keep a state that is not one of keys and values, and which
-- nothing here can run: of architectures with a field `outline`, which lists the modules and says
-- what is missing. What needs no run works on them: the census, memory, companions, numerics.

local listings = require "qspec.builder.listing"
local outcome = require "qspec.outcome"
local schema = require "qspec.schema"

local M = {}

local DESCRIPTION = {
  layers = { type = "integer", required = true },
  refusal = { type = "string", required = true, help = "which layers are not run" },
  list = { type = "function", required = true, help = "adds the modules to a qspec.Listing" },
  linear = { type = "table", default = { class = "Linear" } },
}

function M.check(name, given)
  local description = schema.check(DESCRIPTION, given, ("the outline of architecture '%s'"):format(
    name))
  description.name = name
  return description
end

function M.list(description, tied, has)
  local listing = listings.new(description, tied, has)
  description.list(listing)
  return listing.modules
end

function M.program(description)
  error(outcome.error("unsupported", ("%s cannot be run: %s are not implemented"):format(
    description.name, description.refusal),
    "census, memory, companions and numerics work without a run"), 0)
end

return M
