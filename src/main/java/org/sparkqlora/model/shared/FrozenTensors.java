package org.sparkqlora.model.shared;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.quant.FloatSource;
import org.sparkqlora.tensor.Hardware;
import org.sparkqlora.tensor.TensorMemory;
import org.sparkqlora.tensor.TensorScope;
import org.sparkqlora.weights.safetensors.StoredTensor;
import org.sparkqlora.weights.safetensors.StoredType;

/**
 * Stored weights as tensors, until they are closed. Those in the wanted number format are used where the file is mapped, so that all
 * processes of a host share them; others are converted once.
 */
public final class FrozenTensors implements AutoCloseable {
    private static final int WINDOW = 1 << 20;

    private final Hardware hardware;
    private final List<Tensor> owned = new ArrayList<>();
    /** Tensors over mapped memory do not keep it mapped. */
    private final List<ByteBuffer> mapped = new ArrayList<>();

    public FrozenTensors(Hardware hardware) {
        this.hardware = hardware;
    }

    /** The weight in {@code type}, on the device. */
    public Tensor held(StoredTensor stored, ScalarType type) {
        return made(() -> hardware.on(
                stored.isPlain() && matches(stored.type(), type) ? over(stored, type) : converted(stored, type)));
    }

    /** What {@code making} makes of such tensors. */
    public Tensor made(Supplier<Tensor> making) {
        Tensor tensor = TensorScope.detached(making);
        owned.add(tensor);
        return tensor;
    }

    /** A plain weight where the file is mapped, in the type of the file. */
    public Tensor inFile(StoredTensor stored) {
        return made(() -> over(stored, typeInFile(stored)));
    }

    @Override
    public void close() {
        owned.forEach(Tensor::releaseReference);
        owned.clear();
        mapped.clear();
    }

    /** Whether a weight is stored in {@code wanted}. */
    public static boolean matches(StoredType stored, ScalarType wanted) {
        return (stored == StoredType.BF16 && wanted == ScalarType.BFloat16)
                || (stored == StoredType.F32 && wanted == ScalarType.Float);
    }

    /** The weight in {@code type}; owned by the surrounding scope. */
    public static Tensor converted(StoredTensor stored, ScalarType type) {
        Tensor result = TensorMemory.empty(type, stored.shape());
        Tensor flat = result.view(-1);
        FloatSource source = stored.asFloats();
        float[] window = new float[(int) Math.min(WINDOW, source.length())];
        for (long at = 0; at < source.length(); at += WINDOW) {
            int count = (int) Math.min(WINDOW, source.length() - at);
            long from = at;
            source.read(from, window, count);
            TensorScope.run(() -> flat.narrow(0, from, count)
                    .copy_(TensorMemory.floats(window, window.length).narrow(0, 0, count)));
        }

        return result;
    }

    private Tensor over(StoredTensor stored, ScalarType type) {
        ByteBuffer buffer = stored.buffer();
        mapped.add(buffer);
        return TensorMemory.over(buffer, type, stored.shape());
    }

    private static ScalarType typeInFile(StoredTensor stored) {
        return switch (stored.type()) {
            case BF16 -> ScalarType.BFloat16;
            case F16 -> ScalarType.Half;
            case F32 -> ScalarType.Float;
            default ->
                throw new BadInputException(
                        "Unsupported type of %s, which is read where it is mapped: expected BF16, F16 or F32, found %s"
                                .formatted(stored.name(), stored.type()));
        };
    }
}
