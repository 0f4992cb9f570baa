-- Drives a reporter with the events of a small run and gives back what it wrote.

local registry = require "qspec.registry"

local M = {}

---A check_end event of model "tiny"; what is not given is that of a pass.
---@param changes table
---@return table
function M.check(changes)
  local event = { model = "tiny", check = "memory", needs = "header", status = "pass",
    seconds = 0.0021, where = "bloom.lua:3", findings = {}, notes = {}, measured = {} }
  for field, value in pairs(changes) do event[field] = value end
  return event
end

---A finding about module "h.0.mlp".
---@param changes table
---@return table
function M.finding(changes)
  local finding = { model = "tiny", check = "layers", module = "h.0.mlp", found = "Linear",
    wanted = "Linear4bit", where = "bloom.lua:7" }
  for field, value in pairs(changes) do finding[field] = value end
  return finding
end

local PROVENANCE = {
  files = { { path = "model.safetensors", size = 12, sha256 = "00" } },
  versions = { qspec = "0.1.0" },
  seed = 0,
  command = "qspec run",
}

local function end_of(checks)
  local counts, verdict = { pass = 0, fail = 0, skip = 0, inconclusive = 0, error = 0 }, "pass"
  for _, event in ipairs(checks) do
    counts[event.status] = counts[event.status] + 1
    if event.status == "fail" then verdict = "fail" end
  end
  return { verdict = verdict, exit_code = verdict == "fail" and 1 or 0, seconds = 0.25,
    counts = counts, device = "cpu", provenance = PROVENANCE }
end

---@param name string the reporter
---@param checks table[] check_end events
---@param options table? of the reporter
---@return string written
function M.written(name, checks, options)
  local parts = {}
  local out = { write = function(_, text) parts[#parts + 1] = text end }
  local events = registry("reporters").get(name).new(out, options)
  local function send(event_name, event)
    if events[event_name] then events[event_name](event) end
  end
  send("run_start", { specs = { "bloom.lua" }, device = "cpu", tier = "generate",
    command = "qspec run", started = "2026-01-02T03:04:05Z", version = "0.1.0" })
  send("model_start", { model = "tiny", path = "models/tiny", architecture = "bloom",
    method = "bitsandbytes" })
  for _, event in ipairs(checks) do
    send("check_start", event)
    for _, finding in ipairs(event.findings) do send("finding", finding) end
    send("check_end", event)
  end
  send("model_end", { model = "tiny", status = "pass" })
  send("run_end", end_of(checks))
  return table.concat(parts)
end

return M
