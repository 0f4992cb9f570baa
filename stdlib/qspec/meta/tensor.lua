---@meta host.tensor
-- host.tensor: tensors and packed weights. Loaded, LibTorch with it, at the first require.
--
-- Elements, dimensions and blocks count from 1, and from -1 backwards. dtypes are torch's names:
-- "float16". Operations return new tensors and broadcast as PyTorch does; a number as operand
-- takes the dtype of the tensor. Half types reduce to Lua numbers in float32.

---@class qspec.Tensor
---@operator add(qspec.Tensor|number): qspec.Tensor
---@operator sub(qspec.Tensor|number): qspec.Tensor
---@operator mul(qspec.Tensor|number): qspec.Tensor
---@operator div(qspec.Tensor|number): qspec.Tensor
---@operator mod(qspec.Tensor|number): qspec.Tensor
---@operator pow(qspec.Tensor|number): qspec.Tensor
---@operator unm: qspec.Tensor
---@operator len: integer
local Tensor = {}

---@alias qspec.Operand qspec.Tensor|number

---@class qspec.Comparison
---@field sqnr_db number 10 log10(sum r^2 / sum e^2); inf when equal, -inf with a non-finite value
---@field cosine number sum r q / sqrt(sum r^2 sum q^2)
---@field nmse number sum e^2 / sum r^2
---@field max_abs_error number largest |e|
---@field worst_index integer? where max_abs_error is first reached, in the flattened tensor
---@field worst_block integer? the block with the largest sum e^2 / sum r^2
---@field worst_block_sqnr_db number sqnr_db of that block
---@field worst_block_power number its sum r^2 over that of an average block; 0 when all are equal
---@field gain number sum r q / sum r^2: 1.05 when values are 5 % too large; inf when not finite
---@field count integer
---@field nonfinite_decoded integer
---@field nonfinite_baseline integer

---@class qspec.Statistics
---@field count integer
---@field nan integer
---@field inf integer
---@field zeros integer
---@field min number of the finite values, as the fields below; NaN when there is none
---@field max number
---@field mean number
---@field absmax number
---@field rms number

-- What it is ---------------------------------------------------------------------------------

---@return string dtype "float16"
function Tensor:dtype() end

---@return integer[] sizes
function Tensor:shape() end

---@return integer dimensions
function Tensor:dim() end

---@return integer elements
function Tensor:numel() end

---@return integer bytes of its elements
function Tensor:bytes() end

--- The value of a tensor of one element.
---@return number|boolean
function Tensor:item() end

--- SHA-256 of its bytes in memory, in order.
---@return string digits 64 hexadecimal ones
function Tensor:sha256() end

--- Its values as nested tables.
---@param most integer? elements allowed, 65536 unless given
---@return any
function Tensor:tolist(most) end

--- One pass over the values.
---@return qspec.Statistics
function Tensor:stats() end

--- How far these decoded values lie from `baseline` (e = decoded - baseline), in blocks of 64.
---@param baseline qspec.Tensor of the same shape
---@return qspec.Comparison
function Tensor:compare(baseline) end

--- Same dtype, same shape, same bits: NaN equals itself, 0 and -0 differ.
---@param other qspec.Tensor
---@return boolean
function Tensor:equal(other) end

--- Frees the tensor now; using it again is an error. The collector would, later.
function Tensor:release() end

-- Element by element -------------------------------------------------------------------------

---@param other qspec.Operand
---@return qspec.Tensor
function Tensor:add(other) end

---@param other qspec.Operand
---@return qspec.Tensor
function Tensor:sub(other) end

---@param other qspec.Operand
---@return qspec.Tensor
function Tensor:mul(other) end

--- True division: integers give floats.
---@param other qspec.Operand
---@return qspec.Tensor
function Tensor:div(other) end

--- Remainder with the sign of the divisor, as Lua's %.
---@param other qspec.Operand
---@return qspec.Tensor
function Tensor:mod(other) end

---@param exponent qspec.Operand
---@return qspec.Tensor
function Tensor:pow(exponent) end

