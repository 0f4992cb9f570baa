-- Scales in a grid over a weight: one for each block of rows and columns, ragged at the edges.

local shapes = require "qspec.shapes"

local M = {}

--- Sizes that a block may have: whole, positive and small enough to compute with.
function M.is_size(value)
  return type(value) == "number" and value >= 1 and value % 1 == 0 and value < 2 ^ 31
end

--- A block {rows, columns} of a config, or nil when it is none.
---@param value any
---@return integer[]|nil
function M.block(value)
  if type(value) ~= "table" or #value ~= 2 then return nil end
  if not M.is_size(value[1]) or not M.is_size(value[2]) then return nil end
  return { value[1], value[2] }
end

--- The shape of the grid over a weight [out, in] or [experts, out, in].
---@param shape integer[] of the weight
---@param block integer[]
---@return integer[]
function M.shape(shape, block)
  local rank = #shape
  local grid = { math.ceil(shape[rank - 1] / block[1]), math.ceil(shape[rank] / block[2]) }
  if rank == 3 then table.insert(grid, 1, shape[1]) end
  return grid
end

-- Blocks that are in use, the likeliest first.
local USUAL = { { 128, 128 }, { 1, 128 }, { 1, 32 }, { 1, 16 }, { 64, 64 }, { 32, 32 } }

--- The block that a grid without a config means: a usual one, else the one that divides evenly.
---@param shape integer[] of the weight
---@param grid integer[] shape of the scales
---@return integer[] block
function M.infer(shape, grid)
  for _, block in ipairs(USUAL) do
    if shapes.equal(M.shape(shape, block), grid) then return block end
  end
  local rows, columns = grid[#grid - 1], grid[#grid]
  if not rows or not columns or rows < 1 or columns < 1 then return USUAL[1] end
  local out, ins = shape[#shape - 1], shape[#shape]
  return { math.max(1, math.ceil(out / rows)), math.max(1, math.ceil(ins / columns)) }
end

-- Positions, from 1, of the block that each of `count` rows or columns lies in.
local function positions(count, size, matrices, blocks)
  local list = {}
  for matrix = 0, matrices - 1 do
    for i = 0, count - 1 do
      list[#list + 1] = matrix * blocks + math.floor(i / size) + 1
    end
  end
  return list
end

--- How many codes that are not zero lie under a scale of zero.
---@param scales any Tensor, a grid
---@param live any Tensor of bools, of the weight's shape
---@param block integer[]
---@return integer
function M.lost(scales, live, block)
  local shape = live:shape()
  local rank = #shape
  local matrices = rank == 3 and shape[1] or 1
  local blocks = M.shape({ shape[rank - 1], shape[rank] }, block)
  local zero = scales:reshape(matrices * blocks[1], blocks[2]):eq(0)
  local rows = zero:index_select(1, positions(shape[rank - 1], block[1], matrices, blocks[1]))
  local under = rows:index_select(2, positions(shape[rank], block[2], 1, blocks[2]))
  return under:reshape(shape):logical_and(live):count_nonzero()
end

return M
