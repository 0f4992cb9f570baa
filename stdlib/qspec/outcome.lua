-- How a run can end: statuses, error kinds, exit codes. The only place that maps one to another.

local M = {}

---@alias qspec.Status "pass"|"skip"|"inconclusive"|"error"|"fail"

---@class qspec.Error
---@field kind "usage"|"spec"|"checkpoint"|"unsupported"|"device"|"io"|"internal"
---@field message string what was found and what was wanted
---@field where string file:line, file and byte, or tensor; empty when unknown
---@field hint string the likely cause or the next step; empty when there is none

M.EXIT_PASS = 0
M.EXIT_FAIL = 1
M.EXIT_USAGE = 2
M.EXIT_ERROR = 3
M.EXIT_NOTHING = 4
M.EXIT_INTERNAL = 5

-- A check that could not be tested must not hide one that failed, nor a skip either of them.
-- What too little text could not decide is no pass; it ranks under what could not be tested at all.
local SEVERITY = { pass = 1, skip = 2, inconclusive = 3, error = 4, fail = 5 }

local EXIT_OF_KIND = {
  usage = M.EXIT_USAGE,
  spec = M.EXIT_USAGE,
  checkpoint = M.EXIT_ERROR,
  unsupported = M.EXIT_ERROR,
  device = M.EXIT_ERROR,
  io = M.EXIT_ERROR,
  internal = M.EXIT_INTERNAL,
}

-- When several apply: a fault of ours first, then a mistake of the user, then what the model did.
local EXIT_PRECEDENCE = { M.EXIT_INTERNAL, M.EXIT_USAGE, M.EXIT_FAIL, M.EXIT_ERROR, M.EXIT_PASS }

local error_metatable = {
  __tostring = function(err)
    return err.where ~= "" and err.message .. " (" .. err.where .. ")" or err.message
  end,
  __metatable = false,
}

---An error value of the shape that the host raises. Raise it with `error(value)`.
---@param kind string
---@param message string
---@param hint string?
---@param where string?
---@return qspec.Error
function M.error(kind, message, hint, where)
  if not EXIT_OF_KIND[kind] then
    error("'" .. tostring(kind) .. "' is no kind of error", 2)
  end
  local err = { kind = kind, message = message, hint = hint or "", where = where or "" }
  return setmetatable(err, error_metatable)
end

local function from_text(text, kind)
  if text:find("not enough memory", 1, true) then
    return M.error("device", "out of memory")
  end
  return M.error(kind, text)
end

---Anything that pcall may give, as an error value; one that already is keeps its kind.
---@param err any
---@param kind string? the kind of an error that is only text, "internal" unless given
---@return qspec.Error
function M.from(err, kind)
  kind = kind or "internal"
  if type(err) == "string" then
    return from_text(err, kind)
  end
  if type(err) ~= "table" or type(err.message) ~= "string" then
    return M.error(kind, "raised a " .. type(err) .. " value that is no error message")
  end
  if EXIT_OF_KIND[err.kind] and err.hint and err.where then
    return err
  end
  return M.error(EXIT_OF_KIND[err.kind] and err.kind or kind, err.message, err.hint, err.where)
end

---An error with a place, where it has none of its own.
---@param err any what pcall gave
---@param where string
---@return qspec.Error
function M.at(err, where)
  local known = M.from(err)
  if known.where ~= "" then return known end
  return M.error(known.kind, known.message, known.hint, where)
end

---The worse of two statuses; a nil counts as better than any.
---@param a qspec.Status?
---@param b qspec.Status?
---@return qspec.Status?
function M.worst(a, b)
  if (SEVERITY[b] or 0) > (SEVERITY[a] or 0) then
    return b
  end
  return a
end

---The exit code of one error.
---@param err qspec.Error
---@return integer
function M.exit_of_error(err)
  return EXIT_OF_KIND[err.kind] or M.EXIT_INTERNAL
end

local function exit_of_result(result)
  if result.status == "pass" then
    return M.EXIT_PASS
  elseif result.status == "fail" then
    return M.EXIT_FAIL
  elseif result.status == "error" then
    return EXIT_OF_KIND[result.kind] or M.EXIT_ERROR
  elseif result.status == "inconclusive" then
    return M.EXIT_ERROR
  end
  return M.EXIT_NOTHING
end

---The exit code of a run. No results at all, or only skipped ones, is not a success.
---@param results { status: qspec.Status, kind: string? }[]
---@return integer
function M.exit_code(results)
  local seen = {}
  for _, result in ipairs(results) do
    seen[exit_of_result(result)] = true
  end
  for _, code in ipairs(EXIT_PRECEDENCE) do
    if seen[code] then
      return code
    end
  end
  return M.EXIT_NOTHING
end

return M
