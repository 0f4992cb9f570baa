-- qspec version: what runs and, on demand, what it was built with.

local system = require "host.system"

local M = {
  name = "version",
  summary = "show the version of qspec, and of its parts with --verbose",
  examples = { "qspec --version", "qspec version --verbose" },
}

function M.options(parser)
  parser:flag("-v --verbose", "Show the versions of the parts too.")
end

function M.run(args)
  local versions, parts = system.version(), {}
  for name, version in pairs(args.verbose and versions or {}) do
    if name ~= "qspec" then
      parts[#parts + 1] = "  " .. name .. " " .. version .. "\n"
    end
  end
  table.sort(parts)
  system.stdout("qspec " .. versions.qspec .. "\n" .. table.concat(parts))
  return 0
end

return M
