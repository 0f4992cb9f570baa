---@meta host.checkpoint

-- The tensors of a model as they are stored. Only headers are read until bytes are asked for.

---@class host.checkpoint
local checkpoint = {}

---A folder with model.safetensors or an index and its shards, with pytorch_model.bin or its index
---and shards, or with one model in GGUF files; or one such file.
---@param path string
---@return qspec.Checkpoint
function checkpoint.open(path) end

---@class qspec.TensorEntry
---@field name string
---@field dtype string as stored: "F16"
---@field torch_dtype string as torch names it: "float16"
---@field shape integer[] row-major; empty for a scalar
---@field bytes integer
---@field file string? path; nil for a tensor of an overlay
---@field offset integer? of the first byte within its file

---@class qspec.CheckpointFile
---@field path string
---@field size integer bytes
---@field header_bytes integer all that is not tensor data
---@field metadata table<string, string>

---A contradiction between files, or within one, that leaves the rest readable.
---@class qspec.CheckpointProblem
---@field kind string "ghost", "unlisted", "misplaced" ...: engine/checkpoint/checkpoint.h has all
---@field key string name of the tensor, "" when the whole is meant
---@field found string
---@field wanted string

---@class qspec.Checkpoint
local Checkpoint = {}

---@return string
function Checkpoint:path() end

---@return qspec.CheckpointFile[]
function Checkpoint:files() end

---@return qspec.TensorEntry[] entries in the order of files and offsets
function Checkpoint:tensors() end

---@param name string
---@return qspec.TensorEntry?
function Checkpoint:find(name) end

---@return qspec.CheckpointProblem[]
function Checkpoint:problems() end

---A value of a GGUF file's metadata; the first of the files that has the key is asked.
---@param key string
---@return number|boolean|string|any[]|nil
---@return string|nil type "u32", "string", "f32[]"
function Checkpoint:metadata(key) end

---The keys of the first file's metadata, in its order; none but GGUF files have them.
---@return string[]
function Checkpoint:metadata_keys() end

---The stored bytes of a small tensor; host.tensor reads large ones.
---@param name string
---@param most integer? 2^20 unless given; a longer tensor raises
---@return string
function Checkpoint:bytes(name, most) end

---SHA-256 of the stored bytes of tensors, read in pieces on a few threads.
---@param names string[]
---@return string[] digits 64 each, lower case, in the order of the names
function Checkpoint:hashes(names) end

---The same tensors, to be changed in memory; the files are not.
---@return qspec.Checkpoint
function Checkpoint:overlay() end

---Replaces or adds a tensor. Of an overlay only.
---@param name string
---@param dtype string as stored: "F16"
---@param shape integer[]
---@param data string the bytes, little-endian
function Checkpoint:put(name, dtype, shape, data) end

---Takes a tensor away. Of an overlay only.
---@param name string
function Checkpoint:drop(name) end

---As if a tensor lay in that file of the folder; only an index cares. Of an overlay only.
---@param name string
---@param file string
function Checkpoint:place(name, file) end

---Problems are those of this index from now on. Of an overlay only.
---@param text string as model.safetensors.index.json has it
function Checkpoint:set_index(text) end

---Gives a key of a GGUF file's metadata another value of the same type. Of an overlay only; lists
---stay as they are.
---@param key string one that is there
---@param value number|boolean|string|nil nil takes the key away
function Checkpoint:set_metadata(key, value) end

---Closes it before the collector would.
function Checkpoint:release() end

return checkpoint
