-- A spec written from what was found in a checkpoint (qspec.observation): ready to run, and meant
-- to be read and changed.

local lua_source = require "qspec.lua_source"
local system = require "host.system"
local units = require "qspec.units"

local M = {}

local SQNR_MARGIN_DB = 1
local RATIO_DIGITS, RATIO_TOLERANCE = 6, "1e-6"  -- rounding takes half of it

local call, comment, quote = lua_source.call, lua_source.comment, lua_source.quote

local function rule(text)
  local line = "-- " .. text .. " "
  return line .. ("-"):rep(100 - #line)
end

local function title(found)
  local subject = found.subject
  return { comment(("%s: %s, %s."):format(found.name, subject.architecture.name,
      subject.format and "quantized by " .. subject.format.name or "in full precision")),
    "--",
    "--   qspec run FILE                                  the checkpoint that it was written from",
    "--   qspec run FILE --model PATH --baseline PATH     another one that must be like it",
    "--",
    comment(("Written by qspec %s from what was found. Loosen what is too strict for you."):format(
      system.version().qspec)),
    "", "family " .. quote(subject.architecture.name), "" }
end

local function model(found)
  local lines = { ("model %s {"):format(quote(found.name)),
    ("  checkpoint = %s,"):format(found.checkpoint) }
  if found.baseline then lines[#lines + 1] = "  baseline   = " .. found.baseline .. "," end
  lines[#lines + 1] = "}"
  return lines
end

-- What is said of each check; a check without a writer of its own is declared as it is.
local writers = {}

local function module_count(group)
  return units.count(#group.rows, "module")
end

-- A call for a group of modules, or the reason why there is none.
local function group_call(verb, group, fields)
  if group.patterns then return call(verb, group.patterns, fields) end
  return comment(("%s: %s of %s are left out, no few patterns name them"):format(verb,
    module_count(group), group.dtype or group.class))
end

function writers.quantized(found, ctx)
  local subject, requested = found.subject, found.subject.requested
  if not subject:is_packed() or not requested then return { "quantized {}" } end
  local method = subject.quantization and subject.quantization.quant_method or subject.format.name
  local fields = { { "method", quote(method) } }
  if requested.bits and requested.bits % 1 == 0 then  -- 4.5 of a ggml type is no width
    fields[#fields + 1] = { "bits", tostring(requested.bits) }
  end
  if requested.type then fields[#fields + 1] = { "type", quote(requested.type) } end
  local share = math.floor(ctx.measured.packed_share * 1e4) / 1e4
  fields[#fields + 1] = { "share", ("%.4g"):format(share) }
  return { call("quantized", {}, fields) }
end

function writers.layers(found)
  local lines = {}
  for _, group in ipairs(found.converted) do
    local fields = { { "class", quote(group.class) } }
    if group.dtype then fields[2] = { "dtype", quote(group.dtype) } end
    lines[#lines + 1] = group_call("layers", group, fields)
  end
  return #lines > 0 and lines or { "layers {}" }
end

function writers.excluded(found)
  local lines = { "excluded {}" }
  for _, group in ipairs(found.kept) do
    lines[#lines + 1] = group_call("excluded", group, group.dtype
      and { { "dtype", quote(group.dtype) } } or {})
  end
  return lines
end

function writers.dtypes(found)
  local lines = { "dtypes {}" }
  for _, group in ipairs(found.converted) do
    if group.packed and group.logical then
      lines[#lines + 1] = group_call("dtypes", group, { { "logical", quote(group.logical) } })
    end
  end
  return lines
end

function writers.memory(found, ctx)
  local fields, measured = {}, ctx.measured
  if found.subject:is_packed() and measured.ratio then
    fields[1] = { "ratio", ("%." .. RATIO_DIGITS .. "f"):format(measured.ratio) }
    fields[2] = { "tolerance", RATIO_TOLERANCE }
  end
  for _, key in ipairs { "transformers", "stored" } do
    local bytes = measured[key .. "_bytes"]
    if bytes then fields[#fields + 1] = { key, ("%d"):format(bytes) } end
  end
  return { call("memory", {}, fields) }
end

function writers.numerics(_, ctx)
  local least = ctx.measured.least_sqnr_db
  if ctx.skipped then return { comment("Not measured: " .. ctx.skipped.reason), "numerics {}" } end
  if not least or least ~= least or least == math.huge then return { "numerics {}" } end
  local floor = math.floor((least - SQNR_MARGIN_DB) * 10) / 10
  return { comment(("The worst weight has %.2f dB, %s; the floor is %g dB below it."):format(least,
    ctx.measured.worst[1].module, SQNR_MARGIN_DB)),
    call("numerics", {}, { { "sqnr_db", ("%.4g"):format(floor) } }) }
end

local WRITTEN_FIRST = { "quantized", "layers", "excluded", "dtypes", "memory", "numerics" }

-- A fault is not made the rule: such a check stays at its defaults, and fails.
local function failing(ctx, name)
  local first = ctx.findings[1]
  local said = ("Fails today: %s, %s: found %s, wanted %s."):format(units.count(#ctx.findings,
    "finding"), first.module or first.key or "", tostring(first.found), tostring(first.wanted))
  return { comment(said), name .. " {}" }
end

local function add(lines, more)
  for _, line in ipairs(more) do lines[#lines + 1] = line end
end

local function add_check(lines, found, name)
  local ctx = found.contexts[name]
  if #ctx.findings > 0 then
    add(lines, failing(ctx, name))
  else
    add(lines, writers[name] and writers[name](found, ctx) or { name .. " {}" })
  end
end

local function add_plain(lines, found)
  for _, name in ipairs(found.check_names) do
    if not writers[name] then add_check(lines, found, name) end
  end
end

local function generates(generated)
  if not generated.prompts then
    return { comment("No generates: " .. generated.reason) }
  end
  local prompts = {}
  for i, prompt in ipairs(generated.prompts) do prompts[i] = lua_source.entry(prompt, "  ") end
  local lines = { ("generates {  -- on %s"):format(generated.device), table.concat(prompts, "\n"),
    ("  max_new_tokens = %d,"):format(generated.max_new_tokens), "  accepts = {" }
  for _, text in ipairs(generated.texts) do lines[#lines + 1] = lua_source.entry(text, "    ") end
  lines[#lines + 1] = "  },"
  lines[#lines + 1] = "}"
  return lines
end

--- The text of a spec.
---@param found table {name, subject, checkpoint, baseline?: source of the references, contexts,
---  check_names, converted, kept, generated: {prompts, texts, max_new_tokens, device} or {reason}}
---@return string
function M.render(found)
  local lines = title(found)
  add(lines, model(found))
  add(lines, { "", rule("What every good checkpoint satisfies"), "" })
  add_plain(lines, found)
  add(lines, { "", rule("What was found in this one"), "" })
  for _, name in ipairs(WRITTEN_FIRST) do
    if found.contexts[name] then
      add_check(lines, found, name)
      lines[#lines + 1] = ""
    end
  end
  add(lines, generates(found.generated))
  return table.concat(lines, "\n") .. "\n"
end

return M