---@return qspec.Tensor
function Tensor:neg() end

---@return qspec.Tensor
function Tensor:abs() end

---@return qspec.Tensor
function Tensor:sqrt() end

---@return qspec.Tensor
function Tensor:exp() end

---@return qspec.Tensor
function Tensor:log() end

---@return qspec.Tensor
function Tensor:floor() end

--- To the nearest whole number, ties to even.
---@return qspec.Tensor
function Tensor:round() end

---@param low number|nil
---@param high number|nil
---@return qspec.Tensor
function Tensor:clamp(low, high) end

---@param other qspec.Operand
---@return qspec.Tensor
function Tensor:minimum(other) end

---@param other qspec.Operand
---@return qspec.Tensor
function Tensor:maximum(other) end

---@param other qspec.Operand
---@return qspec.Tensor bools
function Tensor:eq(other) end

---@param other qspec.Operand
---@return qspec.Tensor bools
function Tensor:ne(other) end

---@param other qspec.Operand
---@return qspec.Tensor bools
function Tensor:lt(other) end

---@param other qspec.Operand
---@return qspec.Tensor bools
function Tensor:le(other) end

---@param other qspec.Operand
---@return qspec.Tensor bools
function Tensor:gt(other) end

---@param other qspec.Operand
---@return qspec.Tensor bools
function Tensor:ge(other) end

---@param other qspec.Tensor
---@return qspec.Tensor bools
function Tensor:logical_and(other) end

---@param other qspec.Tensor
---@return qspec.Tensor bools
function Tensor:logical_or(other) end

---@return qspec.Tensor bools
function Tensor:logical_not() end

---@return qspec.Tensor bools
function Tensor:isfinite() end

---@return qspec.Tensor bools
function Tensor:isnan() end

---@return qspec.Tensor bools
function Tensor:isinf() end

--- Of a bool tensor: elements of `a` where it is true and of `b` elsewhere.
---@param a qspec.Operand
---@param b qspec.Operand
---@return qspec.Tensor
function Tensor:where(a, b) end

--- Bitwise and of integers.
---@param other qspec.Operand
---@return qspec.Tensor
function Tensor:band(other) end

--- Bitwise or of integers.
---@param other qspec.Operand
---@return qspec.Tensor
function Tensor:bor(other) end

---@param bits qspec.Operand
---@return qspec.Tensor
function Tensor:lshift(bits) end

---@param bits qspec.Operand
---@return qspec.Tensor
function Tensor:rshift(bits) end

--- Product of matrices, or of batches of them.
---@param other qspec.Tensor
---@return qspec.Tensor
function Tensor:matmul(other) end

-- Shape, order and dtype ---------------------------------------------------------------------

---@param dtype string
---@return qspec.Tensor
function Tensor:to(dtype) end

---@param ... integer|integer[] sizes; one may be -1
---@return qspec.Tensor
function Tensor:reshape(...) end

--- Without copying; with a dtype the same bytes as elements of that dtype.
---@param ... integer|integer[]|string sizes, or a dtype
---@return qspec.Tensor
function Tensor:view(...) end

---@return qspec.Tensor
function Tensor:flatten() end

---@param dim integer
---@param other integer
---@return qspec.Tensor
function Tensor:transpose(dim, other) end

--- The transpose of a matrix.
---@return qspec.Tensor
function Tensor:t() end

---@return qspec.Tensor
function Tensor:contiguous() end

---@return qspec.Tensor
function Tensor:clone() end

--- `length` elements along `dim`, beginning with the one at `first`. A view.
---@param dim integer
---@param first integer
---@param length integer
---@return qspec.Tensor
function Tensor:narrow(dim, first, length) end

--- The elements at one position of `dim`, without that dimension. A view.
---@param dim integer
---@param position integer
---@return qspec.Tensor
function Tensor:select(dim, position) end

---@param dim integer
---@param positions integer[]|qspec.Tensor
---@return qspec.Tensor
function Tensor:index_select(dim, positions) end

