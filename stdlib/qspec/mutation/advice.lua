-- The line that a spec lacks to notice a mutant: a check that it does not use, or a stricter value.

local json = require "host.json"
local registry = require "qspec.registry"
local schema = require "qspec.schema"
local Context = require "qspec.context"
local runner = require "qspec.runner"

local M = {}

local function notices(check, params, subject)
  local ok, checked = pcall(schema.check, check.params or {}, params, check.name)
  if not ok then return false end
  local ctx = Context.new { subject = subject, params = checked, where = "" }
  for _, part in ipairs(runner.parts { check = check }) do
    if not pcall(part.run, ctx) then break end
  end
  return #ctx.findings > 0
end

-- A check with its defaults that the spec leaves out.
local function unused_check(declarations, subject)
  local used = {}
  for _, declaration in ipairs(declarations) do used[declaration.name] = true end
  for _, check in ipairs(registry("checks").all()) do
    if not used[check.name] and notices(check, {}, subject) then return check.name .. " {}" end
  end
end

local function literal(value)
  return type(value) == "string" and ("%q"):format(value) or tostring(value)
end

-- The field of config.json that changed, with its genuine value.
local function expected_field(mutant, subject)
  local function visit(genuine, mutated, path)
    for _, key in ipairs(json.keys(genuine)) do
      local a, b = genuine[key], mutated[key]
      local here = path == "" and key or path .. "." .. key
      if type(a) == "table" and type(b) == "table" and not json.is_array(a) then
        local found = visit(a, b, here)
        if found then return found end
      elseif type(a) ~= "table" and a ~= b and a ~= json.null then
        return ('config { expect = { ["%s"] = %s } }'):format(here, literal(a))
      end
    end
  end
  return visit(mutant.genuine.raw, subject.raw, "")
end

-- A floor between what the worst genuine weight has and what the mutant's has.
local function least_sqnr(declaration, subject)
  local ctx = Context.new { subject = subject, params = declaration.params, where = "" }
  pcall(declaration.check.run, ctx)
  return ctx.measured.least_sqnr_db
end

local function stricter_numerics(declarations, mutant, subject)
  for _, declaration in ipairs(declarations) do
    if declaration.name == "numerics" and subject.baseline then
      local genuine = least_sqnr(declaration, mutant.genuine)
      local found = least_sqnr(declaration, subject)
      if genuine and found and genuine - found > 0.1 then
        return ("numerics { sqnr_db = %.1f }"):format((genuine + found) / 2)
      end
    end
  end
end

local NEEDS_ANSWERS = "generates { ... }, or perplexity and kl against the baseline"

--- What to add to the spec.
---@param declarations table[] of the spec
---@param mutant qspec.Mutant that survived
---@return string
function M.line(declarations, mutant)
  local subject = mutant:subject()
  local function try(f, ...)
    local ok, line = pcall(f, ...)
    return ok and line or nil
  end
  local line = try(unused_check, declarations, subject) or try(expected_field, mutant, subject)
    or try(stricter_numerics, declarations, mutant, subject) or NEEDS_ANSWERS
  subject:release()
  return line
end

return M
