-- A checkpoint against a lock: the checkpoint is read just as far as the lock was taken.

local changes = require "qspec.lock.changes"
local file = require "qspec.lock.file"
local outcome = require "qspec.outcome"
local outputs = require "qspec.lock.outputs"
local record = require "qspec.lock.record"
local Subject = require "qspec.subject"

local M = {}

-- Whether the values of any module were recorded.
local function has_values(lock)
  for _, module in ipairs(lock.modules) do
    if module.values then return true end
  end
  return false
end

local function require_same_kind(lock, subject, path)
  local found = subject.architecture.name
  if lock.architecture == found then return end
  error(outcome.error("usage", ("the lock is of a '%s', the checkpoint is a '%s'"):format(
    lock.architecture, found), "this is the lock of another model", path), 0)
end

--- What changed since a lock was taken.
---@param lock table record
---@param subject table
---@param o table {path: of the lock, says: true to generate too, progress?}
---@return qspec.Change[]
---@return table record of the checkpoint as it is now
function M.with_checkpoint(lock, subject, o)
  require_same_kind(lock, subject, o.path)
  local now = record.take(subject, { bytes_only = not has_values(lock), known = lock,
    progress = o.progress })
  if o.says and lock.outputs then now.outputs = outputs.take(subject, lock.outputs) end
  return changes.between(lock, now), now
end

--- Two records, or one and a checkpoint.
---@param first string path of a lock or a checkpoint
---@param second string the same; one of them is a lock
---@param progress fun(done, total, what)
---@return qspec.Change[]
function M.of_paths(first, second, progress)
  local locks, subject = {}, nil
  for i, path in ipairs { first, second } do
    if file.is_lock(path) then
      locks[i] = file.read(path)
    else
      subject = Subject.new { name = path, path = path }
    end
  end
  if not subject then return changes.between(locks[1], locks[2]) end
  local lock = locks[1] or locks[2]
  local list, now = M.with_checkpoint(lock, subject, { path = locks[1] and first or second,
    progress = progress })
  return locks[1] and list or changes.between(now, lock)
end

--- Whether two records have no tensor in common: most often those of two models.
function M.are_strangers(a, b)
  local known = {}
  for _, tensor in ipairs(a.tensors) do known[tensor.sha256] = true end
  for _, tensor in ipairs(b.tensors) do
    if known[tensor.sha256] then return false end
  end
  return true
end

return M
