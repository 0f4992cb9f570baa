-- Lock files: what is recorded, and which kind of change each change is.

local changes = require "qspec.lock.changes"
local comparison = require "qspec.lock.comparison"
local file = require "qspec.lock.file"
local json = require "host.json"
local json_schema = require "json_schema"
local outputs = require "qspec.lock.outputs"
local record = require "qspec.lock.record"
local report = require "qspec.lock.report"
local system = require "host.system"
local test = require "test"
local Mutant = require "qspec.mutation.mutant"
local Subject = require "qspec.subject"

local HOME = system.home() .. "/"
local NF4 = HOME .. "examples/models/bloom-tiny-bnb-nf4"
local DENSE = HOME .. "examples/models/bloom-tiny"
local GPTQ = HOME .. "tests/data/qwen2-tiny-gptq4act"

local function subject_of(path)
  return Subject.new { name = "it", path = path }
end

local taken = {}

local function lock_of(path)
  taken[path] = taken[path] or record.take(subject_of(path), {})
  return taken[path]
end

-- The changes since the lock of a checkpoint that `edit` makes, without those of places and files:
-- tensors that were put in memory lie in no file.
local function changed(path, edit, o)
  local mutant = Mutant.new(subject_of(path), "changed")
  edit(mutant)
  local list = {}
  for _, change in ipairs((comparison.with_checkpoint(o and o.lock or lock_of(path),
      mutant:subject(), { path = path }))) do
    local is_place = change.part == "places" or change.key == "model.safetensors"
    if not is_place then list[#list + 1] = change end
  end
  return list
end

local function summary(list)
  local words = {}
  for i, one in ipairs(list) do words[i] = one.kind .. " " .. one.part .. " " .. one.key end
  return table.concat(words, "; ")
end

test("a checkpoint against its own lock has not changed", function()
  for _, path in ipairs { NF4, DENSE, GPTQ } do
    test.equal(comparison.with_checkpoint(lock_of(path), subject_of(path), { path = path }), {})
  end
end)

test("the hash of a tensor is that of its bytes in the file", function()
  local first = lock_of(NF4).tensors[1]
  local stored = subject_of(NF4).stored
  test.equal(first.sha256, system.sha256(stored:bytes(first.name, 2 ^ 30)))
end)

test("one bit of one code is a change of meaning, of the module that holds it", function()
  local name = "transformer.h.1.mlp.dense_h_to_4h"
  local list = changed(NF4, function(mutant)
    local entry = mutant.stored:find(name .. ".weight")
    local bytes = mutant.stored:bytes(entry.name, entry.bytes)
    mutant:put(entry.name, entry.dtype, entry.shape, string.char((bytes:byte(1) + 16) % 256)
      .. bytes:sub(2))
  end)
  test.equal(summary(list), "meaning modules " .. name)
  test.equal(list[1].second, "other values in weight")
end)

test("the same values in a wider dtype are other bytes and no other meaning", function()
  local list = changed(DENSE, function(mutant)
    local tensor = require "host.tensor"
    mutant:store("transformer.ln_f.weight",
      tensor.read(mutant.genuine.stored, "transformer.ln_f.weight"):to("float32"))
  end)
  test.equal(summary(list), "bytes modules transformer.ln_f")
end)

test("minus zero is zero", function()
  local function put(sign)
    return function(mutant)
      mutant:put("transformer.ln_f.bias", "F16", { 256 }, ("\0" .. sign):rep(256))
    end
  end
  local mutant = Mutant.new(subject_of(DENSE), "zeros")
  put("\0")(mutant)
  local zeros = record.take(mutant:subject(), { known = lock_of(DENSE) })
  test.equal(summary(changed(DENSE, put("\128"), { lock = zeros })),
    "bytes modules transformer.ln_f")
end)

test("the bias of a packed module in a wider dtype is other bytes", function()
  local module = "model.layers.0.self_attn.q_proj"
  local list = changed(GPTQ, function(mutant)
    local stored = require("host.tensor").read(mutant.genuine.stored, module .. ".bias")
    mutant:store(module .. ".bias", stored:to("float32"))
  end)
  test.equal(summary(list), "bytes modules " .. module)
  test.equal(list[1].second, "the same values in other bytes of bias")
end)

test("a scale of activations, which no weight is decoded with, is a change of meaning", function()
  local path = HOME .. "tests/data/qwen2-tiny-ct-fp8_dynamic"
  local list = changed(path, function(mutant)
    mutant:put("model.layers.0.self_attn.q_proj.input_scale", "F32", { 1 }, "\0\0\0\64")
  end)
  test.equal(summary(list), "meaning modules model.layers.0.self_attn.q_proj")
  test.equal(list[1].note, nil)
end)

test("a module that fell back, one that is gone and one that came are of meaning", function()
  local name = "transformer.h.0.mlp.dense_h_to_4h"
  local list = changed(NF4, function(mutant)
    for _, row in ipairs(mutant:packed()) do
      if row.name == name then mutant:drop_packed(row) end
    end
  end)
  test.equal(list[1].kind .. " " .. list[1].key, "meaning " .. name)
  local a, b = lock_of(NF4), { }
  for key, value in pairs(a) do b[key] = value end
  b.modules = { unpack(a.modules, 2) }
  test.equal(changes.between(a, b)[1].key, a.modules[1].name)
  test.equal(changes.between(b, a)[1].key, a.modules[1].name)
end)

test("a tensor that no module owns is a change of bytes", function()
  local list = changed(DENSE, function(mutant) mutant:put("stray", "U8", { 1 }, "x") end)
  test.equal(summary(list), "bytes tensors stray")
end)

test("of config.json a setting is of meaning, and who wrote it is metadata", function()
  test.equal(summary(changed(NF4, function(mutant)
    mutant:edit_config(function(config) config.layer_norm_epsilon = 1e-3 end)
  end)), "meaning config layer_norm_epsilon")
  test.equal(summary(changed(NF4, function(mutant)
    mutant:edit_config(function(config) config.transformers_version = "9" end)
  end)), "metadata config transformers_version")
  test.equal(summary(changed(NF4, function(mutant)
    mutant:edit_quantization(function(config) config.bnb_4bit_compute_dtype = "float32" end)
  end)), "meaning quantization_config bnb_4bit_compute_dtype")
end)

test("files that say the same in other words are metadata, other words are meaning", function()
  local list = changed(NF4, function(mutant)
    for _, name in ipairs { "config.json", "tokenizer.json" } do
      mutant.folder:put(name, json.encode((mutant.folder:json(name)), { sort = true }))
    end
  end)
  test.equal(summary(list), "metadata files config.json; metadata files tokenizer.json")
  test.equal(summary(changed(NF4, function(mutant)
    mutant:edit_json("tokenizer.json", function(value) value.normalizer = { type = "NFC" } end)
  end)), "meaning files tokenizer.json")
  test.equal(summary(changed(NF4, function(mutant) mutant.folder:drop("tokenizer.json") end)),
    "meaning files tokenizer.json")
  test.equal(summary(changed(NF4, function(mutant) mutant.folder:put("README.md", "x") end)),
    "metadata files README.md")
end)

test("tensors that moved to other shards are one change, of metadata", function()
  local a, b = lock_of(NF4), {}
  for key, value in pairs(a) do b[key] = value end
  b.tensors = json.array()
  for i, tensor in ipairs(a.tensors) do
    local copy = {}
    for key, value in pairs(tensor) do copy[key] = value end
    copy.file = i > 50 and "model-2.safetensors" or "model-1.safetensors"
    b.tensors[i] = copy
  end
  test.equal(summary(changes.between(a, b)), "metadata places 101 tensors")
end)

test("without hashes of values a change of bytes is taken for one of meaning, and says so",
  function()
    local bare = record.take(subject_of(DENSE), { bytes_only = true })
    test.equal(bare.modules[1].values, nil)
    local list = changed(DENSE, function(mutant)
      mutant:put("transformer.ln_f.bias", "F16", { 256 }, ("\0"):rep(512))
    end, { lock = bare })
    test.equal(summary(list), "meaning modules transformer.ln_f")
    test.ok(list[1].note:find("not recorded", 1, true))
  end)

test("texts that changed name the token and its margin", function()
  local wanted = { { prompt = "Hello my name is", max_new_tokens = 3 } }
  local a = { outputs = outputs.take(subject_of(NF4), wanted) }
  for key, value in pairs(lock_of(NF4)) do a[key] = value end
  test.equal(#a.outputs[1].margins, 3)
  local mutant = Mutant.new(subject_of(NF4), "mute")
  local entry = mutant.stored:find("transformer.ln_f.weight")
  mutant:put(entry.name, entry.dtype, entry.shape, ("\0"):rep(entry.bytes))
  local list = comparison.with_checkpoint(a, mutant:subject(), { path = NF4, says = true })
  local of_output
  for _, change in ipairs(list) do of_output = change.part == "outputs" and change or of_output end
  test.equal(of_output.kind, "meaning")
  test.ok(of_output.note:find("^from new token 1 on, which had a margin of %d"))
end)

test("what is written is read back, and both documents are as their schemas say", function()
  local path = test.tmpfile(".lock.json")
  local value = record.take(subject_of(NF4), {})
  value.outputs = outputs.take(subject_of(NF4), { { prompt = "A", max_new_tokens = 1 } })
  file.write(path, value)
  local read = file.read(path)
  test.equal(changes.between(value, read), {})
  test.equal(json_schema.problem(read, "lock"), nil)
  local list = changed(NF4, function(mutant)
    mutant:edit_config(function(config) config.n_head = 4 end)
  end)
  local document = json.decode(json.encode(report.to_json(list, "a", "b")))
  test.equal(json_schema.problem(document, "changes"), nil)
  test.equal(document.worst, "meaning")
end)

test("a lock that is cut, of another version, or no lock at all is refused by name", function()
  local path = test.tmpfile(".lock.json")
  local text = file.text(lock_of(NF4))
  local function refused(pattern, changed_text)
    system.write_atomic(path, changed_text)
    local err = test.raises(pattern, file.read, path)
    test.equal(err.kind, "checkpoint")
  end
  refused("not JSON", text:sub(1, 3000))
  refused("schema qspec.lock/2, this qspec reads qspec.lock/1", (text:gsub("lock/1", "lock/2")))
  refused("no lock file", "{}")
  refused("no lock file", "[]")
  refused("tensors%[1%]%.sha256 is a number, wanted a string",
    (text:gsub('"sha256":"[^"]*"(,"shape")', '"sha256":7%1', 1)))
  refused("modules is not a list", (text:gsub('"modules": %[.-\n  %]', '"modules": {}')))
  refused("architecture is missing", (text:gsub('  "architecture": [^\n]*\n', "")))
end)

test("the lock of another architecture is a usage error", function()
  local err = test.raises("the lock is of a 'bloom', the checkpoint is a 'qwen2'",
    comparison.with_checkpoint, lock_of(NF4), subject_of(GPTQ), { path = "x" })
  test.equal(err.kind, "usage")
end)

test("a change is worse than what is allowed only beyond it", function()
  test.equal(changes.is_worse("metadata", "metadata"), false)
  test.equal(changes.is_worse("bytes", "metadata"), true)
  test.equal(changes.is_worse("metadata", "nothing"), true)
  test.equal(changes.is_worse("meaning", "bytes"), true)
end)
