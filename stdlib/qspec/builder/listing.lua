-- Lists the modules of a model that hold parameters, in the order in which transformers registers
-- them.

local M = {}

local NORM_CLASS = { layer_norm = "LayerNorm" }

---@class qspec.Listing
---@field modules qspec.ModelModule[]
---@field options table
local Listing = {}
Listing.__index = Listing

function Listing:has_bias(name, bias)
  if bias ~= "stored" then return bias or false end
  return self.has and self.has(name .. ".bias") and true or false
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

--- A convolution over time with a filter of its own for each channel.
function Listing:convolution(name, channels, width, bias)
  self:add({ name = name, class = "Conv1d", kind = "convolution", shape = { channels, 1, width } },
    bias, channels)
end

function Listing:embedding(name, rows, width, class, buffers)
  self:add({ name = name, class = class or "Embedding", kind = "embedding",
    shape = { rows, width }, buffers = buffers }, false)
end

--- A norm; `norm` has its kind, and its class where that is not the kind's own.
function Listing:norm(name, norm, shape)
  if norm.kind:find("_bare$") then return end
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

--- A listing with nothing listed.
---@param options table the model's description: what is special of its `linear`s
---@param tied table<string, string> the name that a module shares its weight with, by its own name
---@param has (fun(name: string): table|nil)|nil the entry of a tensor that the checkpoint stores
---@return qspec.Listing
function M.new(options, tied, has)
  return setmetatable({ modules = {}, tied = tied, has = has, options = options }, Listing)
end

return M
