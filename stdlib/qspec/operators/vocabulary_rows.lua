-- H03: rows of the embeddings or of the output head are lost or exchanged.

local FLOATS = { F16 = true, BF16 = true, F32 = true }

local function rows_of(subject)
  local rows = {}
  for _, row in ipairs(subject.census.modules) do
    local entry = row.holding.tensors.weight
    local is_head = row.name:find("lm_head$") or row.name:find("embed_out$")
    local has_words = row.kind == "embedding" or is_head
    if has_words and entry and not row.layout and FLOATS[entry.dtype] and #entry.shape == 2 then
      rows[#rows + 1] = row
    end
  end
  return rows
end

-- The bytes of row `at`, counted from 0, and of what lies before and behind it.
local function parts(bytes, width, at)
  return bytes:sub(1, at * width), bytes:sub(at * width + 1, (at + 1) * width),
    bytes:sub((at + 1) * width + 1)
end

local function lost(bytes, width, at)
  local before, _, after = parts(bytes, width, at)
  return before .. ("\0"):rep(width) .. after
end

local function exchanged(bytes, width, at)
  local before, row, after = parts(bytes, width, at)
  return before .. after:sub(1, width) .. row .. after:sub(width + 1)
end

return {
  id = "H03",
  name = "vocabulary_rows",
  summary = "a row of the embeddings or of the head is 0, or two have changed places",
  details = [[
One token is read as nothing, or two as each other: what a tokenizer of another version or a cut
vocabulary makes of a table that is right but for a row.]],
  applies = function(subject)
    if subject.gguf then return nil, "of a GGUF file the blocks are damaged" end
    if #rows_of(subject) > 0 then return true end
    return nil, "no table of words is in full precision"
  end,
  doses = { "once" },
  variants = function()
    return { { name = "one is 0", change = lost }, { name = "two exchanged", change = exchanged } }
  end,
  mutate = function(mutant, _, variant)
    local row = mutant.random:pick(rows_of(mutant.genuine))
    local entry = mutant.genuine.stored:find(row.holding.tensors.weight.name)
    local bytes = mutant.genuine.stored:bytes(entry.name, entry.bytes)
    local at = mutant.random:below(entry.shape[1] - 1) - 1
    mutant:put(entry.name, entry.dtype, entry.shape,
      variant.change(bytes, entry.bytes / entry.shape[1], at))
  end,
}
