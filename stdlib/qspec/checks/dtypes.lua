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
    ctx:note(("%d parameters are stored in another dtype than the config's %s and cast on load, %s first")
      :format(#cast, tostring(dtype), cast[1]))
  end
end

-- The dtype that a packed weight says it had, against the config's.
local function check_states(ctx)
  local subject = ctx.subject
  for _, row in ipairs(subject.census.modules) do
    local state = row.layout and row.layout.state(row.holding, subject.checkpoint)
    if state and state.dtype and subject.dtype and state.dtype ~= subject.dtype then
      ctx:finding { module = row.name, key = "quant_state.dtype", found = tostring(state.dtype),
        wanted = subject.dtype, hint = "the dtype of the config" }
    end
  end
end

-- The storage dtype that the config asks for, against the packed weights.
local function check_storage(ctx)
  local subject = ctx.subject
  local values = subject.quantization_values
  local wanted = values and values.load_in_4bit and values.bnb_4bit_quant_storage
  if not wanted then return end
  for _, row in ipairs(subject.census.modules) do
    local weight = row.request and row.format and row.parameters.weight
    if weight then expect(ctx, row, "weight", "storage", weight.dtype, wanted) end
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
load; that is noted.]],
  example = [[dtypes { "*.mlp.*", storage = "uint8", logical = "nf4" }]],
  run = function(ctx)
    note_casts(ctx)
    local selected = selection.compile(ctx.params, ctx.subject.census.modules, ctx.where)
    if selected then return check_selected(ctx, selected) end
    check_states(ctx)
    check_storage(ctx)
  end,
}
