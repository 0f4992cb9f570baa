-- The modules of a decoder that hold parameters, in the order in which transformers registers them.

local M = {}

local NORM_CLASS = { layer_norm = "LayerNorm" }

local Listing = {}
Listing.__index = Listing

function Listing:has_bias(name, bias)
  if bias ~= "stored" then return bias or false end
  return self.has ~= nil and self.has(name .. ".bias")
end

--- Adds a module whose weight has `shape`; the bias, when it has one, has `bias_size` numbers.
function Listing:add(module, bias, bias_size)
  module.parameters = { { name = "weight", shape = module.shape } }
  if bias then
    module.parameters[2] = { name = "bias", shape = { bias_size or module.shape[1] } }
  end
  module.bias, module.tied_to = bias, self.tied[module.name]
  self.modules[#self.modules + 1] = module
end

local function linear_module(name, in_features, out_features, special)
  local shape = special.transposed and { in_features, out_features }
    or { out_features, in_features }
  return { name = name, class = special.class, kind = "linear", in_features = in_features,
    out_features = out_features, shape = shape, transposed = special.transposed or nil }
end

local PLAIN = { class = "Linear" }

--- A linear of a layer; those of an architecture may be of a class of their own.
function Listing:linear(name, in_features, out_features, bias)
  local module = linear_module(name, in_features, out_features, self.options.linear)
  self:add(module, self:has_bias(name, bias), out_features)
end

--- A linear that is nn.Linear in every architecture.
function Listing:plain_linear(name, in_features, out_features, bias)
  self:add(linear_module(name, in_features, out_features, PLAIN), self:has_bias(name, bias))
end

function Listing:embedding(name, rows, width, class, buffers)
  self:add({ name = name, class = class or "Embedding", kind = "embedding",
    shape = { rows, width }, buffers = buffers }, false)
end

--- A norm; `norm` has its kind, and its class where that is not the kind's own.
function Listing:norm(name, norm, shape)
  if norm.kind == "layer_norm_bare" then return end
  local bias = norm.bias
  if bias == nil then bias = norm.kind == "layer_norm" or norm.kind == "layer_norm_plus_one" end
  self:add({ name = name, class = norm.class or NORM_CLASS[norm.kind], kind = "norm",
    shape = shape }, self:has_bias(name, bias))
end

--- A parameter that is no module's: a module of the census under its own name.
function Listing:parameter(name, shape)
  self:add({ name = name, class = "Parameter", kind = "parameter", shape = shape }, false)
end

function Listing:router(name, class, shape, bias)
  self:add({ name = name, class = class, kind = "router", shape = shape }, bias)
end

function Listing:buffers(name, class, buffers)
  self.modules[#self.modules + 1] = { name = name, class = class, kind = "buffers", shape = {},
    parameters = {}, buffers = buffers, bias = false }
end

local function embeddings(listing, options)
  local embed = options.embed
  local width = embed.width or options.width
  listing:embedding(embed.weight, options.vocabulary, width, embed.class, embed.buffers)
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
---@param has (fun(name: string): boolean)|nil whether the checkpoint stores a tensor
---@return table[] modules
function M.list(options, tied, has)
  local listing = setmetatable({ modules = {}, tied = tied, has = has, options = options },
    Listing)
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