-- Reductions: of everything to a Lua value, or along one dimension to a tensor -----------------

---@param dim integer?
---@return number|qspec.Tensor
function Tensor:sum(dim) end

---@param dim integer?
---@return number|qspec.Tensor
function Tensor:mean(dim) end

---@param dim integer?
---@return number|qspec.Tensor values
---@return qspec.Tensor? positions along `dim`
function Tensor:max(dim) end

---@param dim integer?
---@return number|qspec.Tensor values
---@return qspec.Tensor? positions along `dim`
function Tensor:min(dim) end

--- Standard deviation, divided by count - 1.
---@param dim integer?
---@return number|qspec.Tensor
function Tensor:std(dim) end

--- Square root of the sum of squares.
---@param dim integer?
---@return number|qspec.Tensor
function Tensor:norm(dim) end

--- Position of the largest element, in the flattened tensor or along `dim`.
---@param dim integer?
---@return integer|qspec.Tensor
function Tensor:argmax(dim) end

---@param dim integer?
---@return integer|qspec.Tensor
function Tensor:argmin(dim) end

--- The largest `count` along `dim` (the last unless given), largest first.
---@param count integer
---@param dim integer?
---@return qspec.Tensor values
---@return qspec.Tensor positions
function Tensor:topk(count, dim) end

---@param dim integer?
---@return boolean|qspec.Tensor
function Tensor:any(dim) end

---@param dim integer?
---@return boolean|qspec.Tensor
function Tensor:all(dim) end

---@param dim integer?
---@return integer|qspec.Tensor
function Tensor:count_nonzero(dim) end

-- Packed weights -----------------------------------------------------------------------------

--- A quantized weight with everything that decoding it takes.
---@class qspec.Packed
local Packed = {}

---@class qspec.CodeStatistics
---@field lowest_code integer
---@field histogram integer[] histogram[i]: occurrences of code lowest_code + i - 1
---@field scales integer
---@field zero_scales integer
---@field nonfinite_scales integer

--- The weight in full, cast once from float32.
---@param dtype "float32"|"float16"|"bfloat16"|nil float32 unless given
---@return qspec.Tensor
function Packed:decode(dtype) end

--- The decoded weight (float32) against `baseline`, in the layout's own blocks, without making it.
---@param baseline qspec.Tensor of the same shape
---@return qspec.Comparison
function Packed:compare(baseline) end

---@return integer[] sizes of the decoded weight
function Packed:shape() end

---@return integer bytes of codes and side tensors
function Packed:bytes() end

---@return qspec.CodeStatistics
function Packed:statistics() end

--- Frees the weight now; using it again is an error. The collector would, later.
function Packed:release() end

-- The module ---------------------------------------------------------------------------------

local M = {}

--- A copy of one tensor of a checkpoint.
---@param checkpoint qspec.Checkpoint
---@param name string
---@return qspec.Tensor
function M.read(checkpoint, name) end

--- Puts a copy of `tensor` into an overlay, which checkpoint:overlay() makes.
---@param overlay qspec.Checkpoint
---@param name string
---@param tensor qspec.Tensor
function M.store(overlay, name, tensor) end

---The stored bytes of a tensor of any dtype: uint8 [bytes].
---@param checkpoint qspec.Checkpoint
---@param name string
---@return qspec.Tensor
function M.read_bytes(checkpoint, name) end

---A weight in ggml's blocks, as GGUF files store it: rows are whole blocks.
---@param parts {blocks: qspec.Tensor, type: string, shape: integer[]} type: "Q4_K"; blocks: uint8
---@return qspec.Packed
function M.ggml(parts) end

---The scales of such a weight that are floats in the file, block by block.
---@param parts {blocks: qspec.Tensor, type: string, shape: integer[]}
---@return qspec.Tensor float32 [scales]
function M.ggml_scales(parts) end

--- A tensor of nested tables, or of one value.
---@param values number|boolean|table
---@param dtype string? float32 unless given, bool for booleans
---@return qspec.Tensor
function M.from(values, dtype) end

