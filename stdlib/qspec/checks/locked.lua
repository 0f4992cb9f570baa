-- The checkpoint is the one that a lock was taken of.

local changes = require "qspec.lock.changes"
local comparison = require "qspec.lock.comparison"
local file = require "qspec.lock.file"
local outputs = require "qspec.lock.outputs"
local report = require "qspec.lock.report"

local WANTED = "as it was when it was locked"

local function compare(ctx)
  local subject, path = ctx.subject, ctx.params[1]
  if not subject.path then ctx:skip("there are no files to compare with the lock") end
  return (comparison.with_checkpoint(file.read(path), subject, { path = path,
    progress = function(done, total, what) ctx:progress(done, total, what) end }))
end

local function compare_texts(ctx)
  local lock = file.read(ctx.params[1])
  if not lock.outputs then return {} end
  return changes.of_outputs(lock, { outputs = outputs.take(ctx.subject, lock.outputs) })
end

local function say(ctx, change)
  if not changes.is_worse(change.kind, ctx.params.allow) then
    ctx:note(("%s: %s: %s"):format(change.kind, change.key, report.words(change)))
    return
  end
  local is_module = change.part == "modules"
  ctx:finding { module = is_module and change.key or nil,
    key = is_module and change.kind or change.part .. " " .. change.key,
    found = change.second or "gone", wanted = change.first or WANTED, hint = change.note }
end

return {
  name = "locked",
  summary = "the checkpoint is what it was when qspec lock recorded it",
  needs = "weights",
  params = {
    [1] = { name = "lock", list_of = "string", required = true,
      check = function(list) return #list ~= 1 and "one lock file" or nil end,
      help = "path of a lock file" },
    allow = { type = "string", default = "metadata", allowed = { "nothing", "metadata", "bytes" },
      help = "the worst kind of change that is no finding" },
  },
  details = [[
Reads every tensor and compares it with a lock file (`qspec lock`). A change is of meaning (other
values, configs, tokenizers, texts), of bytes (the same values stored otherwise) or of metadata
(other shards, other formatting). Changes up to `allow` are notes. Where the lock holds outputs,
these are generated again at the generate tier.]],
  example = [[locked { "model.lock.json" }]],
  run = {
    weights = function(ctx)
      for _, change in ipairs(compare(ctx)) do say(ctx, change) end
    end,
    generate = function(ctx)
      for _, change in ipairs(compare_texts(ctx)) do say(ctx, change) end
    end,
  },
}
