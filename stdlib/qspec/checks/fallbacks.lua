-- Where the library that loads this checkpoint would fall back without a word.

-- Entries of a skip list match from the start of a name without a boundary: "layers.1" also
-- protects "layers.10".
local function check_prefixes(ctx, rows)
  for _, exclusion in ipairs(ctx.subject.census.requests.exclusions) do
    local key = exclusion.key
    for _, row in ipairs(exclusion.source == "config" and key:find("%d$") and rows or {}) do
      local is_longer = row.name:sub(1, #key) == key and row.name:find("^%d", #key + 1)
      if is_longer and row.kind == "linear" and not row.format and exclusion.matches(row.name) then
        ctx:finding { module = row.name, key = key, found = "left dense by '" .. key .. "'",
          wanted = "only what lies in " .. key,
          hint = "entries match prefixes without a boundary: '" .. key .. ".' is meant" }
      end
    end
  end
end

-- The default exclusion of the last parameter names no module when that is a bias.
local function check_biases(ctx, census)
  for _, exclusion in ipairs(census.requests.exclusions) do
    local owner = exclusion.source == "architecture" and exclusion.key:match("^(.*)%.bias$")
    local row = owner and census.by_name[owner]
    if row and row.kind == "linear" and row.request then
      ctx:finding { module = row.name, key = exclusion.key, found = "converted",
        wanted = "dense: it is the head",
        hint = "transformers protects the name of the last parameter, a bias that is no module" }
    end
  end
end

local function check_experts(ctx, rows)
  for _, row in ipairs(rows) do
    local is_left = row.kind == "experts" and not row.request and not row.format
    if is_left and row.reason and row.reason:find("never converts", 1, true) then
      ctx:finding { module = row.name, key = "experts", found = "dense " .. tostring(
        row.logical_dtype), wanted = "converted, as the linear modules are", hint = row.reason
        .. ": most of a mixture stays in full precision, and nothing says so" }
    end
  end
end

return {
  name = "fallbacks",
  summary = "nothing that its library would drop, ignore or replace without saying so",
  needs = "header",
  params = {},
  details = [[
Each format lists where its library falls back in silence (qspec explain FORMAT); this check reports
those that this checkpoint runs into and that no other check sees: an entry of the skip list that
protects more than it names, experts that stay dense because the library replaces linear modules
only, a head that is converted because its bias is the last parameter, rules that match no module,
tensors that the loader does not read and fills with random values.]],
  example = [[fallbacks {}]],
  run = function(ctx)
    local format, census = ctx.subject.format, ctx.subject.census
    if not format then return end
    check_prefixes(ctx, census.modules)
    check_biases(ctx, census)
    check_experts(ctx, census.modules)
    for _, finding in ipairs(format.silent and format.silent(ctx.subject) or {}) do
      ctx:finding(finding)
    end
  end,
}
