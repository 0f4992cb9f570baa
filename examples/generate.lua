-- Generation: text, and how sure the model was of each token.
--
--   qspec run examples/generate.lua

model "tiny" { checkpoint = example "bloom-tiny-bnb-nf4" }

check "knows its capitals, and is sure of them" {
  needs = "generate",
  run = function(ctx)
    local generated = ctx:model():generate("The capital of France is", { max_new_tokens = 1 })
    ctx:expect("text", generated.text, "==", "The capital of France is Paris")
    ctx:expect("margin", generated.steps[1].margin, ">", 0.5)
  end,
}
