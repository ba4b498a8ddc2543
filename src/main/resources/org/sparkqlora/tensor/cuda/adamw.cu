// One step of AdamW on a page of optimiser state, as AdamWRule and the formats of the package optim compute it, bit for bit on
// finite numbers. Needs no header. Compile with --fmad=false --prec-div=true --prec-sqrt=true --ftz=false: every operation below
// is one IEEE operation of float32.

// A thread block works on one block of BLOCK elements, the last of a page perhaps fewer. In a page, blocks follow each other, and
// in each the means and then the squares: as float32, or as a byte each and then the block's largest absolute value.

const int BLOCK = 256;
const float SMALLEST_ABSMAX = 1e-38f;

struct Factors {
    float gradientScale;
    float keepMean;
    float addMean;
    float keepSquare;
    float addSquare;
    float keepParameter;
    float size;
    float epsilon;
};

__device__ float decayed(float keep, float before, float add, float gradient) {
    float kept = keep * before;
    float added = add * gradient;
    return kept + added;
}

__device__ float decayedSquare(float keep, float before, float add, float gradient) {
    float kept = keep * before;
    float added = add * gradient * gradient;
    return kept + added;
}

__device__ float moved(float parameter, float mean, float square, Factors by) {
    float direction = mean / (sqrtf(square) + by.epsilon);
    float kept = parameter * by.keepParameter;
    float step = by.size * direction;
    return kept - step;
}

// Of the element that this thread works on.
__device__ int elementsOfBlock(int count) {
    int rest = count - (int) blockIdx.x * BLOCK;
    return rest < BLOCK ? rest : BLOCK;
}

extern "C" __global__ void adamw_float32(float* parameters, const float* gradients, float* page, int count, Factors by) {
    int elements = elementsOfBlock(count);
    int place = threadIdx.x;
    if (place >= elements) {
        return;
    }

    int element = (int) blockIdx.x * BLOCK + place;
    float* means = page + 2LL * blockIdx.x * BLOCK;
    float* squares = means + elements;
    float gradient = gradients[element] * by.gradientScale;
    float mean = decayed(by.keepMean, means[place], by.addMean, gradient);
    float square = decayedSquare(by.keepSquare, squares[place], by.addSquare, gradient);
    means[place] = mean;
    squares[place] = square;
    parameters[element] = moved(parameters[element], mean, square, by);
}

// Behind the codes of a block that is not whole nothing is aligned.
__device__ float loadFloat(const unsigned char* from) {
    return __uint_as_float(from[0] | from[1] << 8 | from[2] << 16 | (unsigned int) from[3] << 24);
}

__device__ void storeFloat(float value, unsigned char* to) {
    unsigned int bits = __float_as_uint(value);
    to[0] = bits;
    to[1] = bits >> 8;
    to[2] = bits >> 16;
    to[3] = bits >> 24;
}

// How many of 255 ascending midpoints lie below: a tie goes to the lower level.
__device__ unsigned char nearest(const float* midpoints, float x) {
    int index = 0;
    for (int step = 128; step > 0; step /= 2) {
        if (midpoints[index + step - 1] < x) {
            index += step;
        }
    }

    return index;
}

__device__ int magnitude(float x) {
    return __float_as_uint(x) & 0x7fffffff; // positive floats are ordered as their bits
}

__device__ unsigned char code(const float* midpoints, float x, float absmax) {
    float inverse = 1.0f / (absmax > SMALLEST_ABSMAX ? absmax : SMALLEST_ABSMAX);
    return nearest(midpoints, x * inverse);
}

extern "C" __global__ void adamw_8bit(
        float* parameters,
        const float* gradients,
        unsigned char* page,
        int count,
        Factors by,
        const float* signedMap,
        const float* signedMidpoints,
        const float* unsignedMap,
        const float* unsignedMidpoints) {
    __shared__ int largestMean;
    __shared__ int largestSquare;
    int elements = elementsOfBlock(count);
    int place = threadIdx.x;
    int element = (int) blockIdx.x * BLOCK + place;
    unsigned char* means = page + 2LL * blockIdx.x * (BLOCK + 4);
    unsigned char* squares = means + elements + 4;
    bool works = place < elements;
    float mean = 0;
    float square = 0;
    if (works) {
        float gradient = gradients[element] * by.gradientScale;
        float meanBefore = signedMap[means[place]] * loadFloat(means + elements);
        float squareBefore = unsignedMap[squares[place]] * loadFloat(squares + elements);
        mean = decayed(by.keepMean, meanBefore, by.addMean, gradient);
        square = decayedSquare(by.keepSquare, squareBefore, by.addSquare, gradient);
        parameters[element] = moved(parameters[element], mean, square, by);
    }

    if (place == 0) {
        largestMean = 0;
        largestSquare = 0;
    }

    __syncthreads();
    if (works) {
        atomicMax(&largestMean, magnitude(mean));
        atomicMax(&largestSquare, magnitude(square));
    }

    __syncthreads();
    if (works) {
        float meanAbsmax = __uint_as_float(largestMean);
        float squareAbsmax = __uint_as_float(largestSquare);
        means[place] = code(signedMidpoints, mean, meanAbsmax);
        squares[place] = code(unsignedMidpoints, square, squareAbsmax);
        if (place == 0) {
            storeFloat(meanAbsmax, means + elements);
            storeFloat(squareAbsmax, squares + elements);
        }
    }
}
