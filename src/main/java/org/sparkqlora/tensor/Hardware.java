package org.sparkqlora.tensor;

import java.util.Optional;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.sparkqlora.quant.Workers;

/** The device of a model's tensors, and the operations on them between products. Safe for use by several threads. */
public final class Hardware {
    private static final String HOST = "cpu";

    private final Device device;
    private final FourBitExpansion expansion;
    private final Optional<RowLoop> rows;

    private Hardware(Device device, FourBitExpansion expansion, Optional<RowLoop> rows) {
        this.device = device.retainReference();
        this.expansion = expansion;
        this.rows = rows;
    }

    /** The processor, whose memory {@code workers} read row by row. */
    public static Hardware processor(Workers workers) {
        return new Hardware(host(), new OperationsExpansion(), Optional.of(new RowLoop(workers)));
    }

    /**
     * A device that only libtorch's operations reach.
     *
     * @param expansion of 4-bit weights there
     */
    public static Hardware operations(Device device, FourBitExpansion expansion) {
        return new Hardware(device, expansion, Optional.empty());
    }

    /** The processor used like a device that only libtorch's operations reach. */
    public static Hardware operationsOnProcessor() {
        return operations(host(), new OperationsExpansion());
    }

    /** This hardware, its rows read by other threads. */
    public Hardware sharedBy(Workers workers) {
        return isHostAccessible() ? new Hardware(device, expansion, Optional.of(new RowLoop(workers))) : this;
    }

    private static Device host() {
        Natives.load();
        return new Device(HOST);
    }

    public Device device() {
        return device;
    }

    /** The dequantisation of 4-bit weights on this device. */
    public FourBitExpansion expansion() {
        return expansion;
    }

    /** Whether Java can read and write rows of tensors, through {@link #rows}. */
    public boolean isHostAccessible() {
        return rows.isPresent();
    }

    public RowLoop rows() {
        return rows.orElseThrow(() -> new IllegalStateException("Cannot read rows of a tensor on " + device.str()));
    }

    /** A thread to compute on: where attention is libtorch's, so is its gradient. */
    public ComputeThread computeThread() {
        return new ComputeThread(!isHostAccessible());
    }

    /** An uninitialised tensor. */
    public Tensor empty(ScalarType type, long... shape) {
        return TensorMemory.empty(device, type, shape);
    }

    /** A tensor of zeros. */
    public Tensor zeros(ScalarType type, long... shape) {
        return empty(type, shape).zero_();
    }

    /** {@code tensor} itself if it lies here, otherwise a copy here. */
    public Tensor on(Tensor tensor) {
        return TensorMemory.on(device, tensor);
    }

    /** Makes the hardware of a model whose calls have {@code workers}. */
    @FunctionalInterface
    public interface Source {
        Hardware open(Workers workers);
    }
}
