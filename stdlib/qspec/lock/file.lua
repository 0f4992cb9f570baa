-- Lock files on disk: read strictly, replaced whole.

local json = require "host.json"
local outcome = require "qspec.outcome"
local record = require "qspec.lock.record"
local system = require "host.system"

local M = {}

local HINT = "qspec lock writes this file; write it anew from a checkpoint that is known to be good"

local function broken(path, message)
  error(outcome.error("checkpoint", message, HINT, path), 0)
end

local FIELDS = { qspec = "string", date = "string", path = "string", architecture = "string",
  footprint = "table", config = "table", generation_config = "table" }

local LISTS = {
  files = { name = "string", size = "number" },
  tensors = { name = "string", dtype = "string", shape = "table", bytes = "number",
    sha256 = "string" },
  modules = { name = "string", class = "string", status = "string", shape = "table",
    tensors = "table" },
  outputs = { prompt = "string", text = "string", max_new_tokens = "number", tokens = "table",
    margins = "table" },
}

local function check_fields(path, value, fields, what)
  for name, wanted in pairs(fields) do
    if type(value[name]) ~= wanted then
      broken(path, ("%s%s is %s, wanted a %s"):format(what, name, value[name] == nil and "missing"
        or "a " .. type(value[name]), wanted))
    end
  end
end

local function check_list(path, value, name)
  local list = value[name]
  if not json.is_array(list) then broken(path, name .. " is not a list") end
  for i, one in ipairs(list) do
    local what = ("%s[%d]"):format(name, i)
    if type(one) ~= "table" then broken(path, what .. " is not an object") end
    check_fields(path, one, LISTS[name], what .. ".")
  end
end

local function check(path, value)
  local found = type(value) == "table" and value.schema
  if type(found) ~= "string" or not found:find("^qspec%.lock/") then
    broken(path, "this is no lock file: its schema is not " .. record.SCHEMA)
  elseif found ~= record.SCHEMA then
    broken(path, ("the lock is of schema %s, this qspec reads %s"):format(found, record.SCHEMA))
  end
  check_fields(path, value, FIELDS, "")
  for name in pairs(LISTS) do
    if name ~= "outputs" or value.outputs ~= nil then check_list(path, value, name) end
  end
end

--- Whether a path names a lock file, by its name alone.
function M.is_lock(path)
  return path:find("%.lock$") ~= nil or path:find("%.lock%.json$") ~= nil
end

--- Raises an error of kind "io" or "checkpoint" for what `write` did not write.
---@param path string
---@return table record
function M.read(path)
  local ok, value = pcall(json.read, path)
  if not ok then
    local err = outcome.from(value)
    error(outcome.error(err.kind, "the lock file cannot be read: " .. err.message,
      err.kind == "checkpoint" and HINT or err.hint, err.where), 0)
  end
  check(path, value)
  return value
end

local function line(value)
  return json.encode(value, { sort = true })
end

-- A line a fact: two locks can be read side by side.
local function add_list(lines, name, list)
  lines[#lines + 1] = ('  "%s": ['):format(name)
  for i, one in ipairs(list) do
    lines[#lines + 1] = "    " .. line(one) .. (i < #list and "," or "")
  end
  lines[#lines + 1] = "  ],"
end

--- The text of a lock file.
function M.text(value)
  local lines, names = { "{" }, json.keys(value)
  table.sort(names)
  for _, name in ipairs(names) do
    if LISTS[name] then
      add_list(lines, name, value[name])
    else
      lines[#lines + 1] = ('  "%s": %s,'):format(name, line(value[name]))
    end
  end
  lines[#lines] = lines[#lines]:gsub(",$", "")
  lines[#lines + 1] = "}"
  return table.concat(lines, "\n") .. "\n"
end

---@param path string "-" for standard output
---@param value table record
function M.write(path, value)
  if path == "-" then return system.stdout(M.text(value)) end
  system.write_atomic(path, M.text(value))
end

return M
