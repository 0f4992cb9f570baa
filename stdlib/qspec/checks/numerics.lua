-- Numerics: every weight decoded and held against the baseline.

local WORST_SHOWN = 5
local LEAST_SQNR_DENSE_DB = 40  -- a cast between float16 and bfloat16 leaves about 50 dB

local function baseline_tensor(tensor, baseline, row)
  local held = baseline.census.by_name[row.name]
  if held and held.tied_to and not held.own_tensors then
    held = baseline.census.by_name[held.tied_to]
  end
  local entry = held and held.holding.tensors.weight
  if not entry or held.layout then return nil end
  return tensor.read(baseline.checkpoint, entry.name)
end

local function compare(tensor, subject, row, reference)
  if row.layout then
    return row.layout.pack(row.holding, subject.checkpoint):compare(reference)
  end
  return tensor.read(subject.checkpoint, row.holding.tensors.weight.name):compare(reference)
end

local function limits(ctx, row)
  local least = ctx.params.sqnr_db
  if row.layout then return least or row.layout.least_sqnr_db end
  return LEAST_SQNR_DENSE_DB
end

local function judge(ctx, row, result)
  local module, params = row.name, ctx.params
  local least = limits(ctx, row)
  if not (result.sqnr_db >= least) then
    ctx:finding { module = module, key = "sqnr_db", found = ("%.2f dB"):format(result.sqnr_db),
      wanted = (">= %g dB"):format(least), hint = ("cosine %.6f, largest error %g"):format(
        result.cosine, result.max_abs_error) }
  end
  if params.cosine and not (result.cosine >= params.cosine) then
    ctx:finding { module = module, key = "cosine", found = ("%.6f"):format(result.cosine),
      wanted = (">= %g"):format(params.cosine) }
  end
  if params.max_abs_error and not (result.max_abs_error <= params.max_abs_error) then
    ctx:finding { module = module, key = "max_abs_error",
      found = ("%g"):format(result.max_abs_error), wanted = ("<= %g"):format(params.max_abs_error) }
  end
end

local function same_size(reference, row)
  local shape, wanted = reference:shape(), row.module.shape
  return #shape == #wanted and shape[1] == wanted[1] and shape[2] == wanted[2]
end

local function worst_first(results)
  table.sort(results, function(a, b)
    if a.sqnr_db ~= b.sqnr_db then return a.sqnr_db < b.sqnr_db end
    return a.module < b.module
  end)
  local worst = {}
  for i = 1, math.min(WORST_SHOWN, #results) do worst[i] = results[i] end
  return worst
end

local function usable_rows(census)
  local rows = {}
  for _, row in ipairs(census.modules) do
    local stands = row.status == "ok" or row.status == "unrequested" or row.status == "fell_back"
    if stands and row.holding.tensors.weight then rows[#rows + 1] = row end
  end
  return rows
end

-- A packed weight that cannot be compared must not look like one that was.
local function missing_reference(ctx, row)
  if row.layout then
    ctx:finding { module = row.name, key = "weight", found = "absent from the baseline",
      wanted = "a full-precision weight", hint = "is it the baseline of this model?" }
  elseif not row.tied_to then
    ctx:note("the baseline has no dense weight for " .. row.name)
  end
end

local function check_row(ctx, tensor, row, results)
  local subject = ctx.subject
  local reference = baseline_tensor(tensor, subject.baseline, row)
  if not reference then
    missing_reference(ctx, row)
    return
  end
  if not same_size(reference, row) then
    ctx:finding { module = row.name, key = "shape", found = table.concat(reference:shape(), " x ")
      .. " in the baseline", wanted = table.concat(row.module.shape, " x "),
      hint = "is it the baseline of this model?" }
    return
  end
  local result = compare(tensor, subject, row, reference)
  judge(ctx, row, result)
  if row.layout then
    results[#results + 1] = { module = row.name, sqnr_db = result.sqnr_db, cosine = result.cosine,
      max_abs_error = result.max_abs_error }
  end
end

return {
  name = "numerics",
  summary = "SQNR, cosine and largest error of every weight against the baseline",
  needs = "weights",
  params = {
    sqnr_db = { type = "number", help = "least SQNR in dB; the format's own floor unless given" },
    cosine = { type = "number", help = "least cosine" },
    max_abs_error = { type = "number", help = "largest absolute error allowed" },
  },
  details = [[
Decodes each packed weight and compares it with the same weight of the baseline: SQNR =
10 log10(sum r^2 / sum (r - q)^2) in dB, cosine, and the largest absolute error. Dense weights must
be the baseline's up to a cast. Floors unless the spec gives one: 14 dB for 4 bits, 30 dB for int8;
swapped nibbles give about -3 dB, trained nf4 weights 18 to 21. Skipped without a baseline.]],
  example = [[numerics { sqnr_db = 18 }]],
  run = function(ctx)
    if not ctx.subject.baseline or not ctx.subject.baseline:has_weights() then
      ctx:skip("there is no baseline to compare with; give one with --baseline PATH", "baseline")
    end
    local tensor = require "host.tensor"
    local rows, results = usable_rows(ctx.subject.census), {}
    for i, row in ipairs(rows) do
      ctx:progress(i, #rows, row.name)
      check_row(ctx, tensor, row, results)
    end
    local worst = worst_first(results)
    ctx:measure("compared", #rows)
    ctx:measure("worst", worst)
    if worst[1] then
      ctx:measure("least_sqnr_db", worst[1].sqnr_db)
      ctx:headline(("%d packed weights, SQNR from %.2f dB"):format(#results, worst[1].sqnr_db))
    end
  end,
}
