-- The report for a person: passes short, failures rich, nothing that scrolls by twice.

local findings_table = require "qspec.findings_table"
local printable = require "qspec.printable"
local style = require "qspec.style"
local text_table = require "qspec.text_table"
local units = require "qspec.units"

local M = {
  name = "terminal",
  summary = "a line a check, findings as a table, a verdict; for people",
}

local NAME_WIDTH = 14
local TEXT_WIDTH = 58
local SHORTEST_TEXT = 20
local MEASURES_SHOWN = 3
local PROGRESS_AFTER_SECONDS = 0.5
local BODY_INDENT = "      "

local WORDS = { pass = "", fail = "FAIL", skip = "skip", error = "error",
  inconclusive = "inconclusive" }
local COUNT_ORDER = { { "fail", "failed" }, { "error", "not tested" },
  { "inconclusive", "inconclusive" }, { "pass", "passed" }, { "skip", "skipped" } }

local Terminal = {}
Terminal.__index = Terminal

local function line(text)
  return printable.line(tostring(text))
end

function Terminal:write_line(text)
  self.out:write(text .. "\n")
end

function Terminal:write_wrapped(indent, text, paint)
  for paragraph in text:gmatch("[^\n]+") do
    local shown = line((paragraph:gsub("\t", "  ")))
    for _, part in ipairs(text_table.wrap(shown, self.columns - #indent)) do
      self:write_line(indent .. (paint and paint(part) or part))
    end
  end
end

function Terminal:write_filled(label, text)
  if text and text ~= "" then
    self:write_wrapped(BODY_INDENT, label .. text)
  end
end

-- "ratio 2.95, transformers 1.6 MB": what the check chose, else its first plain measures by name.
local function measured_text(event)
  if event.headline then
    return line(event.headline)
  end
  local names, parts = {}, {}
  for name, value in pairs(event.measured or {}) do
    if type(value) ~= "table" then
      names[#names + 1] = name
    end
  end
  table.sort(names)
  for i = 1, math.min(#names, MEASURES_SHOWN) do
    local name = names[i]
    local label = name:gsub("_bytes$", ""):gsub("_seconds$", ""):gsub("_db$", ""):gsub("_", " ")
    parts[i] = line(label .. " " .. units.measured(name, event.measured[name]))
  end
  return table.concat(parts, ", ")
end

local function status_text(event)
  if event.status == "fail" and #(event.findings or {}) > 0 then
    return "FAIL  " .. units.count(#event.findings, "finding")
  elseif event.status == "pass" then
    return measured_text(event)
  end
  return WORDS[event.status]
end

-- A name too long for its column takes the room of the measures, never that of the status.
function Terminal:write_check(name, event)
  local marks, paint = self.style.marks, self.style[event.status]
  local padded = text_table.pad(name, math.max(NAME_WIDTH, text_table.width(name) + 2))
  local text = status_text(event)
  local room = math.max(NAME_WIDTH + TEXT_WIDTH - text_table.width(padded), 0)
  if event.status == "pass" then
    text = room < SHORTEST_TEXT and "" or text_table.shorten(text, room, marks.ellipsis)
  end
  local seconds = event.seconds and units.seconds(event.seconds) or ""
  self:write_line("  " .. paint(marks[event.status]) .. " " .. padded
    .. (event.status == "pass" and self.style.dim or paint)(text)
    .. (" "):rep(room - text_table.width(text))
    .. self.style.dim(text_table.pad(seconds, 9, "right")))
end

-- Checks in a row that were skipped for one reason are one line.
function Terminal:flush_skips()
  local skips = self.skips
  if not skips then
    return
  end
  self.skips = nil
  local names = table.concat(skips.names, ", ")
  local mark = self.style.skip(self.style.marks.skip)
  local label = #skips.names == 1 and names or units.count(#skips.names, "check")
  local width = math.max(NAME_WIDTH, text_table.width(label) + 2)
  self:write_line("  " .. mark .. " " .. text_table.pad(label, width)
    .. self.style.skip("skip"))
  if #skips.names > 1 then
    self:write_wrapped(BODY_INDENT, names, self.style.dim)
  end
  self:write_filled("", skips.reason)
  self:write_filled("enable: ", skips.enable)
end

function Terminal:add_skip(event)
  local reason, enable = event.reason, event.enable
  if self.skips and (self.skips.reason ~= reason or self.skips.enable ~= enable) then
    self:flush_skips()
  end
  self.skips = self.skips or { reason = reason, enable = enable, names = {} }
  self.skips.names[#self.skips.names + 1] = line(event.check)
end

function Terminal:clear_progress()
  if self.progress_width then
    self.status("\r" .. (" "):rep(self.progress_width) .. "\r")
    self.progress_width = nil
  end
end

function Terminal:run_start(event)
  local parts = { "qspec " .. line(event.version or "") }
  if #(event.specs or {}) > 0 then
    parts[#parts + 1] = line(table.concat(event.specs, ", "))
  end
  if event.device then
    parts[#parts + 1] = line(event.device)
  end
  local dot = " " .. self.style.marks.dot .. " "
  self:write_line(self.style.bold(parts[1]) .. self.style.dim(dot .. table.concat(parts, dot, 2)))
  if event.device_reason and event.device_reason ~= "" then
    self:write_wrapped("  ", "device: " .. event.device_reason, self.style.dim)
  end
end

function Terminal:model_start(event)
  local facts = {}
  for _, fact in ipairs({ event.architecture or false, event.method or false }) do
    facts[#facts + 1] = fact and line(fact) or nil
  end
  self.reason_above = nil
  self:write_line("")
  self:write_line(self.style.bold(line(event.model))
    .. (#facts > 0 and self.style.dim("  " .. table.concat(facts, ", ")) or ""))
  if event.path then
    self:write_line(self.style.dim("  " .. line(event.path)))
  end
  if event.baseline then
    self:write_line(self.style.dim("  against " .. line(event.baseline)))
  end
end

function Terminal:check_start()
  self.check_began = self.clock()
end

function Terminal:progress(event)
  if not self.status or self.clock() - (self.check_began or 0) < PROGRESS_AFTER_SECONDS then
    return
  end
  local share = event.total and event.total > 0 and event.done / event.total
  local text = "  " .. line(event.check) .. "  " .. line(event.what or "")
    .. (share and string.format("  %d%%", math.floor(share * 100)) or "")
  self:clear_progress()
  self.progress_width = text_table.width(text)
  if self.progress_width < self.columns then
    self.status("\r" .. text)
  end
end

-- One cause often stops many checks of a model; it is told once.
function Terminal:write_reason(event)
  if event.reason and event.reason == self.reason_above then
    return self:write_line(BODY_INDENT .. self.style.dim("for the same reason"))
  end
  self.reason_above = event.reason
  self:write_filled("", event.reason)
  if event.status == "error" then
    self:write_filled("where: ", event.error_where or event.where)
  end
  self:write_filled("hint: ", event.hint)
end

-- Of a failure of the running model the modules that add the largest errors.
function Terminal:write_localized(event)
  local rows = { { "largest errors of their own", "added", "inherited" } }
  for i, one in ipairs(event.localized or {}) do
    rows[i + 1] = { line(one.module), units.decibels(one.added_db),
      units.decibels(one.inherited_db) }
  end
  local lines = text_table.lines(rows, { indent = BODY_INDENT, gap = "   ",
    align = { [2] = "right", [3] = "right" } })
  lines[1] = self.style.dim(lines[1])
  for _, text in ipairs(#rows > 1 and lines or {}) do self:write_line(text) end
  if event.next_command then  -- not wrapped: it is to be copied
    self:write_line(BODY_INDENT .. "who is to blame: " .. line(event.next_command))
  end
end

function Terminal:check_end(event)
  self:clear_progress()
  if event.status == "skip" then
    return self:add_skip(event)
  end
  self:flush_skips()
  self:write_check(line(event.check), event)
  for _, text in ipairs(findings_table.lines(event.findings or {}, self)) do
    self:write_line(text)
  end
  self:write_localized(event)
  self:write_reason(event)
  for _, note in ipairs(event.notes or {}) do
    self:write_wrapped(BODY_INDENT, note, self.style.dim)
  end
end

function Terminal:model_end()
  self:clear_progress()
  self:flush_skips()
end

function Terminal:run_end(event)
  local counts = {}
  for _, entry in ipairs(COUNT_ORDER) do
    local count = event.counts and event.counts[entry[1]] or 0
    if count > 0 then
      counts[#counts + 1] = string.format("%d %s", count, entry[2])
    end
  end
  local summary = #counts > 0 and table.concat(counts, ", ") or "nothing was checked"
  local paint = self.style[event.verdict] or self.style.bold
  self:write_line("")
  self:write_line(paint(event.verdict:upper()) .. "  " .. summary
    .. self.style.dim("  in " .. units.seconds(event.seconds or 0)))
end

---@class qspec.TerminalOptions
---@field verbose boolean? show every finding
---@field colour boolean?
---@field ascii boolean?
---@field columns integer?
---@field status (fun(text: string))? writes the progress line
---@field clock (fun(): number)?

local EVENTS = { "run_start", "model_start", "check_start", "progress", "check_end", "model_end",
  "run_end" }

---@param out { write: fun(self: any, text: string) }
---@param options qspec.TerminalOptions? what is not given is found out from stdout
---@return table<string, fun(event: table)>
function M.new(out, options)
  options = options or {}
  local system = require "host.system"
  local detected = style.detect(1, system)
  local function choose(name)
    if options[name] == nil then
      return detected[name]
    end
    return options[name]
  end
  local terminal = setmetatable({
    out = out,
    style = style.new({ colour = choose("colour"), ascii = choose("ascii") }),
    columns = choose("columns"),
    verbose = options.verbose,
    status = options.status or (detected.tty and system.isatty(2) and system.stderr) or nil,
    clock = options.clock or system.clock,
  }, Terminal)
  local events = {}
  for _, name in ipairs(EVENTS) do
    events[name] = function(event)
      terminal[name](terminal, event)
    end
  end
  return events
end

return M
