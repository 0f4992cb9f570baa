-- Memory footprint: transformers' number and the true one, absolute and against full precision.

local footprint = require "qspec.footprint"
local units = require "qspec.units"

local function request_of(subject)
  local requests = subject.requests
  return function(module) return (requests.of(module)) end
end

local function expected_bytes(subject, dtype)
  return footprint.of_config(subject.architecture, subject.modules, dtype, request_of(subject),
    subject.requests.dtype_of)
end

local function dense_bytes(subject, dtype)
  return footprint.of_config(subject.architecture, subject.modules, dtype, function() end)
end

local function part_of(row, suffix)
  if not row.layout then return "dense" end
  if row.holding.tensors[suffix] == row.codes then return "packed" end
  return suffix == "bias" and "dense" or "companions"
end

-- Bytes by what they are; with the headers they sum to the size of the files.
local function breakdown(subject)
  local parts = { packed = 0, companions = 0, dense = 0, orphans = 0, headers = 0 }
  for _, row in ipairs(subject.census.modules) do
    for _, suffix in ipairs(row.holding.list) do
      local bytes = row.holding.tensors[suffix].bytes
      local part = part_of(row, suffix)
      parts[part] = parts[part] + bytes
    end
  end
  for _, entry in ipairs(subject.census.orphans) do parts.orphans = parts.orphans + entry.bytes end
  for _, file in ipairs(subject.checkpoint:files()) do
    parts.headers = parts.headers + file.header_bytes
  end
  return parts
end

local function module_bytes(subject, module)
  local one = { module }
  return footprint.of_config(subject.architecture, one, subject.dtype, request_of(subject),
    subject.requests.dtype_of)
end

-- The modules whose size is not what the config makes of them, largest difference first.
local function explain(ctx, subject)
  local differing = {}
  for _, row in ipairs(subject.census.modules) do
    local wanted = row.tied_to and 0 or module_bytes(subject, row.module)
    local found = (row.own_tensors or not row.tied_to) and row.footprint or 0
    if found ~= wanted then
      differing[#differing + 1] = { name = row.name, found = found, wanted = wanted }
    end
  end
  table.sort(differing, function(a, b)
    local x, y = math.abs(a.found - a.wanted), math.abs(b.found - b.wanted)
    return x ~= y and x > y or x == y and a.name < b.name
  end)
  for _, module in ipairs(differing) do
    ctx:finding { module = module.name, key = "footprint", found = module.found .. " bytes",
      wanted = module.wanted .. " bytes" }
  end
  return #differing
end

local function check_exact(ctx, name, found, wanted)
  if wanted and found ~= wanted then
    ctx:finding { key = name, found = ("%d bytes"):format(found),
      wanted = ("%d bytes"):format(wanted) }
  end
end

local function baseline_bytes(ctx, subject)
  local baseline = subject.baseline
  if baseline and baseline:has_weights() then
    ctx:note("baseline: " .. baseline.name)
    return footprint.of_census(baseline.census)
  end
  local dtype = subject.dtype or "float16"
  ctx:note(("baseline: computed from the config in %s"):format(dtype))
  return dense_bytes(subject, dtype)
end

local function check_ratio(ctx, found)
  local wanted, tolerance = ctx.params.ratio, ctx.params.tolerance
  if type(wanted) == "number" then
    if math.abs(found - wanted) <= tolerance then return end
    ctx:finding { key = "ratio", found = ("%.9f"):format(found), wanted = ("%.9f within %g"):format(
      wanted, tolerance) }
  elseif wanted and not (found >= wanted[1] and found <= wanted[2]) then
    ctx:finding { key = "ratio", found = ("%.6f"):format(found), wanted = ("%g to %g"):format(
      wanted[1], wanted[2]) }
  end
end

local function check_ratio_param(value)
  if type(value) == "number" then return nil end
  local least, most = value[1], value[2]
  local in_order = type(least) == "number" and type(most) == "number" and least <= most
  return not in_order and "must be a number or { least, most }" or nil
end

local function check_stored(ctx, subject)
  local parts, total, size = breakdown(subject), 0, 0
  for _, bytes in pairs(parts) do total = total + bytes end
  for _, file in ipairs(subject.checkpoint:files()) do size = size + file.size end
  ctx:measure("stored_bytes", total - parts.headers)
  ctx:measure("breakdown", parts)
  check_exact(ctx, "stored", total - parts.headers, ctx.params.stored)
  if not subject.quantize and total ~= size then
    ctx:finding { key = "breakdown", found = total .. " bytes accounted for", wanted = size
      .. " bytes, the size of the files" }
  end
end

return {
  name = "memory",
  summary = "footprint as transformers counts it and as stored, and its ratio to full precision",
  needs = "config",
  params = {
    ratio = { type = { "number", "table" }, check = check_ratio_param,
      help = "full precision / quantized: a number, or { least, most }" },
    tolerance = { type = "number", default = 1e-5, help = "for a ratio given as one number" },
    transformers = { type = "integer", help = "bytes that get_memory_footprint() must report" },
    stored = { type = "integer", help = "bytes that the files must hold, headers aside" },
  },
  details = [[
Counts the model's bytes twice. `transformers` is model.get_memory_footprint(): parameters and
buffers, shared ones once; bitsandbytes' absmax, codebooks and states are plain attributes to it
and not in the number. `stored` is everything in the files, broken down into packed weights,
companions, dense tensors, orphans and headers, which sum to the size of the files.

Without parameters the footprint must be the one that follows from config.json alone, to the byte.
When it is not, the modules that explain the difference are listed, largest first. With `ratio`,
full precision / quantized must be that number. The baseline is read when there is one and computed
from the config otherwise, so the check also runs where no weights are.]],
  example = [[memory { ratio = { 2.9, 3.1 } }
memory { ratio = 2.109659552692574, tolerance = 1e-5 }]],
  run = function(ctx)
    local subject = ctx.subject
    local dtype = subject.dtype
    local found = dtype and expected_bytes(subject, dtype)
    if subject:has_weights() then
      local expected = found
      found = footprint.of_census(subject.census)
      ctx:note(footprint.note(subject.census))
      if expected and expected ~= found and explain(ctx, subject) == 0 then
        check_exact(ctx, "transformers", found, expected)
      end
      check_stored(ctx, subject)
    elseif not found then
      ctx:skip("the config names no dtype, so its footprint cannot be computed", "model")
    end
    local baseline = baseline_bytes(ctx, subject)
    if subject.format and subject.format.footprint_note then
      ctx:note(subject.format.footprint_note)
    end
    ctx:measure("transformers_bytes", found)
    ctx:measure("baseline_bytes", baseline)
    ctx:measure("ratio", baseline / found)
    ctx:headline(("%s, full precision %.6g times that"):format(units.bytes(found),
      baseline / found))
    check_exact(ctx, "transformers", found, ctx.params.transformers)
    check_ratio(ctx, baseline / found)
  end,
}
