// The part of the CUDA driver API that the program calls, on the host: kernels are compiled from the same source and run on the
// processor. Device memory is host memory. What is put into a stream runs as late as the API allows, so that a missing wait shows.
// g++ -std=c++17 -O2 -ffp-contract=off -shared -fPIC -I FOLDER_OF_THE_KERNELS driver.cpp -o libcuda.so

#include <ucontext.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace {

struct Index {
    unsigned int x;
};

Index blockIdx;
Index blockDim;
Index threadIdx;

// Threads of a block are fibers: each runs until it ends or meets a barrier.
ucontext_t scheduler;
std::vector<ucontext_t> fibers;
std::vector<bool> ended;
std::vector<std::vector<char>> stacks;
std::function<void()> body;
unsigned int running;

void barrier() {
    swapcontext(&fibers[running], &scheduler);
}

void runFiber() {
    body();
    ended[running] = true;
}

void startFiber(unsigned int thread) {
    getcontext(&fibers[thread]);
    fibers[thread].uc_stack.ss_sp = stacks[thread].data();
    fibers[thread].uc_stack.ss_size = stacks[thread].size();
    fibers[thread].uc_link = &scheduler;
    makecontext(&fibers[thread], runFiber, 0);
}

void runBlock(unsigned int threads) {
    fibers.resize(threads);
    ended.assign(threads, false);
    stacks.resize(threads, std::vector<char>(1 << 15));
    for (unsigned int thread = 0; thread < threads; thread++) {
        startFiber(thread);
    }

    for (bool again = true; again;) {
        again = false;
        for (running = 0; running < threads; running++) {
            if (!ended[running]) {
                threadIdx.x = running;
                swapcontext(&scheduler, &fibers[running]);
                again = again || !ended[running];
            }
        }
    }
}

