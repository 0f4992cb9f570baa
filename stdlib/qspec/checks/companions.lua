-- Companions: every packed weight has all and only the tensors that its format needs.

local outcome = require "qspec.outcome"
local units = require "qspec.units"

local function value_problems(row)
  if not row.layout.value_problems then return {} end
  return row.layout.value_problems(row.weight)
end

local function check_values(ctx)
  local rows = {}
  for _, row in ipairs(ctx.subject.census.modules) do
    if row.layout and row.status ~= "broken" then rows[#rows + 1] = row end
  end
  for i, row in ipairs(rows) do
    ctx:progress(i, #rows, row.name)
    local ok, problems = pcall(value_problems, row)
    if not ok then
      local err = outcome.from(problems)
      if err.kind ~= "checkpoint" then error(problems, 0) end
      problems = { { found = err.message, wanted = "companions that decode", hint = err.hint } }
    end
    for _, problem in ipairs(problems) do
      problem.module = row.name
      ctx:finding(problem)
    end
  end
  ctx:measure("packed_modules", #rows)
  ctx:headline(units.count(#rows, "packed module"))
end

return {
  name = "companions",
  summary = "every packed weight has all and only its companions, whole and with sane values",
  needs = "header",
  params = {},
  details = [[
For bitsandbytes 4-bit: absmax (F32 of one value a block, or U8 with nested_absmax and
nested_quant_map under double quantization), quant_map (the 16 values of the codebook), and the
quant_state JSON; for int8: SCB (F32, one a row) and weight_format. Headers are checked for
presence, dtype, shape and block count; at the weights tier values are read too: finite, not
negative, not zero over a block that holds codes, and the codebook that the type names. Orphans are
named as well.]],
  example = [[companions {}]],
  run = {
    header = function(ctx) ctx:report_facts { companion = true, orphan = true } end,
    weights = check_values,
  },
}
