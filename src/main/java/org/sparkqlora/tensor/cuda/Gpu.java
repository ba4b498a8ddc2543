package org.sparkqlora.tensor.cuda;

import java.util.Locale;
import java.util.Optional;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.global.torch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sparkqlora.tensor.FourBitExpansion;
import org.sparkqlora.tensor.Hardware;
import org.sparkqlora.tensor.Natives;
import org.sparkqlora.tensor.OperationsExpansion;

/**
 * A GPU that libtorch computes on, with kernels of our own where they could be compiled. Without CUDA's compiler libtorch's operations
 * take their place, to the same bits.
 */
public final class Gpu implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Gpu.class);

    private final CudaDevice device;
    private final Device place;
    private final FourBitExpansion expansion;
    private final GpuAdamW update;
    private final String description;

    Gpu(CudaDevice device, Device place, FourBitExpansion expansion, GpuAdamW update, String kernels) {
        this.device = device;
        this.place = place.retainReference();
        this.expansion = expansion;
        this.update = update;
        this.description = String.format(
                Locale.ROOT,
                "GPU %d (%s, compute capability %s), %s",
                device.ordinal(),
                device.name(),
                device.capability(),
                kernels);
    }

    /** The GPU of that number among those that this process sees; throws an error that says why it cannot be used. */
    public static Gpu open(int ordinal) {
        try {
            CudaDevice device = checked(CudaDriver.find(), ordinal);
            requireLibtorch(ordinal);
            return withKernels(device, new Device("cuda:" + ordinal));
        } catch (IllegalStateException | LinkageError e) {
            throw new IllegalStateException(
                    "Cannot compute on GPU %d: %s. With --device cpu it computes on the processor"
                            .formatted(ordinal, e.getMessage()),
                    e);
        }
    }

    /** Why {@link #open} would fail; nothing when it would not. */
    public static Optional<String> problem(int ordinal) {
        try (Gpu gpu = open(ordinal)) {
            return Optional.empty();
        } catch (IllegalStateException e) {
            return Optional.of(String.valueOf(e.getMessage()));
        }
    }

    /** The generation of the GPU of that number; nothing where it cannot be opened, of which {@link #problem} tells the reason. */
    public static Optional<ComputeCapability> capability(int ordinal) {
        try {
            return Optional.of(CudaDriver.find().device(ordinal).capability());
        } catch (IllegalStateException | LinkageError e) {
            LOG.debug("Cannot ask GPU {} for its generation", ordinal, e);
            return Optional.empty();
        }
    }

    /** The device, if it is there and new enough. */
    static CudaDevice checked(CudaDriver driver, int ordinal) {
        int count = driver.devices();
        if (ordinal >= count) {
            throw new IllegalStateException(
                    "the process sees %d of them, numbered from 0 (CUDA_VISIBLE_DEVICES may hide it)".formatted(count));
        }

        CudaDevice device = driver.device(ordinal);
        ComputeCapability capability = device.capability();
        if (!capability.isAtLeast(ComputeCapability.OLDEST)) {
            throw new IllegalStateException("expected compute capability %s or later, found %s (%s)"
                    .formatted(ComputeCapability.OLDEST, capability, device.name()));
        }

        return device;
    }

    /** The hardware of a model on this GPU. */
    public Hardware hardware() {
        return Hardware.operations(place, expansion);
    }

    /** AdamW on it. */
    public GpuAdamW update() {
        return update;
    }

    public ComputeCapability capability() {
        return device.capability();
    }

    /** As the driver calls it, such as {@code NVIDIA H100 80GB HBM3}. */
    public String name() {
        return device.name();
    }

    /** The bytes of its memory in use, by all processes. */
    public long takenBytes() {
        return device.takenBytes();
    }

    /** The properties of the GPU. */
    @Override
    public String toString() {
        return description;
    }

    @Override
    public void close() {
        update.close();
        place.releaseReference();
    }

    private static Gpu withKernels(CudaDevice device, Device place) {
        try {
            return new Gpu(
                    device, place, DequantizeKernel.on(device), AdamWKernel.on(device), "kernels compiled for it");
        } catch (IllegalStateException e) {
            return new Gpu(
                    device,
                    place,
                    new OperationsExpansion(),
                    new AdamWOperations(place),
                    "without kernels of its own, which is slower: " + e.getMessage());
        }
    }

    private static void requireLibtorch(int ordinal) {
        String library = "/org/bytedeco/pytorch/%s-gpu/libtorch_cuda.so".formatted(Loader.getPlatform());
        if (Gpu.class.getResource(library) == null) {
            throw new IllegalStateException(
                    "libtorch in this jar was built without CUDA. Build with mvn -Pgpu package");
        }

        Natives.load();
        CudaBinding.OF_PROCESS.require();
        if (!torch.cuda_is_available()) {
            throw new IllegalStateException(
                    "libtorch finds no GPU (the driver may be older than this jar's CUDA needs: 580 for 13, 575 for"
                            + " 12.9, which -Pgpu,cuda12 takes)");
        }

        if (ordinal >= torch.cuda_device_count()) {
            throw new IllegalStateException("libtorch sees %d GPUs".formatted(torch.cuda_device_count()));
        }
    }

    /**
     * libtorch's CUDA part, which nothing else makes a process load. That is tried once: Java tells why a class failed to load the first time
     * only, and every task of an executor is to know.
     */
    enum CudaBinding {
        OF_PROCESS;

        private static final String NAME = "org.bytedeco.pytorch.global.torch_cuda";

        private final Optional<String> problem;

        CudaBinding() {
            this.problem = load();
        }

        /** Throws an error that says what is missing, if it is not there. */
        void require() {
            problem.ifPresent(reason -> {
                throw new IllegalStateException(reason);
            });
        }

        private static Optional<String> load() {
            try {
                Loader.load(Class.forName(NAME));
                return Optional.empty();
            } catch (ClassNotFoundException e) {
                return Optional.of("this jar lacks " + NAME);
            } catch (LinkageError e) {
                return Optional.of(problem(e));
            }
        }

        /** The last cause names the library; those before it, which of JavaCPP's needed it. */
        static String problem(LinkageError failure) {
            Throwable last = failure;
            while (last.getCause() != null) {
                last = last.getCause();
            }

            return "libtorch's CUDA part cannot be loaded: %s (cuBLAS, cuDNN, cuSPARSE, cuSOLVER and NCCL must be on the library path, as in NVIDIA's images cuda:*-cudnn-runtime)"
                    .formatted(last.getMessage());
        }
    }
}
