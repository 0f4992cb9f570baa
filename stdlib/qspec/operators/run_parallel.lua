-- R3: the same checkpoint on several devices at once.

return {
  id = "R3",
  name = "run_parallel",
  summary = "the model is split over several devices, or runs on another generation of them",
  details = "Tensor parallelism cuts weights and their scales in parts; this engine cuts none.",
  applies = function()
    return nil, "the engine runs a model on one device"
  end,
  doses = { "once" },
  play = function() return nil end,
}
