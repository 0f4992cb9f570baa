-- config.json: every field of its type, and nothing lost between reading and writing.

local json = require "host.json"
local quantization_config = require "qspec.quantization_config"

local function same(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then return a == b end
  for key, value in pairs(a) do
    if not same(value, b[key]) then return false end
  end
  for key in pairs(b) do
    if a[key] == nil then return false end
  end
  return true
end

local function show(value)
  if value == json.null then return "null" end
  return type(value) == "table" and json.encode(value) or tostring(value)
end

local function report(ctx, problems)
  for _, problem in ipairs(problems) do ctx:finding(problem) end
end

local function check_text(ctx, subject)
  local file = subject.config_file
  local again = json.decode(json.encode(file.raw, { indent = 2 }), "config.json, written again")
  if not same(file.raw, again) then
    ctx:finding { key = "config.json", found = "another value after parse, write, parse",
      wanted = "the same value" }
  end
end

-- Whether a field comes back as it was; some are read in any case and written in lower case.
local function is_kept(field, before, after)
  if same(before, after) then return true end
  return field.ignores_case and type(before) == "string" and before:lower() == after
end

-- What transformers would change by loading and saving.
local function check_dialect(ctx, subject)
  local raw, format = subject.quantization, subject.format
  local written = quantization_config.write(format, raw)
  for _, field in ipairs(format.fields) do
    local before, after = raw[field.name], written[field.name]
    local is_renamed = field.harmless or field.saved == false and field.alias_of
    if before ~= nil and not is_renamed and not is_kept(field, before, after) then
      ctx:finding { key = "quantization_config." .. field.name, found = show(after)
        .. " after loading and saving", wanted = show(before) }
    end
  end
  for _, unknown in ipairs(quantization_config.unknown_keys(format, raw)) do
    ctx:finding { key = "quantization_config." .. unknown.key, found = "a key that "
      .. format.name .. " does not know", wanted = "known keys only: transformers drops it on save",
      hint = unknown.nearest and ("did you mean '%s'?"):format(unknown.nearest) or nil }
  end
end

-- "quantization_config.bits" leads into an object; a key with a dot of its own comes first.
local function value_at(object, path)
  if object[path] ~= nil then return object[path] end
  for key in path:gmatch("[^.]+") do
    if type(object) ~= "table" then return nil end
    object = object[key]
  end
  return object
end

local function check_expected(ctx, subject)
  for key, wanted in pairs(ctx.params.expect or {}) do
    local found = value_at(subject.raw, key)
    if not same(found, wanted) then
      ctx:finding { key = key, found = found == nil and "absent" or show(found),
        wanted = show(wanted) }
    end
  end
end

-- What a quantizer has reasons to change.
local MAY_DIFFER = { dtype = true, torch_dtype = true, use_cache = true, pad_token_id = true,
  bos_token_id = true, eos_token_id = true, quantization_config = true,
  tie_word_embeddings = true, architectures = true, transformers_version = true,
  rope_parameters = true, rope_scaling = true, rope_theta = true }

-- The base of the rotary positions and how they are stretched, wherever the version keeps them.
local function rope_of(config)
  local parameters = config.rope_parameters or config.rope_scaling or {}
  if type(parameters) ~= "table" then return {} end
  return { rope_theta = config.rope_theta or parameters.rope_theta, factor = parameters.factor,
    rope_type = parameters.rope_type or parameters.type }
end

local function check_field(ctx, key, mine, theirs)
  if same(mine, theirs) then return end
  ctx:finding { key = key, found = show(mine), wanted = show(theirs) .. ", as in the baseline",
    hint = "the model computes otherwise than the one it was made from" }
end

local function check_rope(ctx, mine, theirs)
  mine, theirs = rope_of(mine), rope_of(theirs)
  for _, key in ipairs { "rope_theta", "rope_type", "factor" } do
    if mine[key] ~= nil and theirs[key] ~= nil then
      check_field(ctx, key, mine[key], theirs[key])
    end
  end
end

-- The fields that an architecture computes with.
local function computed_keys(architecture)
  local keys = {}
  for key in pairs(architecture.config.defaults or {}) do keys[#keys + 1] = key end
  for _, key in ipairs(architecture.config.required or {}) do keys[#keys + 1] = key end
  table.sort(keys)
  return keys
end

-- They are those of the baseline, defaults filled in; of a GGUF file those that it has.
local function check_baseline(ctx, subject)
  local baseline = subject.baseline
  if not baseline or baseline.gguf or baseline.architecture ~= subject.architecture then return end
  local mine, theirs = subject.config, baseline.config
  for _, key in ipairs(computed_keys(subject.architecture)) do
    local is_said = not subject.gguf or subject.raw[key] ~= nil
    if is_said and not MAY_DIFFER[key] then check_field(ctx, key, mine[key], theirs[key]) end
  end
  check_rope(ctx, mine, theirs)
end

return {
  name = "config",
  summary = "config.json typed, true to itself, and the same after a round trip",
  needs = "header",
  params = {
    round_trip = { type = "boolean", default = true, help = "parse, write, parse must be equal" },
    expect = { type = "table", help = "keys of config.json with the value that they must "
      .. "have; a.b is the b of a" },
  },
  details = [[
Every field of quantization_config must have the type that its library demands (an integer where
bitsandbytes wants a float is refused by transformers) and a value that it accepts; the aliases
_load_in_4bit and _load_in_8bit must agree with the fields that they stand for. Parsing, writing and
parsing again must give the same value. What transformers would drop or change by loading and saving
is a finding: keys that it does not know are lost. With a baseline, the fields that the architecture
computes with must be those of the baseline.]],
  example = [[config { round_trip = true, expect = { model_type = "bloom" } }]],
  run = function(ctx)
    local subject = ctx.subject
    if subject.format then
      local kinds = subject.quantization_source.kinds
      if not subject.quantize then
        report(ctx, quantization_config.type_problems(subject.format, subject.quantization, kinds))
      end
      report(ctx, quantization_config.alias_problems(subject.format, subject.quantization))
    end
    if ctx.params.round_trip then
      check_text(ctx, subject)
      if subject.format then check_dialect(ctx, subject) end
    end
    check_baseline(ctx, subject)
    check_expected(ctx, subject)
  end,
}
