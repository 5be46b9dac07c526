"""XXH3 without a seed, as specified in github.com/Cyan4973/xxHash, doc/xxhash_spec.md, and the finaliser of splitmix64."""

import struct

_WORD = (1 << 64) - 1
_P32_1, _P32_2, _P32_3 = 0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D
_P64_1, _P64_2, _P64_3 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9
_P64_4, _P64_5 = 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5
_MX_1, _MX_2 = 0x165667919E3779F9, 0x9FB21C651E98DF25
_SECRET = bytes.fromhex(
    "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671fcb79e64eccc0e578825ad07dccff7221"
    "b8084674f743248ee03590e6813a264c3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8"
    "a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364eac5ac8334d3ebc3c581a0fffa1363eb"
    "170ddd51b7f0da49d316552629d4689e2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e"
)
_STRIPE, _BLOCK = 64, 1024
_LANES = struct.Struct("<8Q")
_STRIPE_KEYS = [_LANES.unpack_from(_SECRET, 8 * stripe) for stripe in range(_BLOCK // _STRIPE)]
_SCRAMBLE_KEYS = _LANES.unpack_from(_SECRET, 128)
_LAST_KEYS = _LANES.unpack_from(_SECRET, 121)


def mix_splitmix64(word: int) -> int:
    """Applies the finaliser of splitmix64 to a 64-bit word."""
    word = (word ^ word >> 30) * 0xBF58476D1CE4E5B9 & _WORD
    word = (word ^ word >> 27) * 0x94D049BB133111EB & _WORD
    return word ^ word >> 31


def hash_xxh3_64(data: bytes) -> int:
    """Returns the 64-bit hash."""
    size = len(data)
    if size > 240:
        return _hash_long(data)
    if size > 128:
        return _hash_129_to_240_bytes_64(data)
    if size > 16:
        return _hash_17_to_128_bytes_64(data)
    if size > 8:
        return _hash_9_to_16_bytes_64(data)
    if size > 3:
        return _hash_4_to_8_bytes_64(data)
    return _hash_1_to_3_bytes(data) if size else _mix_final_xxh64(_key(56) ^ _key(64))


def hash_xxh3_128_low(data: bytes) -> int:
    """Returns the low half of the 128-bit hash."""
    size = len(data)
    if size > 240:
        return _hash_long(data)
    if size > 128:
        return _hash_129_to_240_bytes_128(data)
    if size > 16:
        return _hash_17_to_128_bytes_128(data)
    if size > 8:
        return _hash_9_to_16_bytes_128(data)
    if size > 3:
        return _hash_4_to_8_bytes_128(data)
    return _hash_1_to_3_bytes(data) if size else _mix_final_xxh64(_key(64) ^ _key(72))


def _read(data: bytes, at: int, size: int = 8) -> int:
    return int.from_bytes(data[at : at + size], "little")


_key = [_read(_SECRET, at) for at in range(len(_SECRET) - 7)].__getitem__
"""Returns the 64-bit word of the secret at a byte offset."""


def _swap_bytes(word: int, size: int = 8) -> int:
    return int.from_bytes(word.to_bytes(size, "little"), "big")


def _rotate_left(word: int, bits: int) -> int:
    return (word << bits | word >> (64 - bits)) & _WORD


def _multiply_and_fold(left: int, right: int) -> int:
    product = left * right
    return product & _WORD ^ product >> 64


def _mix_final(word: int) -> int:
    word = (word ^ word >> 37) * _MX_1 & _WORD
    return word ^ word >> 32


def _mix_final_xxh64(word: int) -> int:
    word = (word ^ word >> 33) * _P64_2 & _WORD
    word = (word ^ word >> 29) * _P64_3 & _WORD
    return word ^ word >> 32


def _mix_16_bytes(data: bytes, at: int, key: int) -> int:
    return _multiply_and_fold(_read(data, at) ^ _key(key), _read(data, at + 8) ^ _key(key + 8))


def _hash_1_to_3_bytes(data: bytes) -> int:
    size = len(data)
    combined = data[0] << 16 | data[size >> 1] << 24 | data[-1] | size << 8
    return _mix_final_xxh64(combined ^ _read(_SECRET, 0, 4) ^ _read(_SECRET, 4, 4))


def _hash_4_to_8_bytes_64(data: bytes) -> int:
    size = len(data)
    word = _read(data, size - 4, 4) + (_read(data, 0, 4) << 32) ^ _key(8) ^ _key(16)
    word = (word ^ _rotate_left(word, 49) ^ _rotate_left(word, 24)) * _MX_2 & _WORD
    word = (word ^ (word >> 35) + size) * _MX_2 & _WORD
    return word ^ word >> 28


def _hash_9_to_16_bytes_64(data: bytes) -> int:
    size = len(data)
    low = _read(data, 0) ^ _key(24) ^ _key(32)
    high = _read(data, size - 8) ^ _key(40) ^ _key(48)
    return _mix_final(size + _swap_bytes(low) + high + _multiply_and_fold(low, high) & _WORD)


def _hash_17_to_128_bytes_64(data: bytes) -> int:
    size = len(data)
    total = size * _P64_1
    for pair in range((size - 1) // 32, -1, -1):
        total += _mix_16_bytes(data, 16 * pair, 32 * pair)
        total += _mix_16_bytes(data, size - 16 * (pair + 1), 32 * pair + 16)
    return _mix_final(total & _WORD)


def _hash_129_to_240_bytes_64(data: bytes) -> int:
    size = len(data)
    total = size * _P64_1 + sum(_mix_16_bytes(data, 16 * i, 16 * i) for i in range(8))
    total = _mix_final(total & _WORD)
    total += sum(_mix_16_bytes(data, 16 * i, 16 * (i - 8) + 3) for i in range(8, size // 16))
    total += _mix_16_bytes(data, size - 16, 136 - 17)
    return _mix_final(total & _WORD)


def _hash_4_to_8_bytes_128(data: bytes) -> int:
    size = len(data)
    word = _read(data, 0, 4) + (_read(data, size - 4, 4) << 32) ^ _key(16) ^ _key(24)
    product = word * (_P64_1 + (size << 2))
    low = product & _WORD
    high = (product >> 64) + (low << 1) & _WORD
    low ^= high >> 3
    low = (low ^ low >> 35) * _MX_2 & _WORD
    return low ^ low >> 28


def _hash_9_to_16_bytes_128(data: bytes) -> int:
    size = len(data)
    first, last = _read(data, 0), _read(data, size - 8)
    product = (first ^ last ^ _key(32) ^ _key(40)) * _P64_1
    low = (product & _WORD) + (size - 1 << 54) & _WORD
    last ^= _key(48) ^ _key(56)
    high = (product >> 64) + last + (last & 0xFFFFFFFF) * (_P32_2 - 1) & _WORD
    return _mix_final((low ^ _swap_bytes(high)) * _P64_2 & _WORD)


class _Accumulators:
    """The two accumulators of the 128-bit hash of up to 240 bytes."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.low, self.high = len(data) * _P64_1 & _WORD, 0

    def mix(self, first: int, second: int, key: int) -> None:
        data = self.data
        self.low = self.low + _mix_16_bytes(data, first, key) & _WORD
        self.low ^= _read(data, second) + _read(data, second + 8) & _WORD
        self.high = self.high + _mix_16_bytes(data, second, key + 16) & _WORD
        self.high ^= _read(data, first) + _read(data, first + 8) & _WORD

    def finish(self) -> int:
        return _mix_final(self.low + self.high & _WORD)


def _hash_17_to_128_bytes_128(data: bytes) -> int:
    halves = _Accumulators(data)
    for pair in range((len(data) - 1) // 32, -1, -1):
        halves.mix(16 * pair, len(data) - 16 * (pair + 1), 32 * pair)
    return halves.finish()


def _hash_129_to_240_bytes_128(data: bytes) -> int:
    halves = _Accumulators(data)
    for at in range(0, 128, 32):
        halves.mix(at, at + 16, at)
    halves.low, halves.high = _mix_final(halves.low), _mix_final(halves.high)
    for at in range(128, len(data) - 31, 32):
        halves.mix(at, at + 16, at - 128 + 3)
    # A seeded hash subtracts the seed from the key of the last mix; here the seed is zero.
    halves.mix(len(data) - 16, len(data) - 32, 136 - 17 - 16)
    return halves.finish()


def _hash_long(data: bytes) -> int:
    """Returns the low 64 bits, which are the same in both hashes of more than 240 bytes."""
    lanes = [_P32_3, _P64_1, _P64_2, _P64_3, _P64_4, _P32_2, _P64_5, _P32_1]
    size = len(data)
    blocks = (size - 1) // _BLOCK
    for block in range(blocks):
        _accumulate_stripes(lanes, data, block * _BLOCK, len(_STRIPE_KEYS))
        for lane, key in enumerate(_SCRAMBLE_KEYS):
            word = lanes[lane] & _WORD
            lanes[lane] = (word ^ word >> 47 ^ key) * _P32_1 & _WORD
    _accumulate_stripes(lanes, data, blocks * _BLOCK, (size - 1 - blocks * _BLOCK) // _STRIPE)
    _add_stripe(lanes, data, size - _STRIPE, _LAST_KEYS)
    total = size * _P64_1
    for lane in range(0, 8, 2):
        low_lane, high_lane = lanes[lane] & _WORD, lanes[lane + 1] & _WORD
        total += _multiply_and_fold(low_lane ^ _key(11 + 8 * lane), high_lane ^ _key(19 + 8 * lane))
    return _mix_final(total & _WORD)


def _accumulate_stripes(lanes: list[int], data: bytes, at: int, stripes: int) -> None:
    for stripe in range(stripes):
        _add_stripe(lanes, data, at + _STRIPE * stripe, _STRIPE_KEYS[stripe])


def _add_stripe(lanes: list[int], data: bytes, at: int, keys: tuple[int, ...]) -> None:
    for lane, word in enumerate(_LANES.unpack_from(data, at)):
        keyed = word ^ keys[lane]
        lanes[lane ^ 1] += word
        lanes[lane] += (keyed & 0xFFFFFFFF) * (keyed >> 32)
