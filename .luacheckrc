local folders = require "lfs"

-- The checks and formats that specs may name are the files of these folders.
local function stems(folder)
  local names = {}
  for file in folders.dir(folder) do
    names[#names + 1] = file:match("^(.*)%.lua$")
  end
  return names
end

local verbs = { "family", "model", "example", "hub", "path", "check" }
for _, folder in ipairs { "stdlib/qspec/checks", "stdlib/qspec/formats" } do
  for _, name in ipairs(stems(folder)) do verbs[#verbs + 1] = name end
end

std = "luajit"
max_line_length = 100
-- "not (x >= y)" is not "x < y": both are false when x is NaN.
ignore = { "581" }
files["specs"] = { read_globals = verbs }
files["examples"] = { read_globals = verbs }
files["stdlib/qspec/meta"] = { ignore = { "212", "241" } }
exclude_files = { ".qspec" }
