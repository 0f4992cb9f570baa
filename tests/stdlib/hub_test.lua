-- The Hugging Face cache: where it is, and what of it is taken.

local test = require "test"

-- The module over a machine with only these variables and entries: true for a folder, else a text.
local function hub_on(variables, entries)
  local real = { system = package.loaded["host.system"], hub = package.loaded["qspec.hub"] }
  package.loaded["qspec.hub"] = nil
  package.loaded["host.system"] = {
    env = function(name) return variables[name] end,
    kind = function(path)
      local entry = entries[path]
      return entry == true and "directory" or entry and "file" or nil
    end,
    read = function(path) return entries[path] end,
  }
  local hub = require "qspec.hub"
  package.loaded["host.system"], package.loaded["qspec.hub"] = real.system, real.hub
  return hub
end

local CACHE = { HF_HUB_CACHE = "/c" }
local FOLDER = "/c/models--org--name"

local function cached(changes)
  local entries = {
    [FOLDER] = true,
    [FOLDER .. "/refs/main"] = "abc123",
    [FOLDER .. "/snapshots/abc123"] = true,
  }
  for path, entry in pairs(changes or {}) do entries[FOLDER .. path] = entry or nil end
  return hub_on(CACHE, entries)
end

test("the cache is where huggingface_hub has it, the most precise variable first", function()
  local all = { HF_HUB_CACHE = "/a", HF_HOME = "/b", XDG_CACHE_HOME = "/c", HOME = "/d" }
  test.equal(hub_on(all, {}).cache(), "/a")
  all.HF_HUB_CACHE = nil
  test.equal(hub_on(all, {}).cache(), "/b/hub")
  all.HF_HOME = nil
  test.equal(hub_on(all, {}).cache(), "/c/huggingface/hub")
  all.XDG_CACHE_HOME = nil
  test.equal(hub_on(all, {}).cache(), "/d/.cache/huggingface/hub")
end)

test("a variable that is empty counts as not set", function()
  local variables = { HF_HUB_CACHE = "", HF_HOME = "", XDG_CACHE_HOME = "", HOME = "/d" }
  test.equal(hub_on(variables, {}).cache(), "/d/.cache/huggingface/hub")
end)

test("a repository is found by what its ref says", function()
  test.equal(cached().find("org/name"), FOLDER .. "/snapshots/abc123")
end)

test("a newline after the commit of a ref does not matter", function()
  test.equal(cached { ["/refs/main"] = "abc123\n" }.find("org/name"), FOLDER .. "/snapshots/abc123")
end)

test("a commit is a revision without a ref", function()
  test.equal(cached { ["/refs/main"] = false }.find("org/name", "abc123"),
    FOLDER .. "/snapshots/abc123")
end)

test("a revision with a slash is a ref in a folder", function()
  local hub = cached { ["/refs/refs/pr/1"] = "abc123" }
  test.equal(hub.find("org/name", "refs/pr/1"), FOLDER .. "/snapshots/abc123")
end)

test("a repository that is not there is absent, with the command that fetches it", function()
  local path, reason, enable = hub_on(CACHE, {}).find("org/name")
  test.equal(path, nil)
  test.equal(reason, "org/name is not in the Hugging Face cache (/c)")
  test.equal(enable, "hf download org/name, or --model PATH")
end)

test("a revision that is not there is named in the reason and in the command", function()
  local path, reason, enable = cached().find("org/name", "v2")
  test.equal(path, nil)
  test.equal(reason, "revision 'v2' of org/name is not in the Hugging Face cache (/c)")
  test.equal(enable, "hf download org/name --revision v2, or --model PATH")
end)

test("a ref to a snapshot that is gone is absence", function()
  test.equal(cached { ["/snapshots/abc123"] = false }.find("org/name"), nil)
end)

test("a ref that is no commit is absence, wherever it points", function()
  test.equal(cached { ["/refs/main"] = "../../secret", ["/snapshots/../../secret"] = true }
    .find("org/name"), nil)
  test.equal(cached { ["/refs/main"] = "", ["/snapshots/"] = true }.find("org/name"), nil)
end)

test("one file of a repository is found in its snapshot", function()
  local hub = cached { ["/snapshots/abc123/a.gguf"] = "GGUF" }
  test.equal(hub.find("org/name", nil, "a.gguf"), FOLDER .. "/snapshots/abc123/a.gguf")
end)

test("a file that was not downloaded says so, with the command that gets it alone", function()
  local path, reason, enable = cached().find("org/name", nil, "a.gguf")
  test.equal({ path, reason, enable }, { nil,
    "a.gguf of org/name is not in the Hugging Face cache (/c)",
    "hf download org/name a.gguf, or --model PATH" })
end)
