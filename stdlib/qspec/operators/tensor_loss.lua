-- M20: tensors are lost, or the index and the shards disagree.

local function drop_all(mutant, row)
  for _, suffix in ipairs(row.holding.list) do mutant:drop(row.holding.tensors[suffix].name) end
end

local function rows_where(mutant, wanted)
  local rows = {}
  for _, row in ipairs(mutant.genuine.census.modules) do
    if row.own_tensors and wanted(row) then rows[#rows + 1] = row end
  end
  return rows
end

local function drop_one(mutant, wanted)
  local rows = rows_where(mutant, wanted)
  if #rows == 0 then return false end
  drop_all(mutant, mutant.random:pick(rows))
end

local EDITS = {}

EDITS["packed module"] = function(mutant)
  return drop_one(mutant, function(row) return row.layout ~= nil end)
end

EDITS["norm"] = function(mutant)
  return drop_one(mutant, function(row) return row.kind == "norm" end)
end

EDITS["embedding"] = function(mutant)
  return drop_one(mutant, function(row) return row.kind == "embedding" end)
end

EDITS["bias"] = function(mutant)
  local rows = rows_where(mutant, function(row) return row.holding.tensors.bias ~= nil end)
  if #rows == 0 then return false end
  mutant:drop(mutant.random:pick(rows).holding.tensors.bias.name)
end

EDITS["last layer"] = function(mutant)
  local last
  for _, row in ipairs(mutant.genuine.census.modules) do
    last = row.name:match("^(.-%.%d+)%.") or last
  end
  if not last then return false end
  for _, row in ipairs(rows_where(mutant, function(row)
    return row.name:sub(1, #last + 1) == last .. "."
  end)) do drop_all(mutant, row) end
end

EDITS["ghost in the index"] = function(mutant)
  mutant:edit_index(function(index)
    local row = mutant.random:pick(mutant:packed())
    index.weight_map[row.name .. ".ghost"] = next(index.weight_map) and index.weight_map[
      row.holding.tensors[row.holding.list[1]].name]
  end)
end

-- The index still promises what is gone.
EDITS["packed module, still in the index"] = function(mutant)
  mutant:edit_index(function() end)
  drop_all(mutant, mutant.random:pick(mutant:packed()))
end

EDITS["not in the index"] = function(mutant)
  mutant:edit_index(function(index)
    index.weight_map[mutant.random:pick(mutant.stored:tensors()).name] = nil
  end)
end

EDITS["in another shard than the index says"] = function(mutant)
  mutant:edit_index(function(index)
    local name = mutant.random:pick(mutant.stored:tensors()).name
    for _, file in pairs(index.weight_map) do
      if file ~= index.weight_map[name] then
        index.weight_map[name] = file
        return
      end
    end
  end)
end

EDITS["second shard set"] = function(mutant)
  mutant.folder:put("model-00001-of-00004.safetensors", "")
end

EDITS["companion moved to another shard"] = function(mutant)
  local row = mutant.random:pick(mutant:packed())
  local name = row.holding.tensors[row.holding.list[#row.holding.list]].name
  mutant:edit_index(function(index)
    for _, file in pairs(index.weight_map) do
      if file ~= index.weight_map[name] then
        index.weight_map[name] = file
        mutant:place(name, file)
        return
      end
    end
  end)
end

EDITS["wrong total_size"] = function(mutant)
  mutant:edit_index(function(index)
    index.metadata.total_size = index.metadata.total_size + 4096
  end)
end

local ORDER = { "packed module", "norm", "embedding", "bias", "last layer", "ghost in the index",
  "packed module, still in the index", "not in the index", "in another shard than the index says",
  "second shard set", "companion moved to another shard", "wrong total_size" }

local WITHOUT_INDEX = 5  -- so many of them need none, as GGUF files have none

return {
  id = "M20",
  name = "tensor_loss",
  summary = "tensors are gone, or index and shards disagree",
  details = [[
A module, a norm, the embeddings, a bias or a whole layer is gone, from the index too; the index has
a name that no shard holds, lacks one, names another shard or another sum; shards of a second set
lie beside. A model of one file is split in two first where an index is needed. A companion in
another shard than its weight, which the index knows, is the same model.]],
  applies = function(subject)
    for _, row in ipairs(subject.census.modules) do
      if row.layout then return true end
    end
    return nil, "no packed weight"
  end,
  doses = { "once" },
  variants = function(subject)
    local variants = {}
    for i, name in ipairs(ORDER) do
      if i <= WITHOUT_INDEX or not subject.gguf then variants[i] = { name = name } end
    end
    return variants
  end,
  mutate = function(mutant, _, variant) return EDITS[variant.name](mutant) end,
  equivalent = function(_, variant)
    return variant.name:find("moved") and "the index says where the companion lies" or nil
  end,
}
