-- Texts to run a model on when nobody says which: ordinary, and of different lengths, so that in a
-- batch all but one are padded.

return { "The capital of France is", "Once upon a time there was a", "Two plus three is",
  "She opened the door, looked around the empty room and", "def add(a, b):\n    return",
  "Water boils at", "The quick brown fox jumps over the lazy dog. The lazy dog",
  "In the year 1969 the first" }
