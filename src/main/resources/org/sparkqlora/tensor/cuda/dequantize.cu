// 4-bit weights back to numbers, as FourBitDequantizer of the package quant computes them, bit for bit: level * scale in float32,
// for 16 bits rounded to nearest even. Nested scales are map[code] * absmax + offset, two roundings. Needs no header.
// Compile with --fmad=false: a fused multiply-add would round once where the scale rounds twice.

// One byte of codes a thread: the high half is the earlier element. Blocks have an even number of elements.

struct Plain {
    const float* absmax;

    __device__ float scale(long long block) const {
        return absmax[block];
    }
};

struct Nested {
    const unsigned char* codes;
    const float* map;
    const float* absmax;
    int blockSize;
    float offset;

    __device__ float scale(long long block) const {
        float product = map[codes[block]] * absmax[block / blockSize];
        return product + offset;
    }
};

__device__ float number(float value, float*) {
    return value;
}

struct Bfloat16 {
    unsigned short bits;
};

struct Half {
    unsigned short bits;
};

__device__ Bfloat16 number(float value, Bfloat16*) {
    unsigned int bits = __float_as_uint(value);
    return {(unsigned short) ((bits + 0x7fff + ((bits >> 16) & 1)) >> 16)};
}

__device__ Half number(float value, Half*) {
    const unsigned int smallestNormal = 0x38800000; // 2^-14
    const unsigned int infinite = 0x477ff000;       // 65520, from which on a number rounds to infinity
    unsigned int bits = __float_as_uint(value);
    unsigned int sign = (bits >> 16) & 0x8000;
    unsigned int magnitude = bits & 0x7fffffff;
    unsigned int rounded;
    if (magnitude > 0x7f800000) {
        rounded = 0x7e00;
    } else if (magnitude >= infinite) {
        rounded = 0x7c00;
    } else if (magnitude < smallestNormal) {
        // The last bit of 0.5 is that of the smallest half, so that the addition rounds.
        rounded = __float_as_uint(__uint_as_float(magnitude) + 0.5f) - 0x3f000000;
    } else {
        rounded = (magnitude + 0xfff + ((magnitude >> 13) & 1) - 0x38000000) >> 13;
    }

    return {(unsigned short) (sign | rounded)};
}

template <class Scales, class Number>
__device__ void dequantize(
        const unsigned char* packed, const float* levels, Scales scales, int blockSize, long long elements, Number* target) {
    long long byte = (long long) blockIdx.x * blockDim.x + threadIdx.x;
    long long earlier = 2 * byte;
    if (earlier >= elements) {
        return;
    }

    float scale = scales.scale(earlier / blockSize);
    unsigned char codes = packed[byte];
    target[earlier] = number(levels[codes >> 4] * scale, target);
    if (earlier + 1 < elements) {
        target[earlier + 1] = number(levels[codes & 0xf] * scale, target);
    }
}

#define DEQUANTIZE(name, Number)                                                                                             \
    extern "C" __global__ void dequantize_plain_##name(                                                                      \
            const unsigned char* packed, const float* levels, int blockSize, long long elements, Number* target,             \
            const float* absmax) {                                                                                           \
        dequantize(packed, levels, Plain{absmax}, blockSize, elements, target);                                              \
    }                                                                                                                        \
                                                                                                                             \
    extern "C" __global__ void dequantize_nested_##name(                                                                     \
            const unsigned char* packed, const float* levels, int blockSize, long long elements, Number* target,             \
            const unsigned char* codes, const float* map, const float* absmax, int nestedBlockSize, float offset) {          \
        dequantize(packed, levels, Nested{codes, map, absmax, nestedBlockSize, offset}, blockSize, elements, target);        \
    }

DEQUANTIZE(float32, float)
DEQUANTIZE(bfloat16, Bfloat16)
DEQUANTIZE(float16, Half)
