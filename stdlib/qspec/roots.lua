-- The folders that hold a qspec/ tree, first wins: the user's own (QSPEC_PATH, separated by ':'),
-- then the one that ships.

local system = require "host.system"

---@return string[]
local function roots()
  local folders = {}
  for folder in (system.env("QSPEC_PATH") or ""):gmatch("[^:]+") do
    folders[#folders + 1] = folder
  end
  folders[#folders + 1] = system.home() .. "/stdlib"
  return folders
end

return roots
