---@meta host.gpu

-- GPUs without LibTorch: what the driver says of them, and tensors on their way there. Needs
-- libqspec_cuda.so beside the program. Functions raise an error of kind "device" where the driver
-- shows no GPU, is too old, or no kernel runs on the chip.

---@class host.gpu
local gpu = {}

---@return boolean whether libqspec_cuda.so is there
function gpu.is_there() end

---@return string? reason why no GPU can be used, as far as files show it
function gpu.obstacle() end

---Begins the context of a GPU, and mapping LibTorch, in the background; what goes wrong is raised
---by whoever needs them. Without libqspec_cuda.so nothing happens.
---@param number integer from 0
function gpu.begin(number) end

---@return integer? count of GPUs; nil without libqspec_cuda.so
function gpu.count() end

---Waits for the context.
---@param number integer from 0
---@return table facts {name, major, minor, memory_bytes, free_bytes}
function gpu.facts(number) end

---A checkpoint with tensors on their way to a GPU: host.tensor.read gives those as they lie there.
---Returns at once; reading waits. What fails on the way is raised by the read.
---@param checkpoint any host.checkpoint
---@param number integer of the GPU
---@param kept string[] names of tensors in files that stay as long as the checkpoint
---@param passing string[] names of those that are read once, in this order, and go when they are
---released; at most half of the free memory holds them
---@return any checkpoint
function gpu.upload(checkpoint, number, kept, passing) end

return gpu
