-- GGUF files as models: names, config, order of rows, tokenizer.

local checkpoint = require "host.checkpoint"
local gguf_file = require "gguf_file"
local rows = require "qspec.gguf.rows"
local system = require "host.system"
local test = require "test"
local Subject = require "qspec.subject"
local weights = require "qspec.weights"

local ANY = checkpoint.open(system.home() .. "/examples/models/bloom-tiny")
local WIDTH, HEADS, KV_HEADS, WIDE = 32, 2, 1, 64

-- Row r of a matrix [count, WIDTH] holds r - 1 everywhere; `order` says where the file has it.
local function matrix(count, order)
  local blocks = {}
  for r = 1, count do
    local numbers = {}
    for i = 1, WIDTH do numbers[i] = r - 1 end
    blocks[order and order[r] or r] = gguf_file.q8_0(numbers)
  end
  return table.concat(blocks)
end

local function numbers(count, first)
  local list = {}
  for i = 1, count do list[i] = first + i - 1 end
  return list
end

local TOKENS = { "<s>", "</s>", "a", "b", "Ġ", "ab", "Ġa" }

local function metadata(architecture, more)
  local function key(name) return architecture .. "." .. name end
  local list = { { "general.architecture", "string", architecture },
    { key "block_count", "u32", 1 }, { key "embedding_length", "u32", WIDTH },
    { key "feed_forward_length", "u32", WIDE }, { key "attention.head_count", "u32", HEADS },
    { key "attention.head_count_kv", "u32", KV_HEADS }, { key "context_length", "u32", 128 },
    { key "attention.layer_norm_rms_epsilon", "f32", 1e-6 },
    { key "rope.freq_base", "f32", 10000 }, { "general.file_type", "u32", 7 },
    { "tokenizer.ggml.model", "string", "gpt2" }, { "tokenizer.ggml.pre", "string", "gpt-2" },
    { "tokenizer.ggml.tokens", "string[]", TOKENS },
    { "tokenizer.ggml.token_type", "i32[]", { 3, 3, 1, 1, 1, 1, 1 } },
    { "tokenizer.ggml.merges", "string[]", { "a b", "Ġ a" } },
    { "tokenizer.ggml.bos_token_id", "u32", 0 }, { "tokenizer.ggml.eos_token_id", "u32", 1 } }
  for _, pair in ipairs(more or {}) do list[#list + 1] = pair end
  return list
end

local function down()
  local numbers_ = {}
  for i = 1, 32 do numbers_[i] = i end
  return gguf_file.q8_0(numbers_):rep(WIDTH * WIDE / 32)
end

-- A model of one layer in the order that the converter gives it.
local function tensors(architecture)
  local rotary = architecture == "llama"
  local kv = WIDTH / HEADS * KV_HEADS
  return { { "token_embd.weight", { #TOKENS, WIDTH }, matrix(#TOKENS) },
    { "output_norm.weight", { WIDTH }, numbers(WIDTH, 1) },
    { "blk.0.attn_norm.weight", { WIDTH }, numbers(WIDTH, 1) },
    { "blk.0.ffn_norm.weight", { WIDTH }, numbers(WIDTH, 1) },
    { "blk.0.attn_q.weight", { WIDTH, WIDTH },
      matrix(WIDTH, rotary and rows.rotary(HEADS)(WIDTH)) },
    { "blk.0.attn_k.weight", { kv, WIDTH }, matrix(kv, rotary and rows.rotary(KV_HEADS)(kv)) },
    { "blk.0.attn_v.weight", { kv, WIDTH }, matrix(kv) },
    { "blk.0.attn_output.weight", { WIDTH, WIDTH }, matrix(WIDTH) },
    { "blk.0.ffn_gate.weight", { WIDE, WIDTH }, matrix(WIDE) },
    { "blk.0.ffn_up.weight", { WIDE, WIDTH }, matrix(WIDE) },
    { "blk.0.ffn_down.weight", { WIDTH, WIDE }, down() } }
end

local function subject(architecture, list, pairs_)
  local path = test.tmpfile(".gguf")
  gguf_file.write(path, ANY, pairs_ or metadata(architecture), list or tensors(architecture))
  return Subject.new { name = "model", path = path }
end

test("a file is a model with the config of its metadata", function()
  local model = subject "llama"
  test.equal(model.architecture.name, "llama")
  test.equal(model.config.hidden_size, WIDTH)
  test.equal(model.config.rms_norm_eps, 1e-6)
  test.equal(model.config.vocab_size, #TOKENS)
  test.equal(model.config.tie_word_embeddings, true)
  test.equal(model.quantization, { quant_method = "gguf", file_type = "Q8_0" })
end)

test("every tensor belongs to a module and no fact contradicts the config", function()
  local census = subject("llama").census
  test.equal(census.facts, {})
  test.equal(census.by_name["model.layers.0.mlp.down_proj"].logical_dtype, "q8_0")
end)

test("the order of rotary rows is undone for LLaMA", function()
  local model = subject "llama"
  for _, name in ipairs { "q_proj", "k_proj", "v_proj" } do
    local row = model.census.by_name["model.layers.0.self_attn." .. name]
    local values = weights.read(row, model.checkpoint):select(2, 1):tolist()
    for r, value in ipairs(values) do test.equal(value, r - 1, name) end
  end
end)

test("rows of queries, keys and values are told apart for each head", function()
  -- two heads of width 1: q0 k0 v0 q1 k1 v1, where the file has q0 q1 k0 k1 v0 v1
  test.equal(rows.per_head(2)(6), { 1, 3, 5, 2, 4, 6 })
  -- four queries in two groups: q0 q1 k0 v0 q2 q3 k1 v1
  test.equal(rows.per_group(4, 2)(8), { 1, 2, 5, 7, 3, 4, 6, 8 })
  -- halves of a head of width 4: 0 2 1 3 in the file
  test.equal(rows.rotary(1)(4), { 1, 3, 2, 4 })
end)

test("rows that do not divide into the heads are refused", function()
  local pairs_ = metadata "llama"
  pairs_[5][3] = 5
  local model = subject("llama", nil, pairs_)
  for _, entry in ipairs(model.entries) do
    if entry.name == "blk.0.attn_q.weight" then
      test.raises("32 rows of 'blk.0.attn_q.weight' are not those of its heads", entry.order, 32)
    end
  end
end)

test("norms of Gemma are one more in the file", function()
  local more = { { "gemma.attention.key_length", "u32", WIDTH / HEADS } }
  local model = subject("gemma", nil, metadata("gemma", more))
  local row = model.census.by_name["model.norm"]
  test.equal(weights.read(row, model.checkpoint):tolist()[1], 0)
end)

test("a tensor that stayed in full precision is a fact", function()
  local list, plain = tensors "llama", {}
  for i = 1, WIDE * WIDTH do plain[i] = 0 end
  list[10][3] = plain
  local facts = subject("llama", list).census.facts
  test.equal(#facts, 1)
  test.equal(facts[1].kind, "fell_back")
  test.equal(facts[1].module, "model.layers.0.mlp.up_proj")
end)

test("a tensor that is missing and one that nobody knows are facts", function()
  local list = tensors "llama"
  list[10][1] = "blk.0.ffn_other.weight"
  local kinds = {}
  for _, fact in ipairs(subject("llama", list).census.facts) do kinds[fact.kind] = true end
  test.equal(kinds, { missing = true, orphan = true })
end)

test("the tokenizer is made of the metadata", function()
  local tokenizer = subject("llama").tokenizer
  test.equal(tokenizer:encode("ab a", true), { 5, 6 })
  test.equal(tokenizer:decode({ 0, 5, 6, 1 }, true), "ab a")
end)

test("a text begins with the token that the file wants", function()
  local more = { { "tokenizer.ggml.add_bos_token", "bool", true } }
  test.equal(subject("llama", nil, metadata("llama", more)).tokenizer:encode("ab", true), { 0, 5 })
end)

test("a tokenizer of SentencePiece merges by the scores of its pieces", function()
  local tokens, types, scores = { "<s>", "</s>" }, { 3, 3 }, { 0, 0 }
  local function add(token, kind, score)
    tokens[#tokens + 1], types[#types + 1], scores[#scores + 1] = token, kind, score
    return #tokens - 1
  end
  for byte = 0, 255 do add(("<0x%02X>"):format(byte), 6, 0) end
  add("▁", 1, -3)
  add("a", 1, -1)
  local b, space_a, mark = add("b", 1, -2), add("▁a", 1, -0.5), 2 + ("!"):byte()
  local pairs_ = metadata "llama"
  pairs_[11][3], pairs_[13][3], pairs_[14][3] = "llama", tokens, types
  pairs_[15] = { "tokenizer.ggml.scores", "f32[]", scores }
  local tokenizer = subject("llama", nil, pairs_).tokenizer
  test.equal(tokenizer:encode("ab! a", true), { 0, space_a, b, mark, space_a })
  test.equal(tokenizer:decode({ 0, space_a, b, mark, space_a }, true), "ab! a")
end)

test("what is not known is refused by name", function()
  test.raises("unknown GGUF architecture 'lama'", function()
    return subject("lama", nil, metadata "lama").architecture
  end)
  local pairs_ = metadata "llama"
  pairs_[12][3] = "gpt-9"
  test.raises("tokenizer.ggml.pre 'gpt%-9' is not known", function()
    return subject("llama", nil, pairs_).tokenizer
  end)
  local experts = metadata("llama", { { "llama.expert_count", "u32", 8 } })
  test.raises("experts in GGUF files", function()
    return subject("llama", nil, experts).config
  end)
end)

test("counts that are none are refused", function()
  local pairs_ = metadata "llama"
  pairs_[2][3] = 0
  test.raises("llama.block_count is 0, wanted a count", function()
    return subject("llama", nil, pairs_).config
  end)
end)

test("the scaling of Llama 3 is found again in its factors, and others are refused", function()
  local count, factors = WIDTH / HEADS / 2, {}
  for i = 0, count - 1 do
    local wavelength = 2 * math.pi * 10000 ^ (i / count)
    local smooth = (8192 / wavelength - 1) / 3
    factors[i + 1] = wavelength < 2048 and 1 or wavelength > 8192 and 32
      or 1 / ((1 - smooth) / 32 + smooth)
  end
  local list = tensors "llama"
  list[#list + 1] = { "rope_freqs.weight", { count }, factors }
  local model = subject("llama", list)
  test.equal(model.config.rope_scaling.rope_type, "llama3")
  test.near(model.config.rope_scaling.factor, 32, 1e-5)
  test.equal(model.census.facts, {})
  factors[1] = 2
  test.raises("has 2 at position 0", function() return subject("llama", list).config end)
end)
