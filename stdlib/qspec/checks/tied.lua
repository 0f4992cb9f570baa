-- Tied weights: what the config ties is one tensor, stored once or equal twice.

local weights = require "qspec.weights"

local function tied_rows(census)
  local list = {}
  for _, row in ipairs(census.modules) do
    local target = row.tied_to and census.by_name[row.tied_to]
    if target and row.own_tensors and target.own_tensors then list[#list + 1] = { row, target } end
  end
  return list
end

local function differ(ctx, row, target, found)
  ctx:finding { module = row.name, key = "weight", found = found,
    wanted = "the weight of " .. target.name .. ", as tie_word_embeddings says",
    hint = "transformers does not tie two weights that differ: both are kept in memory" }
end

-- One packed and the other not: the file keeps two weights of two kinds where the config has one.
local function check_kinds(ctx)
  for _, pair in ipairs(tied_rows(ctx.subject.census)) do
    local row, target = pair[1], pair[2]
    if row.format ~= target.format then
      differ(ctx, row, target, ("%s beside %s %s"):format(tostring(row.logical_dtype), target.name,
        tostring(target.logical_dtype)))
    end
  end
end

local function check_values(ctx)
  for _, pair in ipairs(tied_rows(ctx.subject.census)) do
    local row, target = pair[1], pair[2]
    if row.format == target.format and not weights.same(row, target, ctx.subject.checkpoint) then
      differ(ctx, row, target, "other values than those of " .. target.name)
    end
  end
end

return {
  name = "tied",
  summary = "weights that the config ties are one tensor, or equal ones",
  needs = "header",
  params = {},
  details = [[
With tie_word_embeddings the output head and the embeddings share one weight, and most files store
it once. Where both are stored and differ, transformers keeps them apart in spite of the flag: the
model that runs is not the one that the config describes. Headers show a head that was quantized
beside dense embeddings; at the weights tier their values are compared.]],
  example = [[tied {}]],
  run = { header = check_kinds, weights = check_values },
}
