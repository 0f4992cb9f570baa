-- Numerics: every weight decoded and held against the baseline.

local biases = require "qspec.numerics.biases"
local compensated = require "qspec.compensated"
local experts = require "qspec.experts"
local gains = require "qspec.numerics.gains"
local nearest_rounding = require "qspec.nearest_rounding"
local rounding_limits = require "qspec.rounding_limits"
local shapes = require "qspec.shapes"
local units = require "qspec.units"
local weights = require "qspec.weights"
local StoredWeight = require "qspec.stored_weight"

local WORST_SHOWN = 5
local LEAST_SQNR_DENSE_DB = 46  -- a cast to bfloat16 leaves at least 48 dB, of each value

local function reference_of(baseline, row)
  local held, expert = baseline.census.by_name[row.name], row.module.expert
  local whole = expert and not held and baseline.census.by_name[expert.of.name]
  if whole and whole.own_tensors then
    return experts.slice(whole, baseline.checkpoint, expert)
  end
  if held and held.tied_to and not held.own_tensors then
    held = baseline.census.by_name[held.tied_to]
  end
  return held and held.own_tensors and weights.read(held, baseline.checkpoint) or nil
end

-- What rounding the baseline leaves, where the library only rounds; nil elsewhere.
local function own_rounding(ctx, row, reference)
  local format = ctx.subject.format
  local quantizer = format and row.format == format.name and format.quantizer
  return quantizer and nearest_rounding.compare(row, quantizer, ctx.subject.checkpoint, reference)
end

-- The least SQNR of a weight. A baseline of large outliers leaves less than the format's own floor.
local function least_sqnr(ctx, row, result, reference)
  if not row.layout then return LEAST_SQNR_DENSE_DB end
  local least = ctx.params.sqnr_db or row.scheme.least_sqnr_db or row.layout.least_sqnr_db
  if ctx.params.sqnr_db or not least or result.sqnr_db >= least then return least end
  local own = own_rounding(ctx, row, reference)
  local possible = own and own.sqnr_db - ctx.params.rounding_db
    or rounding_limits.grouped_db(row.scheme, reference)
  return math.min(least, possible or least)
end

-- Next to nothing in a block, any error is large: one under a quarter of the average is left out.
local LEAST_POWER = 0.25

-- The least SQNR of a block of a packed weight. Without groups a scale spans a row or more.
local function block_floor(row, result)
  local group = row.scheme.group_size or row.scheme.block_size
  local is_grouped = type(group) == "number" and group > 0
  return rounding_limits.block_db(row.scheme, is_grouped and group
    or StoredWeight.logical_shape(row.module)[2], result.sqnr_db)
end

local function judge_block(ctx, row, result)
  if not result.worst_block or result.worst_block_power < LEAST_POWER then return end
  local floor = ctx.params.block_sqnr_db
  if not row.layout then floor = LEAST_SQNR_DENSE_DB end
  floor = floor or block_floor(row, result)
  if not (result.worst_block_sqnr_db >= floor) then
    ctx:finding { module = row.name, key = ("block %d sqnr_db"):format(result.worst_block),
      found = ("%.2f dB"):format(result.worst_block_sqnr_db), wanted = (">= %.2f dB"):format(floor),
      hint = "one block is off: a scale or a stretch of codes of its own" }
  end
end

-- Rounding leaves the gain of a weight near 1, by no more than its share of noise.
local function judge_gain(ctx, row, result)
  local allowed = rounding_limits.gain(row.scheme or {}, result.nmse, ctx.params.gain)
  if math.abs(result.gain - 1) <= allowed then return end
  ctx:finding { module = row.name, key = "gain", found = ("%.4f"):format(result.gain),
    wanted = ("1 within %.3g"):format(allowed),
    hint = "all values are too large or too small: a scale is off" }
end

local function judge(ctx, row, result, reference)
  local module, params = row.name, ctx.params
  local least = least_sqnr(ctx, row, result, reference)
  if not (result.sqnr_db >= least) then
    ctx:finding { module = module, key = "sqnr_db", found = ("%.2f dB"):format(result.sqnr_db),
      wanted = (">= %.4g dB"):format(least), hint = ("cosine %.6f, largest error %g"):format(
        result.cosine, result.max_abs_error) }
  end
  if params.cosine and not (result.cosine >= params.cosine) then
    ctx:finding { module = module, key = "cosine", found = ("%.6f"):format(result.cosine),
      wanted = (">= %g"):format(params.cosine) }
  end
  if result.sqnr_db >= (least or -math.huge) then
    judge_block(ctx, row, result)
    judge_gain(ctx, row, result)
  end
  if params.max_abs_error and not (result.max_abs_error <= params.max_abs_error) then
    ctx:finding { module = module, key = "max_abs_error",
      found = ("%g"):format(result.max_abs_error), wanted = ("<= %g"):format(params.max_abs_error) }
  end
