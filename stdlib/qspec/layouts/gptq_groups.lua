-- Which group each input feature belongs to: GPTQ's g_idx.
--
-- In order (feature / group_size) unless the features were quantized in the order of their
-- activations (desc_act).

local M = {}

--- The groups of features that follow one another.
---@param columns integer
---@param size integer
---@return any Tensor int32 [columns]
function M.in_order(columns, size)
  return require("host.tensor").arange(0, columns - 1, "int32"):div(size):floor():to("int32")
end

--- What is wrong with a g_idx by itself, or nil.
---@param groups any Tensor int32 [columns]
---@param count integer how many groups there are
---@return table|nil problem
function M.out_of_range(groups, count)
  local outside = groups:lt(0):to("int32"):maximum(groups:ge(count):to("int32"))
  local number = outside:count_nonzero()
  if number == 0 then return nil end
  local first = outside:argmax()
  return { key = "g_idx", found = ("%d of %d groups outside, the first at input feature %d"):format(
    number, groups:numel(), first - 1), wanted = ("0 to %d"):format(count - 1),
    hint = "PyTorch would count negative ones from the end, and fail on the others" }
end

--- Whether every group holds as many features as the group size says.
---@return table|nil problem
function M.uneven(groups, count, size)
  local columns = groups:numel()
  for group = 0, count - 1 do
    local found = groups:eq(group):count_nonzero()
    local wanted = math.min(size, columns - group * size)
    if found ~= wanted then
      return { key = "g_idx", found = ("%d input features in group %d"):format(found, group),
        wanted = tostring(wanted), hint = "a g_idx of another weight, or a damaged one" }
    end
  end
end

--- The positions of the features, from 1, group after group.
---@return integer[]
function M.sorted(groups, count)
  local buckets, order = {}, {}
  for i = 1, count do buckets[i] = {} end
  for position, group in ipairs(groups:tolist(groups:numel())) do
    local bucket = buckets[group + 1]
    bucket[#bucket + 1] = position
  end
  for _, bucket in ipairs(buckets) do
    for _, position in ipairs(bucket) do order[#order + 1] = position end
  end
  return order
end

return M