unsigned int __float_as_uint(float value) {
    unsigned int bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

float __uint_as_float(unsigned int bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

void atomicMax(int* target, int value) {
    if (*target < value) {
        *target = value;
    }
}

#define __global__
#define __device__
#define __shared__ static
#define __syncthreads barrier

#include "adamw.cu"
#include "dequantize.cu"

using Kernel = std::function<void(void**)>;

template <class... Arguments, size_t... I>
Kernel wrapped(void (*kernel)(Arguments...), std::index_sequence<I...>) {
    return [kernel](void** arguments) {
        // A launch copies the arguments.
        std::tuple<Arguments...> copies(*static_cast<Arguments*>(arguments[I])...);
        body = [kernel, copies] { std::apply(kernel, copies); };
    };
}

template <class... Arguments>
Kernel wrapped(void (*kernel)(Arguments...)) {
    return wrapped(kernel, std::index_sequence_for<Arguments...>{});
}

#define KERNEL(name) {#name, wrapped(name)}

std::map<std::string, Kernel> kernels = {
        KERNEL(adamw_8bit),
        KERNEL(adamw_float32),
        KERNEL(dequantize_plain_float32),
        KERNEL(dequantize_plain_bfloat16),
        KERNEL(dequantize_plain_float16),
        KERNEL(dequantize_nested_float32),
        KERNEL(dequantize_nested_bfloat16),
        KERNEL(dequantize_nested_float16),
};

struct Stream {
    std::deque<std::function<void()>> work;

    void runAll() {
        while (!work.empty()) {
            std::function<void()> next = std::move(work.front());
            work.pop_front();
            next();
        }
    }
};

Stream defaultStream;
std::recursive_mutex lock;
std::map<void*, size_t> allocated;

Stream& of(void* stream) {
    return stream == nullptr ? defaultStream : *static_cast<Stream*>(stream);
}

enum { SUCCESS = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, NO_DEVICE = 100, INVALID_DEVICE = 101, NOT_FOUND = 500, ILLEGAL_ADDRESS = 700 };

// What a test asks for through the environment.
bool asked(const char* name) {
    return getenv(name) != nullptr;
}

} // namespace

extern "C" {

int cuInit(unsigned int) {
    return asked("HOST_CUDA_NO_DEVICE") ? NO_DEVICE : SUCCESS;
}

int cuDeviceGetCount(int* count) {
    *count = 2;
    return SUCCESS;
}

int cuDeviceGet(int* device, int ordinal) {
    *device = ordinal;
    return ordinal < 2 ? SUCCESS : INVALID_DEVICE;
}

int cuDeviceGetName(char* name, int length, int) {
    strncpy(name, "the host", length);
    return SUCCESS;
}

// Of compute capability 8.0, or of what the environment says.
int cuDeviceGetAttribute(int* value, int attribute, int) {
    const int major = 75;
    const char* told = getenv(attribute == major ? "HOST_CUDA_MAJOR" : "HOST_CUDA_MINOR");
    *value = told != nullptr ? atoi(told) : attribute == major ? 8 : 0;
    return SUCCESS;
}

int cuDeviceTotalMem_v2(size_t* bytes, int) {
    *bytes = 1ULL << 33;
    return SUCCESS;
}

int cuMemGetInfo_v2(size_t* free, size_t* total) {
    *total = 1ULL << 33;
    *free = *total - (1ULL << 20);
    return SUCCESS;
}

int cuDevicePrimaryCtxRetain(void** context, int device) {
    *context = reinterpret_cast<void*>(device + 1L);
    return SUCCESS;
}

int cuCtxSetCurrent(void*) {
    return SUCCESS;
}

int cuModuleLoadData(void** module, const void* image) {
    *module = const_cast<void*>(image);
    return SUCCESS;
}

int cuModuleGetFunction(void** function, void*, const char* name) {
    auto found = kernels.find(name);
    if (found == kernels.end()) {
        return NOT_FOUND;
    }

    *function = &found->second;
    return SUCCESS;
}

int cuMemAlloc_v2(void** pointer, size_t bytes) {
    std::lock_guard<std::recursive_mutex> held(lock);
    *pointer = malloc(bytes);
    allocated[*pointer] = bytes;
    return SUCCESS;
}

int cuMemFree_v2(void* pointer) {
    std::lock_guard<std::recursive_mutex> held(lock);
    if (allocated.erase(pointer) == 0) {
        return INVALID_VALUE;
    }

    free(pointer);
    return SUCCESS;
}

int cuMemHostAlloc(void** pointer, size_t bytes, unsigned int) {
    return cuMemAlloc_v2(pointer, bytes);
}

int cuMemFreeHost(void* pointer) {
    return cuMemFree_v2(pointer);
}

int cuStreamCreate(void** stream, unsigned int) {
    *stream = new Stream();
    return SUCCESS;
}

int cuStreamDestroy_v2(void* stream) {
    delete static_cast<Stream*>(stream);
    return SUCCESS;
}

int cuStreamSynchronize(void* stream) {
    std::lock_guard<std::recursive_mutex> held(lock);
    of(stream).runAll();
    return asked("HOST_CUDA_BROKEN") ? ILLEGAL_ADDRESS : SUCCESS;
}

int cuMemcpyHtoDAsync_v2(void* device, const void* host, size_t bytes, void* stream) {
    std::lock_guard<std::recursive_mutex> held(lock);
    of(stream).work.push_back([=] { memcpy(device, host, bytes); });
    return SUCCESS;
}

int cuMemcpyDtoHAsync_v2(void* host, void* device, size_t bytes, void* stream) {
    return cuMemcpyHtoDAsync_v2(host, device, bytes, stream);
}

int cuLaunchKernel(
        void* function, unsigned int grid, unsigned int, unsigned int, unsigned int threads, unsigned int, unsigned int, unsigned int,
        void* stream, void** arguments, void**) {
    std::lock_guard<std::recursive_mutex> held(lock);
    (*static_cast<Kernel*>(function))(arguments);
    std::function<void()> perThread = body;
    of(stream).work.push_back([=] {
        body = perThread;
        blockDim.x = threads;
        for (blockIdx.x = 0; blockIdx.x < grid; blockIdx.x++) {
            runBlock(threads);
        }
    });
    if (stream == nullptr) {
        defaultStream.runAll(); // what libtorch does there next waits for no one
    }

    return SUCCESS;
}

int cuGetErrorString(int error, const char** text) {
    switch (error) {
        case NO_DEVICE:
            *text = "no CUDA-capable device is detected";
            return SUCCESS;
        case INVALID_DEVICE:
            *text = "invalid device ordinal";
            return SUCCESS;
        case ILLEGAL_ADDRESS:
            *text = "an illegal memory access was encountered";
            return SUCCESS;
        case OUT_OF_MEMORY:
            *text = "out of memory";
            return SUCCESS;
        default:
            *text = "an error";
            return SUCCESS;
    }
}

// Allocations that were not given back.
long hostCudaAllocations() {
    return (long) allocated.size();
}
}
