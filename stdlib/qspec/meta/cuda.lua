---@meta host.cuda

-- LibTorch's CUDA side. Requiring it maps the libraries, and raises a device error that says why
-- when there is no driver, no GPU, or a LibTorch without them. It comes before the first tensor.

---@class host.cuda
---@field devices integer how many GPUs the driver shows
---@field kernels boolean whether libqspec_cuda.so is there; without it the CPU decodes weights
