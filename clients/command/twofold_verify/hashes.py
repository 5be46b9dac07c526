"""XXH3 by its specification (github.com/Cyan4973/xxHash, doc/xxhash_spec.md), without a seed, and splitmix64's finaliser."""

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


def splitmix64(word: int) -> int:
    """The finaliser of splitmix64."""
    word = (word ^ word >> 30) * 0xBF58476D1CE4E5B9 & _WORD
    word = (word ^ word >> 27) * 0x94D049BB133111EB & _WORD
    return word ^ word >> 31


def xxh3_64(data: bytes) -> int:
    size = len(data)
    if size > 240:
        return _long(data)
    if size > 128:
        return _middling_64(data)
    if size > 16:
        return _short_64(data)
    if size > 8:
        return _to_16_bytes_64(data)
    if size > 3:
        return _to_8_bytes_64(data)
    return _to_3_bytes(data) if size else _avalanche_xxh64(_key(56) ^ _key(64))


def xxh3_128_low(data: bytes) -> int:
    """The low half of the 128-bit hash."""
    size = len(data)
    if size > 240:
        return _long(data)
    if size > 128:
        return _middling_128(data)
    if size > 16:
        return _short_128(data)
    if size > 8:
        return _to_16_bytes_128(data)
    if size > 3:
        return _to_8_bytes_128(data)
    return _to_3_bytes(data) if size else _avalanche_xxh64(_key(64) ^ _key(72))


def _read(data: bytes, at: int, size: int = 8) -> int:
    return int.from_bytes(data[at : at + size], "little")


_key = [_read(_SECRET, at) for at in range(len(_SECRET) - 7)].__getitem__
"""The 64-bit word of the secret that begins there."""


def _swapped(word: int, size: int = 8) -> int:
    return int.from_bytes(word.to_bytes(size, "little"), "big")


def _rotated(word: int, by: int) -> int:
    return (word << by | word >> (64 - by)) & _WORD


def _folded(one: int, other: int) -> int:
    product = one * other
    return product & _WORD ^ product >> 64


def _avalanche(word: int) -> int:
    word = (word ^ word >> 37) * _MX_1 & _WORD
    return word ^ word >> 32


def _avalanche_xxh64(word: int) -> int:
    word = (word ^ word >> 33) * _P64_2 & _WORD
    word = (word ^ word >> 29) * _P64_3 & _WORD
    return word ^ word >> 32


def _mixed(data: bytes, at: int, key: int) -> int:
    return _folded(_read(data, at) ^ _key(key), _read(data, at + 8) ^ _key(key + 8))


def _to_3_bytes(data: bytes) -> int:
    size = len(data)
    combined = data[0] << 16 | data[size >> 1] << 24 | data[-1] | size << 8
    return _avalanche_xxh64(combined ^ _read(_SECRET, 0, 4) ^ _read(_SECRET, 4, 4))


def _to_8_bytes_64(data: bytes) -> int:
    size = len(data)
    word = _read(data, size - 4, 4) + (_read(data, 0, 4) << 32) ^ _key(8) ^ _key(16)
    word = (word ^ _rotated(word, 49) ^ _rotated(word, 24)) * _MX_2 & _WORD
    word = (word ^ (word >> 35) + size) * _MX_2 & _WORD
    return word ^ word >> 28


def _to_16_bytes_64(data: bytes) -> int:
    size = len(data)
    low = _read(data, 0) ^ _key(24) ^ _key(32)
    high = _read(data, size - 8) ^ _key(40) ^ _key(48)
    return _avalanche(size + _swapped(low) + high + _folded(low, high) & _WORD)