---@param sizes integer[]
---@param dtype string? float32 unless given
---@return qspec.Tensor
function M.zeros(sizes, dtype) end

--- The whole numbers from `first` to `last`, both included; from 1 when only one is given.
---@overload fun(last: integer, dtype: string?): qspec.Tensor
---@param first integer
---@param last integer
---@param dtype string? int64 unless given
---@return qspec.Tensor
function M.arange(first, last, dtype) end

---@param tensors qspec.Tensor[]
---@param dim integer? 1 unless given
---@return qspec.Tensor
function M.cat(tensors, dim) end

---@class qspec.Codebook4
---@field codes qspec.Tensor uint8, element 2k in the high nibble of byte k
---@field codebook qspec.Tensor float32 [16]
---@field absmax qspec.Tensor float32, one a block of the flattened weight
---@field block_size integer even, 2 to 4096
---@field shape integer[]

---@param parts qspec.Codebook4
---@return qspec.Packed
function M.codebook4(parts) end

---@param parts { codes: qspec.Tensor, absmax: qspec.Tensor } int8 [O, I] and float32 [O]
---@return qspec.Packed weight = codes * absmax[row] / 127
function M.rowwise_int8(parts) end

---@class qspec.Coded
---@field codes qspec.Tensor? any dtype, read as bytes: a row is a stream, code c in the `bits` bits
--- from bit bits * c on, counted from the lowest bit of its first byte; rows may be padded
---@field planes integer[]? with codes: where those lie in its words of 8, 16 or 32 bits instead.
--- The codes of the weight, one after the other, are first the fields of all words that begin at
--- bit planes[1], then those at planes[2] and so on; 1 to 4 bits
---@field columns qspec.Tensor? in place of codes: integers [R, W], whose columns are the streams
---@field order integer[]? with columns: not these but their fields are the streams of the rows, as
--- transpose_fields finds them; `bits` a power of two
---@field bits integer 1 to 8
---@field values number[]|qspec.Tensor [2^bits], what each code stands for
---@field scales qspec.Tensor [row groups, column groups], any real dtype
---@field scale_values number[]|qspec.Tensor? [256], what scales of one byte each stand for
---@field zeros qspec.Tensor? the same: subtracted from the value
---@field shifts qspec.Tensor? the same: added after scaling
---@field groups qspec.Tensor? integers [columns], from 0: the column group of each column;
--- column / block[2] unless given
---@field block integer[] rows and columns of a group; groups need not divide the shape, and with
--- three dimensions those of rows begin anew with each matrix
---@field step string? "float16" or "bfloat16": the difference, and the product where there are
--- shifts, are rounded to it
---@field shape integer[] [out, in] or [experts, out, in]

--- A weight as codes of a few bits: (values[code] - zero) * scale + shift in float32, rounded after
--- each operation.
---@param parts qspec.Coded
---@return qspec.Packed
function M.coded(parts) end

---@class qspec.VectorSums
---@field codes qspec.Tensor integers of 8, 16 or 32 bits [out / rows, in / columns, books], whose
--- lowest bits count
---@field codebooks qspec.Tensor floats [books, 2^bits, rows, columns]
---@field scales qspec.Tensor [out / rows]
---@field shape integer[] [out, in]

--- A weight whose blocks of rows and columns are sums of codebook vectors, times a scale: the sum
--- is taken in float32, and it and the product are rounded to the codebooks' dtype.
---@param parts qspec.VectorSums
---@return qspec.Packed
function M.vector_sums(parts) end

---@class qspec.VectorColumns
---@field indices qspec.Tensor 32-bit integers [groups, blocks, words]: a row is a stream of an
--- index and a residual one for each column of the group, lowest bits first
---@field bits integer of an index, 1 to 24
---@field residual_bits integer 0 without residuals
---@field vectors qspec.Tensor floats [groups, 2^bits, rows of a block]
---@field residuals qspec.Tensor? the same of 2^residual_bits, added
---@field leading qspec.Tensor? the same dtype [out, columns], before those of the groups
---@field order qspec.Tensor? integers [in], from 0: which of these columns each one is
---@field scales qspec.Tensor? the same dtype [in], for the columns in their order
---@field shifts qspec.Tensor? the same, added after scaling; with scales
---@field shape integer[] [out, in]

