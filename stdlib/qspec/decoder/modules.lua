-- The modules of a decoder that hold parameters, in the order in which transformers registers them.

local M = {}

local NORM_CLASS = { layer_norm = "LayerNorm" }

local Listing = {}
Listing.__index = Listing

function Listing:has_bias(name, bias)
  if bias ~= "stored" then return bias end
  return self.has ~= nil and self.has(name .. ".bias")
end

function Listing:add(module, bias)
  module.parameters = { { name = "weight", shape = module.shape } }
  if bias then module.parameters[2] = { name = "bias", shape = { module.shape[1] } } end
  module.bias, module.tied_to = bias, self.tied[module.name]
  self.modules[#self.modules + 1] = module
end

function Listing:linear(name, in_features, out_features, bias)
  self:add({ name = name, class = "Linear", kind = "linear", in_features = in_features,
    out_features = out_features, shape = { out_features, in_features } }, self:has_bias(name, bias))
end

function Listing:embedding(name, rows, width)
  self:add({ name = name, class = "Embedding", kind = "embedding", shape = { rows, width } }, false)
end

function Listing:norm(name, options)
  self:add({ name = name, class = NORM_CLASS[options.norm.kind], kind = "norm",
    shape = { options.width } }, true)
end

local function attention(listing, prefix, options)
  local a = options.attention
  local queries, rows = a.heads * a.head_width, (a.heads + 2 * a.kv_heads) * a.head_width
  listing:linear(prefix .. a.fused, options.width, rows, a.bias)
  listing:linear(prefix .. a.out, queries, options.width, a.bias)
end

local function mlp(listing, prefix, options)
  local m = options.mlp
  listing:linear(prefix .. m.up, options.width, m.width, m.bias)
  listing:linear(prefix .. m.down, m.width, options.width, m.bias)
end

local function layer(listing, prefix, options)
  listing:norm(prefix .. options.block.norm1, options)
  attention(listing, prefix, options)
  listing:norm(prefix .. options.block.norm2, options)
  mlp(listing, prefix, options)
end

--- Lists the modules.
---@param options table checked by decoder.options
---@param tied table<string, string> the name that a module shares its weight with, by its own name
---@param has (fun(name: string): boolean)|nil whether the checkpoint stores a tensor
---@return table[] modules
function M.list(options, tied, has)
  local listing = setmetatable({ modules = {}, tied = tied, has = has }, Listing)
  local embed = options.embed
  listing:embedding(embed.weight, options.vocabulary, options.width)
  if embed.norm then listing:norm(embed.norm, options) end
  for i = 0, options.layers - 1 do layer(listing, options.prefix:format(i), options) end
  listing:norm(options.final_norm, options)
  listing:linear(options.head.weight, options.width, options.vocabulary, false)
  return listing.modules
end

return M
