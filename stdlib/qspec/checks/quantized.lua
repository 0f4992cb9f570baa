-- Is it quantized, and do the config and the tensors agree on how?

local census_of = require "qspec.census"
local footprint = require "qspec.footprint"
local shapes = require "qspec.shapes"
local system = require "host.system"

-- Loading attributes do not belong in a file: with this one the library unpacks the model on load.
local function check_dequantize(ctx)
  local values = ctx.subject.quantization_values
  if values and values.dequantize == true then
    ctx:finding { key = "quantization_config.dequantize", found = "true",
      wanted = "false or absent", hint = "transformers loads such a checkpoint in full precision" }
  end
end

local function first_packed(census)
  for _, row in ipairs(census.modules) do
    if row.format then return row end
  end
end

local function check_config_silent(ctx, packed)
  local row = first_packed(ctx.subject.census)
  ctx:finding { module = row.name, key = "quantization_config",
    found = ("absent, with %d packed modules"):format(packed),
    wanted = "a quantization_config that says how to read them",
    hint = "transformers would load the packed bytes as dense weights" }
end

local function check_tensors_silent(ctx)
  local modules = 0
  local first
  for _, row in ipairs(ctx.subject.census.modules) do
    if row.request then
      modules, first = modules + 1, first or row.name
    end
  end
  ctx:finding { module = first, key = "quantization_config",
    found = "no packed tensor in the checkpoint", wanted = ("%d packed modules"):format(modules),
    hint = "the whole model fell back to full precision, or the config is stale" }
end

local function same_folder(a, b)
  local function real(subject) return (system.absolute(subject.path):gsub("(.)/+$", "%1")) end
  return a.path and b.path and real(a) == real(b)
end

-- A baseline is given for something that was made from it. Its own copy was not quantized at all.
local function check_copy(ctx)
  local subject, baseline = ctx.subject, ctx.subject.baseline
  if not baseline or not baseline:has_weights() or same_folder(baseline, subject) then return end
  if subject.quantize or census_of.packed(baseline.census) > 0 then return end
  local own, other = footprint.of_census(subject.census), footprint.of_census(baseline.census)
  if own ~= other then return end
  ctx:finding { key = "quantization_config", found = "absent, and no packed tensor",
    wanted = "something smaller than the baseline",
    hint = "quantized nothing: the model is as large as its baseline" }
end

-- What the config says of a module against what its tensors say: the tensors win on load.
local COMPARED = { { "type", "quant_type" }, { "bits", "bits" }, { "group_size", "group_size" },
  { "symmetric", "symmetric" } }

local function check_scheme(ctx, row)
  for _, pair in ipairs(COMPARED) do
    local field, key = pair[1], pair[2]
    local asked, stored = row.request[field], row.scheme[field]
    if asked ~= nil and stored ~= nil and asked ~= stored then
      ctx:finding { module = row.name, key = key, found = tostring(stored) .. " in the checkpoint",
        wanted = tostring(asked) .. ", as the config says",
        hint = row.layout.mismatch_hint or "the config and the tensors are of two models" }
    end
  end
end

local function check_schemes(ctx)
  for _, row in ipairs(ctx.subject.census.modules) do
    if row.request and row.format then check_scheme(ctx, row) end
  end
end

local function check_wanted(ctx, requested)
  local subject, params = ctx.subject, ctx.params
  local found = { method = subject.quantization and subject.quantization.quant_method
    or subject.format and subject.format.name, bits = requested and requested.bits,
    type = requested and requested.type }
  for _, key in ipairs { "method", "bits", "type" } do
    if params[key] and found[key] ~= params[key] then
      ctx:finding { key = key, found = tostring(found[key] or "full precision"),
        wanted = tostring(params[key]) }
    end
  end
end

-- Of all weights that a quantizer may convert, linears and experts, the share that is packed.
local function packed_share(census)
  local all, packed = 0, 0
  for _, row in ipairs(census.modules) do
    if (row.kind == "linear" or row.kind == "experts") and row.own_tensors then
      local elements = shapes.count(row.module.shape)
      all, packed = all + elements, packed + (row.format and elements or 0)
    end
  end
  return all > 0 and packed / all or 0
end

-- Experts in one tensor, and subclasses of Linear, stay dense in silence with most methods.
local function check_share(ctx)
  local share = packed_share(ctx.subject.census)
  ctx:measure("packed_share", share)
  if ctx.params.share and share < ctx.params.share then
    ctx:finding { key = "share", found = ("%.4f of the weights packed"):format(share),
      wanted = (">= %g"):format(ctx.params.share),
      hint = "qspec inspect shows the modules that stayed dense, and why" }
  end
end

local function measure(ctx, packed)
  ctx:measure("is_quantized", ctx.subject.quantization ~= false)
  ctx:measure("packed_modules", packed)
  ctx:measure("method", ctx.subject.format and ctx.subject.format.name or nil)
  if ctx.subject.requested then
    ctx:headline(("%s %s, %d packed modules"):format(ctx.subject.format.name,
      tostring(ctx.subject.requested.type or "nothing"), packed))
  else
    ctx:headline("full precision")
  end
end

return {
  name = "quantized",
  summary = "quantization_config present and true of the tensors, in both directions",
  needs = "header",
  params = {
    method = { type = "string", help = "quant_method that the config must name" },
    bits = { type = "integer", help = "bits that it must ask for" },
    type = { type = "string", help = "nf4, fp4, int8" },
    share = { type = "number", help = "least share of linear and expert weights that are packed" },
  },
  details = [[
The config says quantized and no tensor is; tensors are packed and the config is silent; the config
says fp4 over nf4 tensors; both load flags of bitsandbytes are false, so that transformers loads the
model dense with a warning only. Each is a finding. With parameters, the config must ask for that
method, width and type. A model in full precision that claims nothing passes unless the spec wants
otherwise, or a baseline in another folder is just as large.]],
  example = [[quantized { method = "bitsandbytes", bits = 4, type = "nf4" }]],
  run = function(ctx)
    local subject = ctx.subject
    local packed = census_of.packed(subject.census)
    local requested = subject.requested
    measure(ctx, packed)
    check_share(ctx)
    if requested and requested.problem then
      ctx:finding { key = "quantization_config", found = requested.problem,
        wanted = "a method that converts something", hint = requested.hint }
    elseif requested and packed == 0 then
      check_tensors_silent(ctx)
    elseif not requested and packed > 0 then
      check_config_silent(ctx, packed)
    end
    if not requested and packed == 0 then check_copy(ctx) end
    check_dequantize(ctx)
    check_schemes(ctx)
    check_wanted(ctx, requested)
  end,
}
