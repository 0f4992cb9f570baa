-- Modules: what each is, what was asked of it, and what is stored beside its weight.
--
--   qspec run examples/module.lua

model "tiny" { checkpoint = example "bloom-tiny-bnb-nf4" }

check "attention is 4-bit and keeps its companions" {
  run = function(ctx)
    for _, module in ipairs(ctx:modules("*.self_attention.*")) do
      ctx:expect("class", module:class(), "==", "Linear4bit", module:name())
      ctx:expect("holds", module:logical_dtype(), "==", "nf4", module:name())
      ctx:expect("companions", #module:companions(), ">=", 2, module:name())
    end
    ctx:note("lm_head: " .. tostring(ctx:module("lm_head"):reason()))
  end,
}
