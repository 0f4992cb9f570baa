-- Layer types: every module that holds parameters, requested against got.

local selection = require "qspec.selection"

local STRUCTURE = { fell_back = true, missing = true, shape = true, misread = true }

local function expect_field(ctx, row, field, found, wanted)
  if wanted and found ~= wanted then
    ctx:finding { module = row.name, key = field, found = tostring(found), wanted = wanted,
      hint = row.reason }
  end
end

local function is_linear(row)
  return row.kind == "linear" or row.format ~= nil
end

local function headline(counts)
  local parts = {}
  for class, count in pairs(counts) do parts[#parts + 1] = count .. " " .. class end
  table.sort(parts)
  return table.concat(parts, ", ")
end

local function check_rows(ctx, selected)
  local counts, params = {}, ctx.params
  for _, row in ipairs(ctx.subject.census.modules) do
    counts[row.class] = (counts[row.class] or 0) + 1
    if selected and selected(row.name) and is_linear(row) then
      local weight = row.parameters.weight
      expect_field(ctx, row, "class", row.class, params.class)
      expect_field(ctx, row, "dtype", weight and weight.dtype, params.dtype)
    end
  end
  ctx:measure("classes", counts)
  ctx:headline(headline(counts))
end

return {
  name = "layers",
  summary = "every module of the class that the config asks for; nothing fell back in silence",
  needs = "header",
  params = {
    [1] = { list_of = "string", name = "patterns", help = "patterns of module names" },
    class = { type = "string", help = "class that the linear modules matched must have" },
    dtype = { type = "string", help = "storage dtype that their weights must have" },
  },
  details = [[
Compares each module with what the config requests of it. A linear that stayed dense without being
excluded is a finding that names it, as is a module whose parameters are missing or have another
shape than the config implies. With patterns, the linear modules that match must also have the class
and the storage dtype given. Class names are those of transformers: Linear4bit, Linear8bitLt,
Linear, LayerNorm, Embedding.]],
  example = [[layers { "*.self_attention.*", "*.mlp.*", class = "Linear4bit", dtype = "uint8" }]],
  run = function(ctx)
    local selected = selection.compile(ctx.params, ctx.subject.census.modules, ctx.where)
    ctx:report_facts(STRUCTURE, selected)
    check_rows(ctx, selected)
  end,
}
