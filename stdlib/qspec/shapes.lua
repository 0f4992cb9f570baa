-- Shapes: lists of sizes, outermost first.

local M = {}

--- Number of elements; 1 for a scalar.
function M.count(shape)
  local count = 1
  for _, size in ipairs(shape) do count = count * size end
  return count
end

function M.equal(a, b)
  if #a ~= #b then return false end
  for i = 1, #a do
    if a[i] ~= b[i] then return false end
  end
  return true
end

--- "64 x 128", or "scalar".
function M.text(shape)
  if #shape == 0 then return "scalar" end
  return table.concat(shape, " x ")
end

return M
