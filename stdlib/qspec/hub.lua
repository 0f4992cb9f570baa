-- The Hugging Face cache on this machine, read only and offline.
--
-- Layout: <cache>/models--ORG--NAME/{refs/<revision>, snapshots/<commit>/, blobs/}; <cache> is
-- HF_HUB_CACHE, else HF_HOME/hub, else ~/.cache/huggingface/hub (huggingface_hub, constants.py).

local system = require "host.system"

local M = {}

--- The cache folder, whether or not it exists.
function M.cache()
  local cache = system.env("HF_HUB_CACHE")
  if cache and cache ~= "" then return cache end
  local home = system.env("HF_HOME")
  if home and home ~= "" then return home .. "/hub" end
  local xdg = system.env("XDG_CACHE_HOME")
  if xdg and xdg ~= "" then return xdg .. "/huggingface/hub" end
  return (system.env("HOME") or "") .. "/.cache/huggingface/hub"
end

local function commit_of(folder, revision)
  local ref = folder .. "/refs/" .. revision
  if system.kind(ref) == "file" then
    return system.read(ref, 4096):match("^(%x+)%s*$") -- anything else could lead out of the cache
  end
  if system.kind(folder .. "/snapshots/" .. revision) == "directory" then return revision end
end

--- The snapshot folder of a repository, or one file of it.
---@param repository string "org/name"
---@param revision string|nil "main" unless given
---@param file string|nil
---@return string|nil path, string|nil why_not, string|nil how to enable it
function M.find(repository, revision, file)
  revision = revision or "main"
  local folder = M.cache() .. "/models--" .. repository:gsub("/", "--")
  local enable = ("hf download %s%s%s, or --model PATH"):format(repository,
    file and " " .. file or "", revision ~= "main" and " --revision " .. revision or "")
  if system.kind(folder) ~= "directory" then
    return nil, ("%s is not in the Hugging Face cache (%s)"):format(repository, M.cache()), enable
  end
  local commit = commit_of(folder, revision)
  local snapshot = commit and folder .. "/snapshots/" .. commit
  if not snapshot or system.kind(snapshot) ~= "directory" then
    return nil, ("revision '%s' of %s is not in the Hugging Face cache (%s)")
      :format(revision, repository, M.cache()), enable
  end
  if not file then return snapshot end
  if system.kind(snapshot .. "/" .. file) == "file" then return snapshot .. "/" .. file end
  return nil, ("%s of %s is not in the Hugging Face cache (%s)"):format(file, repository,
    M.cache()), enable
end

return M
