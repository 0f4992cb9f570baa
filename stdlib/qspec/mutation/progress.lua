-- One line on standard error that says how far a long run is; none where nobody looks.

local system = require "host.system"

local M = {}

local QUIET = { show = function() end, clear = function() end }

---@return {show: fun(done: integer, total: integer, what: string), clear: fun()}
function M.open()
  if not system.isatty(2) then return QUIET end
  local width = system.columns() - 1
  local line = {}
  function line.show(done, total, what)
    local text = ("%d of %d  %s"):format(done, total, what):sub(1, width)
    system.stderr("\r" .. text .. (" "):rep(width - #text))
  end
  function line.clear() system.stderr("\r" .. (" "):rep(width) .. "\r") end
  return line
end

return M
