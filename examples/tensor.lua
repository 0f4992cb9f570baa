-- Tensors: arithmetic and reductions on packed, decoded and companion tensors.
--
--   qspec run examples/tensor.lua

model "tiny" { checkpoint = example "bloom-tiny-bnb-nf4", baseline = example "bloom-tiny" }

check "decoding loses under two percent of the energy" {
  needs = "weights",
  run = function(ctx)
    for _, module in ipairs(ctx:modules("*.mlp.*")) do
      local decoded = module:weight()
      local original = ctx:baseline():module(module:name()):weight():to("float32")
      local error_energy = (decoded - original):pow(2):sum() / original:pow(2):sum()
      ctx:expect("nmse", error_energy, "<", 0.02, module:name())
      ctx:expect("largest scale", module:scales():max(), "<", 10, module:name())
    end
  end,
}
