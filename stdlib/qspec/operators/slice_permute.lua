-- M16: slices of equal size have changed places.

local codes = require "qspec.mutation.codes"
local ggml = require "qspec.mutation.ggml"
local parts = require "qspec.mutation.parts"

-- Rows in the order in which the first two of `count` slices are exchanged.
local function exchanged(rows, count)
  local size, order = rows / count, {}
  for i = 1, rows do
    local slice = math.floor((i - 1) / size)
    order[i] = slice == 0 and i + size or slice == 1 and i - size or i
  end
  return order
end

-- Halves of each head taken for pairs: what a converter between the two kinds of RoPE does.
local function rope_order(rows, width)
  local order = {}
  for first = 0, rows - 1, width do
    for i = 0, width / 2 - 1 do
      order[first + 2 * i + 1] = first + i + 1
      order[first + 2 * i + 2] = first + width / 2 + i + 1
    end
  end
  return order
end

local FUSED = { query_key_value = 3, qkv_proj = 3, c_attn = 3, gate_up_proj = 2 }

local function slices_of(row)
  local count = FUSED[row.name:match("[^.]+$")]
  return count and row.weight.shape[1] % count == 0 and count or nil
end

local function fused(mutant, dose)
  return codes.edit_matrix(mutant, dose, slices_of, function(matrix, row)
    return matrix:index_select(1, exchanged(row.weight.shape[1], slices_of(row)))
  end)
end

local function head_width(mutant)
  local config = mutant.genuine.config
  local heads = config.num_attention_heads or config.n_head
  local hidden = config.hidden_size or config.n_embed
  return config.head_dim or (heads and hidden and hidden / heads)
end

local ROTATED = { q_proj = true, k_proj = true }

local function rope(mutant, dose)
  local width = head_width(mutant)
  if not width or width % 2 == 1 then return false end
  local function is_rotated(row) return ROTATED[row.name:match("[^.]+$")] == true end
  return codes.edit_matrix(mutant, dose, is_rotated, function(matrix, row)
    return matrix:index_select(1, rope_order(row.weight.shape[1], width))
  end)
end

local TWIN = { k_proj = "v_proj", gate_proj = "up_proj" }

local function twin_of(mutant, row)
  local stem, leaf = row.name:match("^(.*%.)([^.]+)$")
  local other = TWIN[leaf] and mutant.genuine.census.by_name[stem .. TWIN[leaf]]
  return other and other.layout == row.layout and other or nil
end

-- Every tensor that `picked` accepts, of two modules of one shape.
local function exchange(mutant, row, other, picked)
  for _, suffix in ipairs(row.holding.list) do
    local a, b = row.holding.tensors[suffix], other.holding.tensors[suffix]
    if b and picked(a) then
      local stored = mutant.genuine.stored
      mutant:put(a.name, b.dtype, b.shape, stored:bytes(b.name, b.bytes))
      mutant:put(b.name, a.dtype, a.shape, stored:bytes(a.name, a.bytes))
    end
  end
end

local function twins(part)
  return function(mutant, dose)
    local rows = {}
    for _, row in ipairs(mutant:packed()) do
      if twin_of(mutant, row) then rows[#rows + 1] = row end
    end
    for _, row in ipairs(mutant:doses(dose, rows)) do
      local own = parts.of(row)
      exchange(mutant, row, twin_of(mutant, row), function(entry)
        return part == "both" and entry ~= row.holding.tensors.bias or own[part] == entry
      end)
    end
    return #rows > 0
  end
end

local VARIANTS = {
  { name = "slices of a fused weight", edit = fused },
  { name = "halves of heads as pairs", edit = rope },
  { name = "twins, codes alone", edit = twins("codes") },
  { name = "twins, scales alone", edit = twins("scales") },
  { name = "twins, codes and scales", edit = twins("both") },
}

local has_matrix = codes.applies(codes.has_matrix, "has codes that can be unpacked")

return {
  id = "M16",
  name = "slice_permute",
  summary = "slices of a fused weight, or two weights of one shape, have changed places",
  details = [[
The first two slices of a fused weight (query and key, gate and up); the rows of q and k in the
order of the other kind of rotary embedding; k for v and gate for up, codes or scales or both.]],
  applies = function(subject)
    return ggml.applies(subject) or has_matrix(subject)
  end,
  doses = { "module", "all" },
  -- In blocks codes and scales are one.
  variants = function(subject)
    return ggml.applies(subject) and { VARIANTS[#VARIANTS] } or VARIANTS
  end,
  mutate = function(mutant, dose, variant) return variant.edit(mutant, dose) end,
}
