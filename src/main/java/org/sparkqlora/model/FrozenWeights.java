package org.sparkqlora.model;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.model.DecoderLayer.Module;
import org.sparkqlora.model.DecoderLayer.NormWeight;
import org.sparkqlora.quant.FloatSource;
import org.sparkqlora.quant.FourBitDequantizer;
import org.sparkqlora.quant.FourBitTensor;
import org.sparkqlora.tensor.FourBitMemory;
import org.sparkqlora.tensor.Hardware;
import org.sparkqlora.tensor.TensorMemory;
import org.sparkqlora.tensor.TensorScope;
import org.sparkqlora.weights.WeightFolder;
import org.sparkqlora.weights.family.DecoderTensors;
import org.sparkqlora.weights.family.LayerNorm;
import org.sparkqlora.weights.family.ModelConfig;
import org.sparkqlora.weights.family.Projection;
import org.sparkqlora.weights.safetensors.StoredTensor;
import org.sparkqlora.weights.safetensors.StoredType;

/**
 * The tensors of a base model that do not train. Weights stored in the number format of activations are used where the file is
 * mapped, so that all executors of a host share them; others are converted once.
 */
final class FrozenWeights implements AutoCloseable {
    private static final int WINDOW = 1 << 20;

    private final WeightFolder weights;
    private final ModelConfig config;
    private final Method method;
    private final ScalarType activations;
    private final FourBitDequantizer dequantizer;
    private final Hardware hardware;
    private final List<FourBitMemory> codes = new ArrayList<>();
    private final List<Tensor> owned = new ArrayList<>();
    /** Tensors over mapped memory do not keep it mapped. */
    private final List<ByteBuffer> mapped = new ArrayList<>();

    private final @Nullable Tensor embedding;
    private final @Nullable Tensor finalNorm;
    private final @Nullable Tensor head;

    FrozenWeights(
            WeightFolder weights,
            ModelLayout layout,
            Method method,
            ScalarType activations,
            FourBitDequantizer dequantizer,
            Hardware hardware) {
        this.weights = weights;
        this.config = weights.config();
        this.method = method;
        this.activations = activations;
        this.dequantizer = dequantizer;
        this.hardware = hardware;
        boolean headIsEmbedding = config.tiedEmbeddings() && layout.head() == null;
        this.embedding =
                layout.embedding() == null || headIsEmbedding ? frozen(DecoderTensors.EMBEDDING, activations) : null;
        this.finalNorm = frozen(DecoderTensors.NORM, ScalarType.Float);
        this.head = headIsEmbedding ? embedding : frozenHead(layout);
    }

    @Nullable
    Tensor embedding() {
        return embedding;
    }

    @Nullable
    Tensor finalNorm() {
        return finalNorm;
    }

    /** The output head's weight, the embedding when they are tied; null when it trains. */
    @Nullable
    Tensor head() {
        return head;
    }

    DecoderLayer layer(int layer, ModelLayout layout) {
        Map<Projection, Module> modules = new EnumMap<>(Projection.class);
        for (Projection projection : Projection.of(config)) {
            modules.put(projection, module(projection, layer, layout.linear(layer, projection)));
        }

        return new DecoderLayer(config, layer, modules, norms(layer, layout.norms(layer)));
    }

    @Override
    public void close() {
        owned.forEach(Tensor::releaseReference);
        owned.clear();
        codes.forEach(FourBitMemory::close);
        codes.clear();
        mapped.clear();
    }

    /** A projection's weight in float32, as it is used without an adapter; owned by the surrounding scope. */
    Tensor floatMatrix(String name) {
        return weights.fourBit(name)
                .map(codes -> {
                    Tensor buffer = TensorMemory.empty(ScalarType.Float, weights.shapeOf(name));
                    return new BaseMatrix.FourBit(codes).materialize(buffer, dequantizer);
                })
                .orElseGet(() -> converted(weights.tensor(name), ScalarType.Float));
    }

    private @Nullable Tensor frozenHead(ModelLayout layout) {
        return layout.head() == null ? frozen(DecoderTensors.HEAD, activations) : null;
    }

    private Module module(Projection projection, int layer, LinearPlace place) {
        String path = projection.path(layer);
        Tensor bias = projection.isBiased(config) ? frozen(path + ".bias", activations) : null;
        return new Module(matrix(path + ".weight"), bias, place);
    }

    private @Nullable BaseMatrix matrix(String name) {
        if (method == Method.QLORA) {
            return fourBit(weights.fourBit(name)
                    .orElseThrow(() -> new BadInputException(
                            "Cannot load %s: expected 4-bit codes in %s".formatted(name, weights.path()))));
        }

        Tensor tensor = frozen(name, activations);
        return tensor == null ? null : new BaseMatrix.Dense(tensor);
    }

    private BaseMatrix fourBit(FourBitTensor tensor) {
        if (hardware.isHostAccessible()) {
            return new BaseMatrix.FourBit(tensor);
        }

        FourBitMemory memory = FourBitMemory.of(tensor, hardware.device());
        codes.add(memory);
        return new BaseMatrix.OnDevice(memory, hardware.expansion());
    }

    private Map<LayerNorm, NormWeight> norms(int layer, Map<LayerNorm, Parameter> places) {
        Map<LayerNorm, NormWeight> norms = new EnumMap<>(LayerNorm.class);
        for (LayerNorm norm : LayerNorm.values()) {
            DecoderTensors.norm(norm, layer, config)
                    .ifPresent(name ->
                            norms.put(norm, new NormWeight(frozen(name, ScalarType.Float), places.get(norm))));
        }

        return norms;
    }

    private @Nullable Tensor frozen(String name, ScalarType type) {
        if (method == Method.FULL) {
            return null;
        }

        StoredTensor stored = weights.tensor(name);
        Tensor tensor = TensorScope.detached(
                () -> hardware.on(matches(stored.type(), type) ? over(stored, type) : converted(stored, type)));
        owned.add(tensor);
        return tensor;
    }

    private static boolean matches(StoredType stored, ScalarType wanted) {
        return (stored == StoredType.BF16 && wanted == ScalarType.BFloat16)
                || (stored == StoredType.F32 && wanted == ScalarType.Float);
    }

    private Tensor over(StoredTensor stored, ScalarType type) {
        ByteBuffer buffer = stored.buffer();
        mapped.add(buffer);
        return TensorMemory.over(buffer, type, stored.shape());
    }

    static Tensor converted(StoredTensor stored, ScalarType type) {
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
}
