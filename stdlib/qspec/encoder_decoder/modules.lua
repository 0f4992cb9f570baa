-- The modules of an encoder-decoder that hold parameters.

local listings = require "qspec.builder.listing"
local mlp = require "qspec.decoder.mlp"

local M = {}

local function attention(listing, description, prefix, has_distance)
  local a, distance = description.attention, description.distance
  local inner = a.heads * a.head_width
  for _, part in ipairs { "q", "k", "v" } do
    listing:linear(prefix .. a[part], description.width, inner, false)
  end
  listing:linear(prefix .. a.out, inner, description.width, false)
  if has_distance then
    listing:embedding(prefix .. distance.weight, distance.buckets, a.heads)
  end
end

local function stack(listing, description, s)
  local widths = { description.width }
  listing:embedding(s.embed, description.vocabulary, description.width)
  for index = 0, s.layers - 1 do
    local prefix = s.prefix:format(index)
    local function norm(name) listing:norm(prefix .. name, description.norm, widths) end
    attention(listing, description, prefix .. s.self,
      index == 0 or description.distance.each_layer)
    norm(s.self_norm)
    if s.cross then
      attention(listing, description, prefix .. s.cross, false)
      norm(s.cross_norm)
    end
    mlp.list_of(listing, prefix .. s.mlp, description.mlp, description.width)
    norm(s.mlp_norm)
  end
  listing:norm(s.final_norm, description.norm, widths)
end

--- Lists the modules.
---@param description table checked by encoder_decoder.options
---@param tied table<string, string>
---@param has (fun(name: string): table|nil)|nil
---@return qspec.ModelModule[]
function M.list(description, tied, has)
  local listing = listings.new(description, tied, has)
  listing:embedding(description.embed, description.vocabulary, description.width)
  stack(listing, description, description.encoder)
  stack(listing, description, description.decoder)
  listing:plain_linear(description.head.weight, description.width, description.vocabulary, false)
  return listing.modules
end

return M
