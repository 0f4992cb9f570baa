-- The modules of a decoder that hold parameters.

local listings = require "qspec.builder.listing"

local M = {}

local function embeddings(listing, options)
  local embed = options.embed
  local width = embed.width or options.width
  listing:embedding(embed.weight, options.vocabulary, width, embed.class, embed.buffers)
  local sinusoids = embed.sinusoids
  if sinusoids then
    listing:buffers(sinusoids.module, sinusoids.class, { { name = "weights",
      dtype = sinusoids.dtype, shape = { sinusoids.rows, options.width } } })
  end
  if embed.positions then
    listing:embedding(embed.positions, embed.position_rows, options.width, embed.position_class)
  end
  if embed.project_in then
    listing:plain_linear(embed.project_out, options.width, width, false)
    listing:plain_linear(embed.project_in, width, options.width, false)
  end
  if embed.norm then listing:norm(embed.norm, options.norm, { options.width }) end
end

local function layer(listing, options, index)
  local prefix, block = options.prefix:format(index), options.block
  for _, part in ipairs(block.order) do
    if part == "attention" then
      require("qspec.decoder.attention").list(listing, options, prefix)
    elseif part == "mlp" then
      require("qspec.decoder.mlp").list(listing, options, prefix, index)
    elseif block[part] then
      listing:norm(prefix .. block[part], options.norm, { options.width })
    end
  end
end

--- Lists the modules.
---@param options table checked by decoder.options
---@param tied table<string, string> the name that a module shares its weight with, by its own name
---@param has (fun(name: string): table|nil)|nil the entry of a tensor that the checkpoint stores
---@return table[] modules
function M.list(options, tied, has)
  local listing = listings.new(options, tied, has)
  embeddings(listing, options)
  for index = 0, options.layers - 1 do layer(listing, options, index) end
  if options.final_norm then
    listing:norm(options.final_norm, options.norm, { options.width })
  end
  local constants, head = options.constants, options.head
  if constants then listing:buffers(constants.name, constants.class, constants.buffers) end
  listing:plain_linear(head.weight, options.embed.width or options.width, options.vocabulary,
    head.bias)
  return listing.modules
end

return M
