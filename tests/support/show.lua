-- Values as text for failure messages: short, sorted, on one line.

local M = {}

local MAX_DEPTH = 4
local MAX_ENTRIES = 24
local MAX_TEXT = 400

local function prints_itself(value)
  local metatable = getmetatable(value)
  return type(metatable) == "table" and metatable.__tostring ~= nil
end

local function is_identifier(key) return type(key) == "string" and key:find("^[%a_][%w_]*$") end

-- Strings before numbers never compare: the type decides first.
local function before(a, b)
  if type(a) ~= type(b) then return type(a) < type(b) end
  if type(a) == "number" or type(a) == "string" then return a < b end
  return tostring(a) < tostring(b)
end

local function sorted_keys(value)
  local keys = {}
  for key in pairs(value) do keys[#keys + 1] = key end
  table.sort(keys, before)
  return keys
end

local render

local function render_entry(value, key, index, depth)
  local text = render(value[key], depth + 1)
  if key == index then return text end
  return (is_identifier(key) and key or "[" .. render(key, depth + 1) .. "]") .. " = " .. text
end

local function render_table(value, depth)
  if depth >= MAX_DEPTH then return "{...}" end
  local parts = {}
  for index, key in ipairs(sorted_keys(value)) do
    if index > MAX_ENTRIES then
      parts[index] = "..."
      break
    end
    parts[index] = render_entry(value, key, index, depth)
  end
  return "{" .. table.concat(parts, ", ") .. "}"
end

function render(value, depth)
  if type(value) == "string" then
    local text = #value > MAX_TEXT and value:sub(1, MAX_TEXT) .. "..." or value
    return (("%q"):format(text):gsub("\\\n", "\\n"):gsub("[%z\1-\31\127]", function(char)
      return ("\\%03d"):format(char:byte())
    end))
  elseif type(value) == "number" then
    return value % 1 == 0 and math.abs(value) < 2 ^ 53 and ("%d"):format(value)
      or ("%.17g"):format(value)
  elseif type(value) == "table" and not prints_itself(value) then
    return render_table(value, depth)
  end
  return tostring(value)
end

---@param value any
---@return string
function M.value(value) return render(value, 0) end

---One step of a path into a table: ".name" or "[3]".
---@param key any
---@return string
function M.key(key)
  return is_identifier(key) and "." .. key or "[" .. render(key, 0) .. "]"
end

return M
