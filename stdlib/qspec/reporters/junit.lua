-- The report for continuous integration: JUnit XML, a suite a model, a test case a check.

local printable = require "qspec.printable"

local M = {
  name = "junit",
  summary = "JUnit XML for continuous integration: a suite a model, a case a check",
}

local ENTITIES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;" }

local function escaped(text)
  return (printable.line(tostring(text)):gsub('[&<>"]', ENTITIES))
end

local function attributes(pairs_in_order)
  local parts = {}
  for _, pair in ipairs(pairs_in_order) do
    if pair[2] ~= nil then
      parts[#parts + 1] = string.format(' %s="%s"', pair[1], escaped(pair[2]))
    end
  end
  return table.concat(parts)
end

local function time(seconds)
  return string.format("%.3f", seconds or 0)
end

local function finding_line(finding)
  local subject = {}
  for _, part in ipairs({ finding.module or false, finding.key or false }) do
    subject[#subject + 1] = part and tostring(part) or nil
  end
  local line = table.concat(subject, " ") .. ": found " .. tostring(finding.found) .. ", wanted "
    .. tostring(finding.wanted)
  return finding.where and line .. " (" .. finding.where .. ")" or line
end

-- JUnit has no word for a check that ran and could not decide: it is no pass and no failure.
local IS_ERROR = { error = true, inconclusive = true }

-- What a check that did not pass has inside its test case.
local function body_of(event)
  local findings = event.findings or {}
  if event.status == "skip" then
    return string.format("<skipped%s/>", attributes({ { "message", event.reason or "" } }))
  elseif IS_ERROR[event.status] then
    local found = { { "message", event.reason or "" }, { "type", event.kind or event.status } }
    return string.format("<error%s>%s</error>", attributes(found), escaped(event.hint or ""))
  end
  local lines = {}
  for i, finding in ipairs(findings) do
    lines[i] = escaped(finding_line(finding))
  end
  local message = findings[1] and finding_line(findings[1]) or event.reason or "failed"
  return string.format("<failure%s>%s</failure>",
    attributes({ { "message", message }, { "type", event.check } }), table.concat(lines, "\n"))
end

local function case_of(event)
  local head = "    <testcase" .. attributes({ { "name", event.check },
    { "classname", "qspec." .. tostring(event.model) }, { "time", time(event.seconds) } })
  if event.status == "pass" then
    return head .. "/>"
  end
  return head .. ">\n      " .. body_of(event) .. "\n    </testcase>"
end

local function new_suite(model)
  return { model = model, cases = {}, seconds = 0, tests = 0, pass = 0, fail = 0, error = 0,
    skip = 0 }
end

local function totals(suite)
  return { { "tests", suite.tests }, { "failures", suite.fail }, { "errors", suite.error },
    { "skipped", suite.skip }, { "time", time(suite.seconds) } }
end

local function add(suite, event)
  suite.tests = suite.tests + 1
  local counted = IS_ERROR[event.status] and "error" or event.status
  suite[counted] = suite[counted] + 1
  suite.seconds = suite.seconds + (event.seconds or 0)
end

local function suite_text(suite, started)
  return "  <testsuite" .. attributes({ { "name", suite.model }, { "timestamp", started } })
    .. attributes(totals(suite)) .. ">\n" .. table.concat(suite.cases, "\n") .. "\n  </testsuite>\n"
end

---@param out { write: fun(self: any, text: string) }
---@return table<string, fun(event: table)>
function M.new(out)
  local started, suites, suite_of, whole = nil, {}, {}, new_suite("qspec")
  local events = {}

  function events.run_start(event)
    -- JUnit's timestamp has no zone.
    started = event.started and tostring(event.started):match("^%d+-%d+-%d+T%d+:%d+:%d+")
  end

  function events.check_end(event)
    local suite = suite_of[event.model]
    if not suite then
      suite = new_suite(event.model)
      suites[#suites + 1], suite_of[event.model] = suite, suite
    end
    suite.cases[#suite.cases + 1] = case_of(event)
    add(suite, event)
    add(whole, event)
  end

  function events.run_end()
    out:write('<?xml version="1.0" encoding="UTF-8"?>\n<testsuites'
      .. attributes({ { "name", "qspec" } }) .. attributes(totals(whole)) .. ">\n")
    for _, suite in ipairs(suites) do
      out:write(suite_text(suite, started))
    end
    out:write("</testsuites>\n")
  end

  return events
end

return M
