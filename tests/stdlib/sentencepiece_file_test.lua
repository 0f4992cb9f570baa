-- tokenizer.model: what is read of a SentencePiece model, and what is refused with its place.

local Folder = require "qspec.folder"
local sentencepiece_file = require "qspec.tokenizer.sentencepiece_file"
local test = require "test"

local function varint(value)
  local bytes = {}
  repeat
    local low = value % 128
    value = math.floor(value / 128)
    bytes[#bytes + 1] = string.char(value > 0 and low + 128 or low)
  until value == 0
  return table.concat(bytes)
end

local function number_field(number, value) return varint(number * 8) .. varint(value) end
local function bytes_field(number, text) return varint(number * 8 + 2) .. varint(#text) .. text end

local MINUS_ONE = "\0\0\128\191"  -- -1 as a 32-bit float

local function piece(content, kind)
  return bytes_field(1, bytes_field(1, content) .. varint(2 * 8 + 5) .. MINUS_ONE
    .. (kind and number_field(3, kind) or ""))
end

local function read(bytes)
  local folder = Folder.new("m")
  folder:put("tokenizer.model", bytes)
  return sentencepiece_file.read(folder, "tokenizer.model"), folder:file("tokenizer.model")
end

local function refused(pattern, bytes, byte)
  local err = test.raises(pattern, read, bytes)
  test.equal(err.kind, "checkpoint")
  if byte then test.equal(err.where:match(": byte (%d+)$"), tostring(byte)) end
end

local PIECES = piece("<unk>", 2) .. piece("a") .. piece("b") .. piece("ab") .. piece("<x>", 4)

test("pieces, trainer and normalizer are read", function()
  local model = read(PIECES .. bytes_field(2, number_field(3, 2) .. number_field(35, 1)
    .. bytes_field(45, "<oov>")) .. bytes_field(3, bytes_field(2, "\1\2\3\4")))
  test.equal(#model.pieces, 5)
  test.equal(model.pieces[4], { piece = "ab", score = -1, type = 1 })
  test.equal(model.pieces[5].type, sentencepiece_file.USER_DEFINED)
  test.equal(model.ids.ab, 3)
  test.equal({ model.trainer.model_type, model.trainer.byte_fallback, model.trainer.unk_piece },
    { sentencepiece_file.BPE, 1, "<oov>" })
  test.equal(model.charsmap, "AQIDBA==")
end)

test("fields that are not there have the proto's defaults", function()
  local trainer = read(PIECES).trainer
  test.equal({ trainer.model_type, trainer.unk_id, trainer.bos_id, trainer.eos_id }, { 1, 0, 1, 2 })
end)

test("an id of -1 is read as one", function()
  local trainer = read(PIECES .. bytes_field(2, varint(41 * 8) .. ("\255"):rep(9) .. "\1")).trainer
  test.equal(trainer.bos_id, -1)
end)

test("fields that nothing is known of are passed over", function()
  local unknown = number_field(99, 7) .. bytes_field(98, "x") .. varint(97 * 8 + 5) .. "abcd"
    .. varint(96 * 8 + 1) .. "abcdefgh"
  test.equal(#read(unknown .. PIECES .. unknown).pieces, 5)
end)

test("every file that is cut off within a field is refused", function()
  local whole = piece("a") .. piece("bc")
  local ends = { [0] = true, [#piece("a")] = true, [#whole] = true }
  for length = 1, #whole do
    if not ends[length] then
      refused("", whole:sub(1, length))
    end
  end
end)

test("a varint past the end, or longer than 10 bytes, is refused with its byte", function()
  refused("runs past the end", PIECES .. "\255\255", #PIECES)
  refused("longer than 10 bytes", PIECES .. ("\255"):rep(11), #PIECES)
  refused("beyond 64 bits", PIECES .. ("\255"):rep(9) .. "\2", #PIECES)
end)

test("a length beyond the file is refused before anything is read", function()
  refused("a field of 1125899906842624 bytes, %d are left", PIECES .. varint(10) .. varint(2 ^ 50))
  refused("a length is out of range", PIECES .. varint(10) .. ("\255"):rep(9) .. "\1")
end)

test("groups and field number 0 are refused", function()
  refused("wire type 3", varint(1 * 8 + 3), 0)
  refused("field number 0", "\2\0", 0)
end)

test("a known field of another wire type is refused", function()
  refused("the field pieces has wire type 0, wanted 2", number_field(1, 5), 0)
  refused("the field score has wire type 0, wanted 5", bytes_field(1, number_field(2, 1)))
end)

test("two pieces that are the same are refused by their numbers", function()
  refused("pieces 1 and 2 are both 'a'", piece("<unk>") .. piece("a") .. piece("a"))
end)

test("a piece that is not UTF-8, and a score that is no number, are refused", function()
  refused("piece 1 is not UTF%-8", piece("<unk>") .. piece("\255"))
  refused("the score of piece 0 is not a number",
    bytes_field(1, bytes_field(1, "a") .. varint(2 * 8 + 5) .. "\0\0\192\127"))
end)

test("a model without pieces, or whose unk_id is beyond them, is refused", function()
  refused("no pieces", "")
  refused("unk_id is 9, there are 5 pieces", PIECES .. bytes_field(2, number_field(40, 9)))
end)

test("a piece may hold a NUL", function()
  test.equal(read(piece("a\0b")).pieces[1].piece, "a\0b")
end)

test("merges follow the ids of what they make, then the shorter left part", function()
  local pieces = { "a", "b", "c", "bc", "ab", "abc" }
  local ids = {}
  for i, one in ipairs(pieces) do ids[one] = i - 1 end
  test.equal(sentencepiece_file.merges(pieces, ids),
    { { "b", "c" }, { "a", "b" }, { "a", "bc" }, { "ab", "c" } })
end)

test("merges split between characters, not within one", function()
  local pieces = { "é", "\195", "\169" }
  test.equal(sentencepiece_file.merges(pieces, { ["é"] = 0, ["\195"] = 1, ["\169"] = 2 }), {})
end)
