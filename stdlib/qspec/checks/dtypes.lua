-- Weight dtypes: what the bytes are, and what they mean.

local selection = require "qspec.selection"

local function expect(ctx, row, parameter, key, found, wanted)
  if wanted and found ~= wanted then
    ctx:finding { module = row.name, key = parameter .. "." .. key, found = tostring(found),
      wanted = wanted, hint = row.reason }
  end
end

-- Dense parameters against the dtype of the config: transformers casts them on load.
local function note_casts(ctx)
  local dtype, cast = ctx.subject.dtype, {}
  for _, row in ipairs(ctx.subject.census.modules) do
    for name, parameter in pairs(row.parameters) do
      if parameter.stored and parameter.stored ~= parameter.dtype then
        cast[#cast + 1] = row.name .. "." .. name
      end
    end
  end
  if #cast > 0 then
    table.sort(cast)
    ctx:note(("%d parameters are not stored in the config's %s and are cast on load, %s first")
      :format(#cast, tostring(dtype), cast[1]))
  end
end

-- Parameters of a row, and the companions of a packed one.
local function stored_of(row)
  if not row.layout then return row.parameters end
  local all = {}
  for suffix, entry in pairs(row.holding.tensors) do
    if suffix ~= "weight" then all[suffix] = { stored = entry.torch_dtype } end
  end
  for name, parameter in pairs(row.parameters) do all[name] = parameter end
  return all
end

-- Layers repeat: a parameter stored in another dtype than the same one of most other layers was
-- written by another hand.
local function check_uniform(ctx)
  local families, order = {}, {}
  for _, row in ipairs(ctx.subject.census.modules) do
    for name, parameter in pairs(stored_of(row)) do
      local family = row.name:gsub("%.%d+%.", ".*.") .. "." .. name .. " "
        .. tostring(row.format and row.logical_dtype)
      if not families[family] then
        families[family] = { counts = {}, members = {} }
        order[#order + 1] = family
      end
      local counts, members = families[family].counts, families[family].members
      if parameter.stored and not (name == "weight" and row.format) then
        counts[parameter.stored] = (counts[parameter.stored] or 0) + 1
        members[#members + 1] = { row = row, name = name, stored = parameter.stored }
      end
    end
  end
  table.sort(order)
  for _, family in ipairs(order) do
    local counts, members = families[family].counts, families[family].members
    local usual
    for dtype, count in pairs(counts) do
      if count * 2 > #members then usual = dtype end
    end
    for _, member in ipairs(members) do
      if usual and member.stored ~= usual then
        ctx:finding { module = member.row.name, key = member.name .. ".dtype",
          found = member.stored, wanted = usual .. ", as in the other layers" }
      end
    end
  end
end

local HOLDS_ALL = { float32 = true, float64 = true }

-- The baseline has it in the dtype of the config, and here it is in another that does not hold all
-- values of that one: it was cast there and back.
local function check_recast(ctx)
  local baseline = ctx.subject.baseline
  if not baseline or not baseline:has_weights() or ctx.subject.gguf then return end
  for _, row in ipairs(ctx.subject.census.modules) do
    local other = baseline.census.by_name[row.name]
    for name, parameter in pairs(row.parameters) do
      local before = other and other.parameters[name] and other.parameters[name].stored
      local is_dense = parameter.stored and not (name == "weight" and row.format)
      if is_dense and before == parameter.stored and parameter.dtype ~= before
          and not HOLDS_ALL[before] and baseline.dtype == before then
        ctx:finding { module = row.name, key = name .. ".dtype", found = parameter.dtype
          .. " in the config", wanted = before .. ", as it is stored, here and in the baseline",
          hint = "the config's dtype is not the model's" }
      elseif is_dense and before == parameter.dtype and parameter.stored ~= before
          and not HOLDS_ALL[parameter.stored] then
        ctx:finding { module = row.name, key = name .. ".dtype", found = parameter.stored,
          wanted = before .. ", as in the baseline and the config",
          hint = "cast to another half type and back: digits are lost" }
      end
    end
  end
end

-- The dtype that a packed weight says it had, against the config's.
local function check_states(ctx)
  local subject = ctx.subject
  for _, row in ipairs(subject.census.modules) do
    local dtype = row.scheme and row.scheme.dtype
    if dtype and subject.dtype and dtype ~= subject.dtype then
      ctx:finding { module = row.name, key = "quant_state.dtype", found = tostring(dtype),
        wanted = subject.dtype, hint = "the dtype of the config" }
    end
  end
end

-- Without a dtype in the config transformers takes that of the first floating tensor in the file.
-- In a packed checkpoint that may be a scale.
local function check_inferred(ctx)
  local subject = ctx.subject
  if subject.config_dtype or not subject:is_packed() then return end
  local first = subject.first_float
  for _, row in ipairs(first and subject.census.modules or {}) do
    for suffix, entry in pairs(row.layout and row.holding.tensors or {}) do
      if entry.name == first.name and suffix ~= "bias" then
        ctx:finding { key = "dtype", found = ("absent, and the first floating tensor, %s, is %s")
          :format(entry.name, entry.torch_dtype), wanted = "the dtype of the model in config.json",
          hint = "transformers loads the model in the dtype of a scale" }
        return
      end
    end
  end
end

-- Some methods are loaded in a dtype of their own, whatever the config says.
local function check_forced(ctx)
  local subject = ctx.subject
  if subject.config_dtype and subject.dtype ~= subject.config_dtype then
    ctx:finding { key = "dtype", found = subject.config_dtype, wanted = subject.dtype,
      hint = "transformers loads " .. subject.format.name .. " in that, and only warns" }
  end
end

-- The storage dtype that the config asks for, against the packed weights.
local function check_storage(ctx)
  for _, row in ipairs(ctx.subject.census.modules) do
    local weight = row.request and row.format and row.parameters.weight
    if weight and row.request.storage then
      expect(ctx, row, "weight", "storage", weight.dtype, row.request.storage)
    end
  end
end

local function check_selected(ctx, selected)
  for _, row in ipairs(ctx.subject.census.modules) do
    if selected(row.name) then
      for name, parameter in pairs(row.parameters) do
        expect(ctx, row, name, "dtype", parameter.dtype, name == "weight" and ctx.params.storage)
      end
      expect(ctx, row, "weight", "logical dtype", row.logical_dtype, ctx.params.logical)
    end
  end
end

return {
  name = "dtypes",
  summary = "storage dtype and logical dtype of the weights",
  needs = "header",
  params = {
    [1] = { list_of = "string", name = "patterns", help = "patterns of module names" },
    storage = { type = "string", help = "dtype of the stored weight: uint8" },
    logical = { type = "string", help = "dtype that the bytes stand for: nf4" },
  },
  details = [[
The storage dtype is that of the bytes (uint8), the logical dtype what they stand for (nf4). Without
patterns, packed weights must be stored as the config says (bnb_4bit_quant_storage) and must come
from weights of the config's dtype. With patterns, the weights of the modules that match must have
the dtypes given. A parameter stored in another dtype than the config's is cast by transformers on
load; that is noted, and is a finding where other layers or the baseline have the config's.]],
  example = [[dtypes { "*.mlp.*", storage = "uint8", logical = "nf4" }]],
  run = function(ctx)
    note_casts(ctx)
    local selected = selection.compile(ctx.params, ctx.subject.census.modules, ctx.where)
    check_uniform(ctx)
    check_recast(ctx)
    if selected then return check_selected(ctx, selected) end
    check_states(ctx)
    check_inferred(ctx)
    check_forced(ctx)
    check_storage(ctx)
  end,
}
