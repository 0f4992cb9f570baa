-- Scales and zero points beside a weight of compressed-tensors: their shapes by strategy, and those
-- of the activations.
--
-- Source: compressed-tensors 0.20, quantization/lifecycle/initialize.py (initialize_qparams), and
-- transformers 5.17, which casts floating scales to the dtype of the model.

local block_grid = require "qspec.layouts.block_grid"
local shapes = require "qspec.shapes"

local M = {}

M.FLOATS = { "BF16", "F16", "F32" }

--- The grid of scales over a weight [out, in], or over the last dimension of something else.
---@param shape integer[]
---@param args table {strategy, group_size?, block?}
---@return integer[]
function M.grid(shape, args)
  local strategy, last = args.strategy, shape[#shape]
  if strategy == "channel" then return { shape[1], 1 } end
  if strategy == "block" then return block_grid.shape(shape, args.block) end
  if strategy == "group" or strategy == "tensor_group" then
    local grid = { unpack(shape, 1, #shape - 1) }
    grid[#shape] = math.ceil(last / args.group_size)
    return grid
  end
  return { 1 }
end

--- Rows and columns that share a scale.
---@param shape integer[] [out, in]
function M.block(shape, args)
  local strategy = args.strategy
  if strategy == "channel" then return { 1, shape[2] } end
  if strategy == "block" then return args.block end
  if strategy == "group" or strategy == "tensor_group" then return { 1, args.group_size } end
  return { shape[1], shape[2] }
end

--- Scales or zeros as the matrix that host.tensor takes, one entry a block.
function M.matrix(scales, shape, args)
  local block = M.block(shape, args)
  return scales:reshape(math.ceil(shape[1] / block[1]), math.ceil(shape[2] / block[2]))
end

local function is_single(entry)
  return entry ~= nil and shapes.count(entry.shape) == 1
end

--- One number may be stored as [1] or as a scalar.
---@param entry table|nil of the checkpoint
---@param wanted integer[]
function M.shape_of(entry, wanted)
  return shapes.count(wanted) == 1 and #wanted == 1 and is_single(entry) and entry.shape or wanted
end

-- The dtype of the zero points of activations: that of their codes.
local function zero_dtype(args)
  return args.type == "float" and "F8_E4M3" or "I8"
end

local function of_activations(list, name, args, observed, dtype)
  if not args or args.dynamic == true then return end
  if args.strategy == "tensor_group" then
    list[#list + 1] = { suffix = name .. "_global_scale", dtype = "F32", shape = { 1 } }
  end
  if args.dynamic == "local" then return end
  local grid = M.grid({ observed }, args)
  list[#list + 1] = { suffix = name .. "_scale", dtype = M.FLOATS, shape = grid, loaded = dtype }
  if not args.symmetric then
    list[#list + 1] = { suffix = name .. "_zero_point", dtype = zero_dtype(args), shape = grid }
  end
end

local SUFFIXES = { "input_scale", "input_zero_point", "input_global_scale", "output_scale",
  "output_zero_point", "output_global_scale" }

-- Without a config, what is there is taken as it is.
local function as_stored(list, stored)
  for _, suffix in ipairs(SUFFIXES) do
    local entry = stored[suffix]
    if entry then
      list[#list + 1] = { suffix = suffix, dtype = entry.dtype, shape = entry.shape }
    end
  end
end

--- Adds what the activations need.
---@param list table[] tensors of a layout
---@param scheme table {inputs?, outputs?, asked: boolean, stored: table}
---@param shape integer[] of the weight
---@param dtype string|nil of the model
function M.add_activations(list, scheme, shape, dtype)
  if scheme.asked == false then return as_stored(list, scheme.stored) end
  of_activations(list, "input", scheme.inputs, shape[2], dtype)
  of_activations(list, "output", scheme.outputs, shape[1], dtype)
end

--- An expert is decoded when it is loaded: the model holds it dense, in one tensor with the others.
---@param list table[] tensors of a layout
---@param module table
---@param dtype string|nil of the model
---@return table[] list the same
function M.as_loaded(list, module, dtype)
  if not module.expert then return list end
  for _, tensor in ipairs(list) do tensor.role = "attribute" end
  list[#list + 1] = { suffix = "weight", dtype = "BF16", shape = module.shape, loaded = dtype,
    made = true }
  return list
end

--- The class of the module that an expert becomes part of, nil for any other module.
function M.class_of(module)
  return module.expert and module.expert.of.class or nil
end

--- The strategy that a grid of scales shows where no config tells.
---@return table {strategy, group_size?, block?}
function M.inferred(shape, scale)
  local grid = scale and scale.shape or { shape[1], 1 }
  if shapes.count(grid) == 1 then return { strategy = "tensor" } end
  if #grid ~= 2 or grid[1] ~= shape[1] then
    return { strategy = "block", block = block_grid.infer(shape, grid) }
  end
  if grid[2] == 1 then return { strategy = "channel" } end
  local group = shape[2] / grid[2]
  if group % 1 ~= 0 or group < 1 then group = math.max(1, math.ceil(shape[2] / grid[2])) end
  return { strategy = "group", group_size = group }
end

-- Scales of groups tell how wide a group is.
local function stored_group(asked, shape, scale)
  local is_grid = scale and #scale.shape == 2 and scale.shape[1] == shape[1]
  local columns = is_grid and scale.shape[2]
  if not columns or columns < 1 or math.ceil(shape[2] / asked.group_size) == columns then
    return asked.group_size
  end
  local group = shape[2] / columns
  return group % 1 == 0 and group or asked.group_size
end

--- How scales lie over a weight, by the request where there is one; the width of groups is that
--- which the scales have.
---@param w qspec.StoredWeight
---@return table {strategy, group_size?, block?}
function M.strategy(w)
  local asked = w.request and w.request.scheme
  local scale = w.tensors.weight_scale
  if not asked or not asked.strategy then return M.inferred(w.shape, scale) end
  return { strategy = asked.strategy, block = asked.block,
    group_size = asked.group_size and stored_group(asked, w.shape, scale) }
end

--- Rows that groups do not divide, which the library refuses.
function M.add_ragged(problems, scheme, columns)
  local group = scheme.group_size
  if not group or columns % group == 0 then return end
  problems[#problems + 1] = { key = "weight_scale", found = ("rows of %d values"):format(columns),
    wanted = ("a multiple of %d"):format(group),
    hint = "compressed-tensors does not decode groups that do not divide the rows" }
end

--- A weight that is stored in another layout than that of its group's format.
function M.add_other_layout(problems, w, layout)
  local asked = w.request and w.request.layout
  if not asked or asked == layout then return end
  problems[#problems + 1] = { key = "format", found = "stored as " .. layout.name,
    wanted = asked.name, hint = "compressed-tensors reads by the config and finds no such tensors" }
end

--- A weight of which other parts are there, under a request for its layout.
function M.is_damaged(holding, request, layout)
  if not request or request.layout ~= layout then return false end
  local t = holding.tensors
  return t.weight_scale ~= nil or t.weight_packed ~= nil or t.weight_zero_point ~= nil
end

return M
