-- Exclusions: what must stay in full precision, by the config, the architecture and the spec.

local selection = require "qspec.selection"

local function matches_of(exclusion, rows)
  local matched, linear = 0, 0
  for _, row in ipairs(rows) do
    if exclusion.matches(row.name) then
      matched = matched + 1
      if row.kind == "linear" then linear = linear + 1 end
    end
  end
  return matched, linear
end

-- One line for each pattern in force: what it protects, or that it is dead.
local function describe_in_force(ctx)
  local rows, patterns = ctx.subject.census.modules, {}
  for _, exclusion in ipairs(ctx.subject.census.requests.exclusions) do
    local matched, linear = matches_of(exclusion, rows)
    patterns[#patterns + 1] = { key = exclusion.key, source = exclusion.source, modules = matched,
      linear = linear }
    if matched == 0 and exclusion.source == "config" then
      ctx:finding { key = exclusion.key, found = "matches no module",
        wanted = "a module to protect",
        hint = "a dead entry of the skip list: a typo, or another library's syntax" }
    end
  end
  ctx:measure("patterns", patterns)
end

-- A user's list replaces the defaults and does not add to them: transformers converts the head.
local function check_overridden(ctx)
  local subject = ctx.subject
  local requested = subject.requested
  if not requested or not requested.skip or ctx.params.replaced_defaults then return end
  local defaults = require("qspec.exclusions").default_keys(subject.architecture, subject.modules)
  for _, key in ipairs(defaults) do
    local row = subject.census.by_name[key]
    if row and row.kind == "linear" and row.request then
      ctx:finding { module = key, key = "skip list", found = "does not hold '" .. key .. "'",
        wanted = "the default exclusion of " .. key,
        hint = "a list in the config replaces the defaults; replaced_defaults = true allows it" }
    end
  end
end

-- Packed without being asked for: a fact of the census, and named already.
local function is_reported(ctx, row)
  return row.format and not row.request and ctx.subject.census.requests.judged
end

local function check_spec(ctx)
  local rows = ctx.subject.census.modules
  local selected = selection.compile(ctx.params, rows, ctx.where)
  if not selected then return end
  for _, row in ipairs(rows) do
    if selected(row.name) and not is_reported(ctx, row) then
      local wanted = ctx.params.dtype
      if row.format then
        ctx:finding { module = row.name, found = row.class .. " " .. row.logical_dtype,
          wanted = "full precision", hint = "the spec excludes it; the config does not" }
      elseif wanted then
        for name, parameter in pairs(row.parameters) do
          if parameter.dtype ~= wanted then
            ctx:finding { module = row.name, key = name, found = parameter.dtype, wanted = wanted }
          end
        end
      end
    end
  end
end

return {
  name = "excluded",
  summary = "modules that must stay in full precision did, and every exclusion pattern is alive",
  needs = "header",
  params = {
    [1] = { list_of = "string", name = "patterns", help = "patterns of module names" },
    dtype = { type = "string", help = "dtype that their parameters must have" },
    replaced_defaults = { type = "boolean", default = false,
      help = "allow a skip list that leaves out a default, so that the head is quantized" },
  },
  details = [[
Three lists protect modules: the config's (llm_int8_skip_modules), the architecture's defaults when
the config has none (tied weights, the last parameter, the output head: transformers' own rule with
its quirks), and modules kept in fp32. A protected module that is quantized anyway is a finding, as
is an entry of the config's list that matches nothing, and a list that replaces the defaults and so
lets the output head be converted. Patterns of the spec must be in full
precision too, in the dtype given.]],
  example = [[excluded { "lm_head", "*word_embeddings*", "*layernorm*", dtype = "float16" }]],
  run = function(ctx)
    ctx:report_facts { unrequested = true }
    if ctx.subject.requested then
      describe_in_force(ctx)
      check_overridden(ctx)
    end
    check_spec(ctx)
  end,
}
