-- Undefined globals are errors, on read and on write: a misspelt local is found where it stands.

---Locks a table of globals. What it holds stays as it is; rawset still adds names.
---@param globals table
---@return table globals
local function strict(globals)
  return setmetatable(globals, {
    __index = function(_, name)
      error(("undefined global '%s'"):format(tostring(name)), 2)
    end,
    __newindex = function(_, name)
      error(("assignment to the undefined global '%s'; write local"):format(tostring(name)), 2)
    end,
    __metatable = false,
  })
end

return strict