--- A weight whose columns are vectors of a codebook, a block of rows each, decoded in the dtype of
--- the vectors, to which each operation is rounded.
---@param parts qspec.VectorColumns
---@return qspec.Tensor [out, in]
function M.vector_columns(parts) end

--- Words are integers of 8 to 64 bits with floor(word bits / bits) fields, lowest first.
---@param words qspec.Tensor [..., W]
---@param bits integer 1 to 8
---@param order integer[]? a permutation of 0..fields - 1: field k goes to place order[k + 1]
---@return qspec.Tensor uint8 [..., W * fields]
function M.unpack_fields(words, bits, order) end

--- The first `count` codes of each row, whose bytes are one stream.
---@param words qspec.Tensor integers [..., W]
---@param bits integer 1 to 8
---@param count integer
---@return qspec.Tensor uint8 [..., count]
function M.unpack_stream(words, bits, count) end

---@param codes qspec.Tensor uint8 [..., count], none above 2^bits - 1
---@param bits integer 1 to 8
---@return qspec.Tensor uint8 [..., ceil(count * bits / 8)]
function M.pack_stream(codes, bits) end

--- A transpose in memory: GPTQ's qweight becomes rows of streams.
---@param words qspec.Tensor [..., R, C]
---@return qspec.Tensor [..., C, R]
function M.transpose_words(words) end

--- The fields of each column as a stream: AWQ's qweight, in its order, becomes rows of streams.
---@param words qspec.Tensor integers [..., R, W]
---@param bits integer 1 to 8
---@param order integer[]? as for unpack_fields
---@return qspec.Tensor uint8 [..., W * fields, ceil(R * bits / 8)]
function M.transpose_fields(words, bits, order) end

--- The scales that exponent bytes stand for: 2^(byte - 127), NaN for 255.
---@param bytes qspec.Tensor uint8 or float8_e8m0fnu
---@return qspec.Tensor float32
function M.exponents(bytes) end

---@class qspec.CodeRule
---@field thresholds number[] ascending; the position of x is how many lie strictly below it
---@field magnitude boolean? compare |x| and set bit 3 of the code when x < 0
---@field codes integer[]? the code of each position; the position itself unless given
---@field block_size integer

--- Codes of weight * (1 / absmax), one absmax a block.
---@param weight qspec.Tensor
---@param rule qspec.CodeRule
---@return { packed: qspec.Tensor, absmax: qspec.Tensor } uint8 [ceil(n / 2), 1], float32 [blocks]
function M.quantize_codebook4(weight, rule) end

--- Nearest codes of values * (1 / absmax), the even code when two are equally near.
---@param values qspec.Tensor
---@param codebook qspec.Tensor float32 [256], ascending
---@param block_size integer
---@return { codes: qspec.Tensor, absmax: qspec.Tensor } uint8 of the same shape, float32 [blocks]
function M.quantize_codebook8(values, codebook, block_size) end

---@class qspec.Codebook8
---@field codes qspec.Tensor
---@field codebook qspec.Tensor
---@field absmax qspec.Tensor
---@field block_size integer

--- codebook[codes] * absmax, float32 of the shape of `codes`.
---@param parts qspec.Codebook8
---@return qspec.Tensor
function M.dequantize_codebook8(parts) end

--- The weight is rounded to float16 first; codes are of weight * 127 / absmax, ties to even.
---@param weight qspec.Tensor [O, I]
---@return { codes: qspec.Tensor, absmax: qspec.Tensor } int8 [O, I], float32 [O]
function M.quantize_rowwise_int8(weight) end

--- The 256 values of bitsandbytes' dynamic data type, ascending.
---@return qspec.Tensor float32 [256]
function M.dynamic_codebook() end

return M
