-- The report for programs: schema/run.json says what is in it. Written whole, when the run ends.

local json = require "host.json"
local printable = require "qspec.printable"

local M = {
  name = "json",
  summary = "one JSON document with every result, finding and hash; schema qspec.run/1",
}

local DEEPEST = 8

local function text_of(value)
  return printable.utf8(tostring(value))
end

local plain

local function list_of(values, depth)
  local list = {}
  for i, value in ipairs(values or {}) do
    list[i] = plain(value, depth + 1)
  end
  return json.array(list)
end

-- What a table has beside its keys, such as the patterns of a check, becomes its "values".
local function object_of(values, depth)
  local object = {}
  for key, value in pairs(values) do
    if type(key) == "string" then
      object[printable.utf8(key)] = plain(value, depth + 1)
    end
  end
  if #values > 0 then
    object.values = list_of(values, depth)
  end
  return object
end

local function is_list(value)
  if json.is_array(value) then
    return true
  end
  for key in pairs(value) do
    if type(key) ~= "number" then
      return false
    end
  end
  return #value > 0
end

-- What JSON can hold of a value that a check measured; cycles end at the depth limit.
function plain(value, depth)
  local kind = type(value)
  if value == nil or value == json.null then
    return json.null
  elseif kind == "number" or kind == "boolean" then
    return value
  elseif kind ~= "table" or depth > DEEPEST then
    return text_of(value)
  end
  return (is_list(value) and list_of or object_of)(value, depth)
end

local function table_or_text(value)
  return type(value) == "table" and object_of(value, 1) or plain(value, 1)
end

local FINDING_FIELDS = { "module", "key", "found", "wanted", "where", "hint" }

local function findings_of(event)
  local list = {}
  for i, finding in ipairs(event.findings or {}) do
    list[i] = {}
    for _, field in ipairs(FINDING_FIELDS) do
      list[i][field] = finding[field] ~= nil and plain(finding[field], 1) or nil
    end
  end
  return json.array(list)
end

local function finite(db)
  if db ~= db then return "NaN" end
  return math.abs(db) < math.huge and db or db > 0 and "Infinity" or "-Infinity"
end

local function localized_of(event)
  if not event.localized then return nil end
  local list = {}
  for i, one in ipairs(event.localized) do
    list[i] = { module = plain(one.module, 1), added_db = finite(one.added_db),
      inherited_db = finite(one.inherited_db) }
  end
  return json.array(list)
end

-- Where a check could not go on is worth more than where the spec asks for it.
local function where_of(event)
  local found = event.error_where
  return found and found ~= "" and found or event.where
end

local function hint_of(event)
  local hint = event.hint or event.enable
  return hint and hint ~= "" and plain(hint, 1) or nil
end

local function result_of(event)
  return {
    model = plain(event.model, 1),
    check = plain(event.check, 1),
    needs = plain(event.needs, 1),
    status = event.status,
    seconds = event.seconds or 0,
    measured = table_or_text(event.measured),
    wanted = table_or_text(event.wanted),
    where = plain(where_of(event), 1),
    reason = event.reason and plain(event.reason, 1),
    kind = event.kind,
    hint = hint_of(event),
    notes = event.notes and #event.notes > 0 and list_of(event.notes, 1) or nil,
    findings = findings_of(event),
    localized = localized_of(event),
  }
end

local function provenance_of(event, start)
  local provenance = object_of(event.provenance or {}, 1)
  provenance.files = list_of((event.provenance or {}).files, 1)
  provenance.started = start.started
  return provenance
end

---@param out { write: fun(self: any, text: string) }
---@return table<string, fun(event: table)>
function M.new(out)
  local start, results = {}, {}
  local events = {}

  function events.run_start(event)
    start = event
  end

  function events.check_end(event)
    results[#results + 1] = result_of(event)
  end

  function events.run_end(event)
    local report = {
      schema = "qspec.run/1",
      verdict = event.verdict,
      exit_code = event.exit_code,
      seconds = event.seconds or 0,
      device = plain(event.device or start.device, 1),
      spec = plain(table.concat(start.specs or {}, " "), 1),
      counts = event.counts,
      results = json.array(results),
      provenance = provenance_of(event, start),
    }
    out:write(json.encode(report, { indent = 2, sort = true }) .. "\n")
  end

  return events
end

return M
