-- Names and texts out of files, made fit to be shown: the twin of the engine's printable().

local M = {}

-- Well-formed UTF-8 beyond ASCII, one pattern for each row of the Unicode standard's table 3-7.
local WELL_FORMED = {
  "^[\194-\223][\128-\191]",
  "^\224[\160-\191][\128-\191]",
  "^[\225-\236\238\239][\128-\191][\128-\191]",
  "^\237[\128-\159][\128-\191]",
  "^\240[\144-\191][\128-\191][\128-\191]",
  "^[\241-\243][\128-\191][\128-\191][\128-\191]",
  "^\244[\128-\143][\128-\191][\128-\191]",
}

-- Well formed, yet they steer a terminal, reorder a line, or are not allowed in XML: C1 controls,
-- bidirectional overrides, and the two noncharacters of the basic plane.
local STEERING = {
  "^\194[\128-\159]",
  "^\226\128[\170-\174]",
  "^\226\129[\166-\169]",
  "^\239\191[\190\191]",
}

local function hex(bytes)
  return (bytes:gsub(".", function(byte)
    return string.format("\\x%02X", byte:byte())
  end))
end

local function end_of_match(text, position, patterns)
  for _, pattern in ipairs(patterns) do
    local _, last = text:find(pattern, position)
    if last then
      return last
    end
  end
  return nil
end

local function escape_run(run, escape_steering)
  local parts, position = {}, 1
  while position <= #run do
    local last = end_of_match(run, position, WELL_FORMED)
    local shown = last and run:sub(position, last) or hex(run:sub(position, position))
    if last and escape_steering and end_of_match(run, position, STEERING) then
      shown = hex(shown)
    end
    parts[#parts + 1] = shown
    position = (last or position) + 1
  end
  return table.concat(parts)
end

local function escape_high(text, escape_steering)
  if not text:find("[\128-\255]") then
    return text
  end
  return (text:gsub("[\128-\255]+", function(run)
    return escape_run(run, escape_steering)
  end))
end

---Well-formed UTF-8: bytes that are not become \xNN. Control characters stay.
---@param text string
---@return string
function M.utf8(text)
  return escape_high(text, false)
end

---For several lines on a terminal: as `line`, but line feeds stay.
---@param text string
---@return string
function M.lines(text)
  return (escape_high(text, true):gsub("[%z\1-\9\11-\31\127]", hex))
end

---For one line on a terminal or in XML: control characters and what steers a terminal become \xNN.
---@param text string
---@return string
function M.line(text)
  return (escape_high(text, true):gsub("[%z\1-\31\127]", hex))
end

return M
