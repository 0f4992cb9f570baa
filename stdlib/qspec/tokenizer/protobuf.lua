-- Messages of protocol buffers, read strictly: varints, fixed words and byte strings, each within
-- the bytes that are there.
--
-- Source: protobuf.dev, "Encoding". Groups (wire types 3 and 4) are refused.

local outcome = require "qspec.outcome"

local M = {}

local VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
local LONGEST_VARINT = 10
local EXACT = 2 ^ 53

local function refuse(where, at, message)
  error(outcome.error("checkpoint", message, "the file is damaged or cut off",
    ("%s: byte %d"):format(where, at - 1)), 0)
end

-- Bits below this one and from it on are kept apart: a Lua number does not hold all 64.
local UPPER_BIT, UPPER_BYTE = 2 ^ 49, 7

-- A varint of 64 bits at `at` as a signed number, and the place behind it.
local function varint(text, at, last, where)
  local lower, upper, scale = 0, 0, 1
  for i = 0, LONGEST_VARINT - 1 do
    local place = at + i
    if place > last then refuse(where, at, "a varint runs past the end") end
    if i == UPPER_BYTE then scale = 1 end
    local byte = text:byte(place)
    if i < UPPER_BYTE then
      lower = lower + byte % 128 * scale
    else
      upper = upper + byte % 128 * scale
    end
    if byte < 128 then
      if upper >= 2 ^ 15 then refuse(where, at, "a varint is beyond 64 bits") end
      if upper >= 2 ^ 14 then upper = upper - 2 ^ 15 end
      return lower + upper * UPPER_BIT, place + 1
    end
    scale = scale * 128
  end
  refuse(where, at, "a varint is longer than 10 bytes")
end

local function float32(text, at)
  local a, b, c, d = text:byte(at, at + 3)
  local sign = d >= 128 and -1 or 1
  local exponent, fraction = d % 128 * 2 + math.floor(c / 128), (c % 128 * 256 + b) * 256 + a
  if exponent == 255 then return fraction == 0 and sign * math.huge or 0 / 0 end
  if exponent == 0 then return sign * fraction * 2 ^ -149 end
  return sign * (1 + fraction * 2 ^ -23) * 2 ^ (exponent - 127)
end

local function sized(at, last, size, where)
  if at + size - 1 > last then
    refuse(where, at, ("a field of %.0f bytes, %d are left"):format(size, last - at + 1))
  end
  return at + size
end

local READ = {}

READ[VARINT] = varint

READ[FIXED32] = function(text, at, last, where)
  local behind = sized(at, last, 4, where)
  return float32(text, at), behind
end

READ[FIXED64] = function(_, at, last, where)
  return nil, sized(at, last, 8, where)
end

-- A byte string is given as its place, so that nothing is copied before it is wanted.
READ[BYTES] = function(text, at, last, where)
  local size, first = varint(text, at, last, where)
  if size < 0 or size > EXACT then refuse(where, at, "a length is out of range") end
  return { first = first, last = first + size - 1 }, sized(first, last, size, where)
end

--- Goes over the fields of a message.
---@param text string the whole file
---@param span { first: integer, last: integer } where the message lies
---@param where string
---@param visit fun(number: integer, wire: integer, value: any, at: integer) a byte string is a span
function M.each(text, span, where, visit)
  local at = span.first
  while at <= span.last do
    local key, behind = varint(text, at, span.last, where)
    local number, wire = math.floor(key / 8), key % 8
    if number < 1 or number >= 2 ^ 29 then
      refuse(where, at, ("field number %.0f"):format(number))
    end
    local read = READ[wire]
    if not read then refuse(where, at, ("wire type %d is not read"):format(wire)) end
    local value, next_at = read(text, behind, span.last, where)
    visit(number, wire, value, at)
    at = next_at
  end
end

M.VARINT, M.BYTES, M.FIXED32 = VARINT, BYTES, FIXED32

--- Raises for a field whose wire type is not that of its kind.
function M.expect(wire, wanted, name, where, at)
  if wire == wanted then return end
  refuse(where, at, ("the field %s has wire type %d, wanted %d"):format(name, wire, wanted))
end

M.refuse = refuse

return M
