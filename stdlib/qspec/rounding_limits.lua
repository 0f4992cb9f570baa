-- What rounding may do to a weight: limits that follow from how it is stored.
--
-- Each was held against weights that are in no fixture: normal, uniform, Laplace, Student's t with
-- 5 and 3 degrees of freedom, columns 8 times the others, and rows of very different size, 16
-- million values each, rounded as 14 formats round; and against the matrices of GPTQModel 7.7's own
-- GPTQ on inputs of three spectra. The numbers behind "measured" are the worst of all of these.

local M = {}

local ROW_OF = 128           -- values under one scale beyond which a block is a row to its weight
local LEAST_ROW_DB = 10
local MOST_DB = 25
local GROUP_MARGIN_DB = 14   -- measured: 7.8, and 10.1 for GPTQ

-- All power of a block may be in one of its n values, which then is the scale of q steps: the noise
-- of a twelfth of a squared step, beside one value's power in n.
local function of_one_outlier_db(bits, count)
  local steps = 2 ^ (bits - 1) - 1
  return 10 * math.log10(12 * steps ^ 2 / count)
end

--- The least SQNR of a block of a packed weight. In groups of up to 128 it lies under that of the
--- whole weight by no more than 128 over the squared crest of an average group, 7.6: 12 dB. A
--- longer one may lie as far as a single outlier takes it: 10 dB, or less where bits leave less.
---@param scheme table of the weight
---@param count integer values that share a scale
---@param sqnr_db number of the whole weight
---@return number dB
function M.block_db(scheme, count, sqnr_db)
  if scheme.least_block_sqnr_db then return scheme.least_block_sqnr_db end
  if count <= ROW_OF then return math.min(sqnr_db, MOST_DB) - GROUP_MARGIN_DB end
  local is_integer = type(scheme.bits) == "number" and scheme.bits > 1
  return is_integer and math.min(LEAST_ROW_DB, of_one_outlier_db(scheme.bits, count))
    or LEAST_ROW_DB
end

--- How far the gain of a weight may be from 1: `allowed`, or the share of noise, which is what the
--- best code values take away (each is the mean of what becomes it), or what the format says.
--- Measured of integers where that is more than the share of noise: nowhere.
---@param scheme table
---@param nmse number
---@param allowed number
---@return number
function M.gain(scheme, nmse, allowed)
  return math.max(allowed, nmse, scheme.gain or 0)
end

-- Weights of GPTQ lie from 2.8 dB above rounding to nearest to 1.6 dB under it.
local COMPENSATION_DB = 3

--- The least SQNR of integers in groups whose baseline is far from normal: what rounding it to
--- nearest in groups of that size leaves, less what GPTQ gives up for the error of its layer.
---@param scheme table with `bits` and `group_size`
---@param reference any qspec.Tensor [out, in]
---@return number|nil dB; nil when the format is no such one
function M.grouped_db(scheme, reference)
  local is_integer = type(scheme.type) == "string" and scheme.type:find("^u?int%d") ~= nil
  local group, width = scheme.group_size, reference:shape()[2]
  if type(group) ~= "number" or group < 1 then group = width end
  if not is_integer or scheme.bits < 2 or width % group ~= 0 then return nil end
  local steps = 2 ^ (scheme.bits - 1) - 1
  local values = reference:to("float32"):reshape(reference:numel() / group, group)
  local scales = values:abs():max(2):reshape(values:shape()[1], 1):maximum(1e-30):div(steps)
  local rounded = values:div(scales):round():mul(scales)
  return rounded:compare(values).sqnr_db - COMPENSATION_DB
end

return M
