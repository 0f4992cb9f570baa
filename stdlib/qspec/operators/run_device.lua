-- R1: the same checkpoint with modules on another device.

local device = require "qspec.device"
local playing = require "qspec.mutation.playing"
local Subject = require "qspec.subject"

local TOKENS = 24

local function logits(path, name)
  local subject = Subject.new { name = path, path = path, device = name }
  local found = subject.runtime:forward(playing.probe(subject, TOKENS))
  subject:release()
  return found:select(1, 1)
end

return {
  id = "R1",
  name = "run_device",
  summary = "the same checkpoint runs on the GPU and on the CPU",
  details = [[
No fault of files: a device map put modules where they were not quantized, or left them behind. The
tokens that the model chooses after a few given ones must be the same on both devices, but for ties.
Wants a GPU.]],
  applies = function(subject)
    if not subject.path then return nil, "there are no files" end
    local ok, chosen = pcall(device.choose, "cuda")
    if ok and chosen then return true end
    return nil, "there is no GPU on this machine that it could run on"
  end,
  doses = { "once" },
  play = function(subject)
    return playing.difference(logits(subject.path, "cpu"), logits(subject.path, "cuda:0"),
      subject.dtype or "float32"), "the same tokens on both devices"
  end,
}