def _short_64(data: bytes) -> int:
    size = len(data)
    total = size * _P64_1
    for pair in range((size - 1) // 32, -1, -1):
        total += _mixed(data, 16 * pair, 32 * pair)
        total += _mixed(data, size - 16 * (pair + 1), 32 * pair + 16)
    return _avalanche(total & _WORD)


def _middling_64(data: bytes) -> int:
    size = len(data)
    total = size * _P64_1 + sum(_mixed(data, 16 * i, 16 * i) for i in range(8))
    total = _avalanche(total & _WORD)
    total += sum(_mixed(data, 16 * i, 16 * (i - 8) + 3) for i in range(8, size // 16))
    total += _mixed(data, size - 16, 136 - 17)
    return _avalanche(total & _WORD)


def _to_8_bytes_128(data: bytes) -> int:
    size = len(data)
    word = _read(data, 0, 4) + (_read(data, size - 4, 4) << 32) ^ _key(16) ^ _key(24)
    product = word * (_P64_1 + (size << 2))
    low = product & _WORD
    high = (product >> 64) + (low << 1) & _WORD
    low ^= high >> 3
    low = (low ^ low >> 35) * _MX_2 & _WORD
    return low ^ low >> 28


def _to_16_bytes_128(data: bytes) -> int:
    size = len(data)
    first, last = _read(data, 0), _read(data, size - 8)
    product = (first ^ last ^ _key(32) ^ _key(40)) * _P64_1
    low = (product & _WORD) + (size - 1 << 54) & _WORD
    last ^= _key(48) ^ _key(56)
    high = (product >> 64) + last + (last & 0xFFFFFFFF) * (_P32_2 - 1) & _WORD
    return _avalanche((low ^ _swapped(high)) * _P64_2 & _WORD)


class _Halves:
    """The two accumulators of the 128-bit hash of up to 240 bytes."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.low, self.high = len(data) * _P64_1 & _WORD, 0

    def mix(self, one: int, other: int, key: int) -> None:
        data = self.data
        self.low = self.low + _mixed(data, one, key) & _WORD
        self.low ^= _read(data, other) + _read(data, other + 8) & _WORD
        self.high = self.high + _mixed(data, other, key + 16) & _WORD
        self.high ^= _read(data, one) + _read(data, one + 8) & _WORD

    def result(self) -> int:
        return _avalanche(self.low + self.high & _WORD)


def _short_128(data: bytes) -> int:
    halves = _Halves(data)
    for pair in range((len(data) - 1) // 32, -1, -1):
        halves.mix(16 * pair, len(data) - 16 * (pair + 1), 32 * pair)
    return halves.result()


def _middling_128(data: bytes) -> int:
    halves = _Halves(data)
    for at in range(0, 128, 32):
        halves.mix(at, at + 16, at)
    halves.low, halves.high = _avalanche(halves.low), _avalanche(halves.high)
    for at in range(128, len(data) - 31, 32):
        halves.mix(at, at + 16, at - 128 + 3)
    # The last mix has the key that the seed, here zero, is taken from.
    halves.mix(len(data) - 16, len(data) - 32, 136 - 17 - 16)
    return halves.result()


def _long(data: bytes) -> int:
    """Over 240 bytes both hashes begin with the same 64 bits."""
    lanes = [_P32_3, _P64_1, _P64_2, _P64_3, _P64_4, _P32_2, _P64_5, _P32_1]
    size = len(data)
    blocks = (size - 1) // _BLOCK
    for block in range(blocks):
        _gather(lanes, data, block * _BLOCK, len(_STRIPE_KEYS))
        for lane, key in enumerate(_SCRAMBLE_KEYS):
            word = lanes[lane] & _WORD
            lanes[lane] = (word ^ word >> 47 ^ key) * _P32_1 & _WORD
    _gather(lanes, data, blocks * _BLOCK, (size - 1 - blocks * _BLOCK) // _STRIPE)
    _add_stripe(lanes, data, size - _STRIPE, _LAST_KEYS)
    total = size * _P64_1
    for lane in range(0, 8, 2):
        one, other = lanes[lane] & _WORD, lanes[lane + 1] & _WORD
        total += _folded(one ^ _key(11 + 8 * lane), other ^ _key(19 + 8 * lane))
    return _avalanche(total & _WORD)


def _gather(lanes: list[int], data: bytes, at: int, stripes: int) -> None:
    for stripe in range(stripes):
        _add_stripe(lanes, data, at + _STRIPE * stripe, _STRIPE_KEYS[stripe])


def _add_stripe(lanes: list[int], data: bytes, at: int, keys: tuple[int, ...]) -> None:
    for lane, word in enumerate(_LANES.unpack_from(data, at)):
        keyed = word ^ keys[lane]
        lanes[lane ^ 1] += word
        lanes[lane] += (keyed & 0xFFFFFFFF) * (keyed >> 32)