end

local BLOCK_SLACK_DB = 1
local FACTORS_SLACK_DB = 3

-- Where the library only rounds, the distance to the baseline is known beforehand. A baseline that
-- was cast to bfloat16 since lies 0.1 dB off for int8, and less for 4 bits.
local function judge_rounding(ctx, row, result, reference)
  local wanted = result.sqnr_db < math.huge and own_rounding(ctx, row, reference)
  local slack = ctx.params.rounding_db
  if not wanted then return end
  if result.worst_block and result.worst_block_sqnr_db < wanted.worst_block_sqnr_db - BLOCK_SLACK_DB
  then
    ctx:finding { module = row.name, key = ("block %d sqnr_db"):format(result.worst_block),
      found = ("%.2f dB"):format(result.worst_block_sqnr_db), wanted = ("%.2f dB, the worst that "
        .. "rounding the baseline leaves, less %g"):format(wanted.worst_block_sqnr_db,
        BLOCK_SLACK_DB),
      hint = "one block is off: a scale or a stretch of codes of its own" }
  end
  if result.sqnr_db >= wanted.sqnr_db - slack then return end
  ctx:finding { module = row.name, key = "sqnr_db", found = ("%.2f dB"):format(result.sqnr_db),
    wanted = ("%.2f dB, what rounding the baseline leaves, less %g"):format(wanted.sqnr_db, slack),
    hint = "rounded twice, scaled, or made from another weight" }
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
    if stands and (row.layout or row.holding.tensors.weight) then rows[#rows + 1] = row end
  end
  return rows
end

-- Whether the quantizer puts factors of its own into weights and norms.
local function rescales(subject)
  local format = subject.format
  return format and (format.rescales or subject.requested.rescales)
end

-- Whether it did into this dense parameter.
local function is_rescaled(ctx, row)
  return rescales(ctx.subject) and row.kind == "norm" and row.name:find("%.%d+%.") ~= nil
end

local function note_rescaled(ctx, rows)
  local count = 0
  for _, row in ipairs(rows) do count = count + (is_rescaled(ctx, row) and 1 or 0) end
  if count == 0 then return end
  ctx:note(("%s folds factors into the weights: they are compared after the best fit of rows and "
    .. "columns, and %s only by what the weights take back"):format(ctx.subject.format.name,
    units.count(count, "norm")))
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

local function wrong_shape(ctx, row, shape, wanted)
  ctx:finding { module = row.name, key = "shape", found = shapes.text(shape) .. " in the baseline",
    wanted = shapes.text(wanted), hint = "is it the baseline of this model?" }
end

-- The layer of a row, kept until the next one.
local function layer_of(ctx, row)
  local prefix = row.name:match("^(.-%.%d+)%.")
  if prefix and ctx.layer_name ~= prefix then
    ctx.layer_name, ctx.layer = prefix, compensated.layer(ctx.subject, row, function(other)
      return reference_of(ctx.subject.baseline, other)
    end)
  end
  return prefix and ctx.layer
end

-- Factors that nothing in the layer explains, in a layer of gated projections, where AWQ puts them
-- into norms and rows. Elsewhere it may keep them in tensors of its own. The fit takes in no more
-- than 1/rows + 1/columns of the noise, and factors that were cast to bfloat16 leave 50 dB: both
-- are far under the slack.
local function check_factors(ctx, row, result)
  local is_gated = row.layout.rescales and row.name:find("_proj$")
  if not is_gated or not layer_of(ctx, row) then return end
  local strict = ctx.layer:compare(row)
  local least = result.sqnr_db - FACTORS_SLACK_DB
  if strict.sqnr_db >= least then
    judge_block(ctx, row, strict)
    return judge_gain(ctx, row, strict)
  end
  ctx:finding { module = row.name, key = "sqnr_db",
    found = ("%.2f dB, %.2f after the best fit"):format(strict.sqnr_db, result.sqnr_db),
    wanted = (">= %.2f dB"):format(least),
    hint = "it has factors that neither a norm nor another weight of the layer takes back" }
end

local function check_against(ctx, row, results, reference)
  local wanted = StoredWeight.logical_shape(row.module)
  if not shapes.equal(reference:shape(), wanted) then
    return wrong_shape(ctx, row, reference:shape(), wanted)
  end
  local result = weights.compare(row, ctx.subject.checkpoint, reference)
  local before = #ctx.findings
  judge(ctx, row, result, reference)
  if row.layout and #ctx.findings == before then check_factors(ctx, row, result) end
  if row.layout then
    if #ctx.findings == before then judge_rounding(ctx, row, result, reference) end
    if #ctx.findings == before then gains.check(ctx, row, result, reference) end
    results[#results + 1] = { module = row.name, sqnr_db = result.sqnr_db, cosine = result.cosine,
      max_abs_error = result.max_abs_error }
  end
end

local function check_row(ctx, row, results)
  local reference = reference_of(ctx.subject.baseline, row)
  if not reference then return missing_reference(ctx, row) end
  check_against(ctx, row, results, reference)
  reference:release()  -- it may hold room that the next ones wait for
end

-- Whether the weights after a norm take its factors back; what is no AWQ is believed.
local function is_explained(ctx, row)
  local layer = ctx.subject.format.rescales and layer_of(ctx, row)
  return not layer or #layer.rows == 0 or not layer.rows[1].layout.rescales or layer:explains(row)
end

-- What cannot be decoded is not judged, and said to be so.
local function check_rows(ctx, rows, results)
  local undecodable = {}
  for i, row in ipairs(rows) do
    ctx:progress(i, #rows, row.name)
    biases.check(ctx, row, { least_db = LEAST_SQNR_DENSE_DB, rescaled = rescales(ctx.subject) })
    if row.layout and weights.undecodable(row) then
      undecodable[#undecodable + 1] = row
    elseif row.layout or not is_rescaled(ctx, row) or not is_explained(ctx, row) then
      check_row(ctx, row, results)
    end
  end
  if undecodable[1] then
    local reason = weights.undecodable(undecodable[1])
    if #results == 0 then
      ctx:skip("cannot decode " .. undecodable[1].layout.name .. ": " .. reason)
    end
    ctx:note(("%s cannot be decoded, %s first: %s"):format(units.count(#undecodable,
      "packed weight"), undecodable[1].name, reason))
  end
end

return {
  name = "numerics",
  summary = "SQNR, cosine and largest error of every weight against the baseline",
  needs = "weights",
  params = {
    sqnr_db = { type = "number", help = "least SQNR in dB; the format's own floor unless given" },
    cosine = { type = "number", help = "least cosine" },
    block_sqnr_db = { type = "number", help = "least SQNR of any block that is no smaller than "
      .. "a quarter of the average" },
    gain = { type = "number", default = 0.03, help = "how far the scale of a weight may be off" },
    rounding_db = { type = "number", default = 0.3,
      help = "how far under the SQNR of its own rounding a weight may lie, where the library "
        .. "only rounds (bitsandbytes)" },
    max_abs_error = { type = "number", help = "largest absolute error allowed" },
  },
  details = [[
Decodes each packed weight and compares it with the same weight of the baseline: SQNR =
10 log10(sum r^2 / sum (r - q)^2) in dB, cosine, and the largest absolute error. Dense weights and
biases must be the baseline's up to a cast. Floors unless the spec gives one: 14 dB for 4 bits,
30 dB for int8, or what rounding this baseline leaves where its outliers leave less; swapped nibbles
give about -3 dB, trained nf4 weights 18 to 21. One bad block hides in the average of its weight, so
that the worst block has a floor of its own; and a factor over a whole weight can hide in its noise,
so that gain = sum q r / sum r^2 must be 1 within `gain` or the share of noise,
sum (r - q)^2 / sum r^2, whichever is more. bitsandbytes only rounds: its weights must lie as near
to the baseline as rounding the baseline does, within rounding_db. Where codes of up to 4 bits have
a scale a group, so do the gains of the groups: none lies far from 1, nor all of them further than
noise explains, 3 sqrt(nmse / group size). Skipped without a baseline.]],
  example = [[numerics { sqnr_db = 18 }]],
  run = function(ctx)
    if not ctx.subject.baseline or not ctx.subject.baseline:has_weights() then
      ctx:skip("there is no baseline to compare with; give one with --baseline PATH", "baseline")
    end
    local rows, results = usable_rows(ctx.subject.census), {}
    check_rows(ctx, rows, results)
    note_rescaled(ctx, rows)
    local worst = worst_first(results)
    ctx:measure("compared", #rows)
    ctx:measure("worst", worst)
    if worst[1] then
      ctx:measure("least_sqnr_db", worst[1].sqnr_db)
      ctx:headline(("%d packed weights, SQNR from %.2f dB"):format(#results, worst[1].sqnr_db))
    end
  end,
}
