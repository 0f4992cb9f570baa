"""bitsandbytes' NF4 rule, slow and plain, for building checkpoints that hold it."""

import array
import bisect
import json

from safetensors_file import Tensor

BLOCK = 64
CODEBOOK = array.array("f", [
    -1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635,
    -0.18477343022823334, -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725,
    0.24611230194568634, 0.33791524171829224, 0.44070982933044434, 0.5626170039176941,
    0.7229568362236023, 1.0])
# A code is the number of thresholds strictly below the value.
THRESHOLDS = array.array("f", [
    -0.8480964004993439, -0.6106329262256622, -0.4599952697753906, -0.33967943489551544,
    -0.23460740596055984, -0.13791173323988914, -0.045525018125772476, 0.03979014977812767,
    0.1202552504837513, 0.2035212516784668, 0.2920137718319893, 0.3893125355243683,
    0.5016634166240692, 0.6427869200706482, 0.8614784181118011])
FP4_CODEBOOK = array.array("f", [
    0.0, 0.0052083335, 0.6666667, 1.0, 0.33333334, 0.5, 0.16666667, 0.25,
    0.0, -0.0052083335, -0.6666667, -1.0, -0.33333334, -0.5, -0.16666667, -0.25])


def quantize(values):
    """-> (packed bytes, absmax as an array of float32); `values` is a sequence of floats."""
    packed, absmax = bytearray(), array.array("f")
    for start in range(0, len(values), BLOCK):
        block = values[start : start + BLOCK]
        largest = max(map(abs, block))
        absmax.append(largest)
        scale = array.array("f", [1 / largest if largest else 0])[0]
        scaled = array.array("f", [value * scale for value in block])
        codes = [bisect.bisect_left(THRESHOLDS, value) for value in scaled]
        packed += bytes(high << 4 | low for high, low in zip(codes[::2], codes[1::2]))
    return bytes(packed), absmax


def state_bytes(shape, quant_type="nf4", blocksize=BLOCK):
    return json.dumps({"quant_type": quant_type, "blocksize": blocksize, "dtype": "float16",
                       "shape": shape}).encode()


def quantized_tensors(name, shape, values):
    """The packed weight and its companions under the names that bitsandbytes gives them."""
    packed, absmax = quantize(values)
    state = state_bytes(shape)
    return {
        name: Tensor("U8", [len(packed), 1], packed),
        f"{name}.absmax": Tensor("F32", [len(absmax)], absmax.tobytes()),
        f"{name}.quant_map": Tensor("F32", [16], CODEBOOK.tobytes()),
        f"{name}.quant_state.bitsandbytes__nf4": Tensor("U8", [len(state)], state),
    }
