-- Name patterns: '*' is any run of bytes (dots too), '?' one byte, '[abc]', '[a-z]' and '[!abc]'
-- one of a set; everything else stands for itself. A pattern matches whole names.
--
-- A pattern is cut at its stars. Each piece has a fixed length, so that taking the leftmost place
-- for every piece in turn is exact and never backtracks.

local outcome = require "qspec.outcome"

local M = {}

local function set_pattern(pattern, first)
  local last = pattern:find("]", first + 2, true)
  if not last then
    local hint = "write '[[]' for the bracket itself"
    error(outcome.error("spec", "pattern '" .. pattern .. "' has a '[' without its ']'", hint))
  end
  local body = pattern:sub(first + 1, last - 1)
  local negated = #body > 1 and body:sub(1, 1) == "!"
  body = (negated and body:sub(2) or body):gsub("[%%%]%[%^]", "%%%0")
  return (negated and "[^" or "[") .. body .. "]", last + 1
end

-- The pieces between the stars: each a Lua pattern without repetition and the bytes it takes.
local function split(pattern)
  local pieces, items, position = {}, {}, 1
  local function finish_piece()
    pieces[#pieces + 1] = { pattern = table.concat(items), length = #items }
    items = {}
  end
  while position <= #pattern do
    local char = pattern:sub(position, position)
    position = position + 1
    if char == "*" then
      finish_piece()
    elseif char == "[" then
      items[#items + 1], position = set_pattern(pattern, position - 1)
    else
      items[#items + 1] = char == "?" and "." or char:gsub("%p", "%%%0")
    end
  end
  finish_piece()
  return pieces
end

-- Where the last of the pieces before the final one ends, nil when one of them has no place.
local function find_inner(name, pieces)
  local position = 0
  for i = 1, #pieces - 1 do
    local piece = pieces[i]
    local anchored = i == 1 and "^" .. piece.pattern or piece.pattern
    local first = name:find(anchored, position + 1)
    if not first then
      return nil
    end
    position = first + piece.length - 1
  end
  return position
end

---@param pattern string
---@return fun(name: string): boolean
function M.compile(pattern)
  if not M.is_pattern(pattern) then
    return function(name)
      return name == pattern
    end
  end
  local pieces = split(pattern)
  local tail = pieces[#pieces]
  local tail_pattern = "^" .. tail.pattern .. "$"
  return function(name)
    local inner_end = find_inner(name, pieces)
    local tail_start = #name - tail.length + 1
    if not inner_end or tail_start <= inner_end or #pieces == 1 and tail_start ~= 1 then
      return false
    end
    return name:find(tail_pattern, tail_start) ~= nil
  end
end

---Whether a text is a pattern rather than a plain name.
---@param text string
---@return boolean
function M.is_pattern(text)
  return text:find("[%*%?%[]") ~= nil
end

return M
