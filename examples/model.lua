-- The model: logits and hidden states of a forward pass.
--
--   qspec run examples/model.lua

model "tiny" { checkpoint = example "bloom-tiny-bnb-nf4", baseline = example "bloom-tiny" }

check "hidden states stay close to full precision" {
  needs = "forward",
  run = function(ctx)
    local prompt, taps = "The capital of France is", { "layer.0", "final" }
    local logits, hidden = ctx:model():forward(prompt, { taps = taps })
    local _, original = ctx:baseline():forward(prompt, { taps = taps })
    for _, tap in ipairs(taps) do
      local compared = hidden[tap]:to("float32"):compare(original[tap]:to("float32"))
      ctx:expect("cosine at " .. tap, compared.cosine, ">", 0.9)
    end
    ctx:expect("logits that are not finite", logits:isfinite():logical_not():sum(), "==", 0)
  end,
}
