package org.sparkqlora.model;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.model.DecoderLayer.Module;
import org.sparkqlora.model.DecoderLayer.SmallWeight;
import org.sparkqlora.model.experts.ExpertBiases;
import org.sparkqlora.model.experts.FrozenExperts;
import org.sparkqlora.model.experts.GateUpRows;
import org.sparkqlora.model.layout.LinearPlace;
import org.sparkqlora.model.layout.Method;
import org.sparkqlora.model.layout.ModelLayout;
import org.sparkqlora.model.layout.ModelSpec;
import org.sparkqlora.model.layout.Parameter;
import org.sparkqlora.model.shared.FrozenTensors;
import org.sparkqlora.model.shared.StoredRows;
import org.sparkqlora.quant.FourBitDequantizer;
import org.sparkqlora.quant.FourBitTensor;
import org.sparkqlora.quant.NestedScales;
import org.sparkqlora.tensor.BaseMatrix;
import org.sparkqlora.tensor.ComputeThreads;
import org.sparkqlora.tensor.FourBitMemory;
import org.sparkqlora.tensor.Hardware;
import org.sparkqlora.tensor.MappedPages;
import org.sparkqlora.tensor.TensorMemory;
import org.sparkqlora.tensor.TensorScope;
import org.sparkqlora.weights.WeightFolder;
import org.sparkqlora.weights.family.DecoderTensors;
import org.sparkqlora.weights.family.DeltaTensor;
import org.sparkqlora.weights.family.ExpertBias;
import org.sparkqlora.weights.family.ExpertMatrix;
import org.sparkqlora.weights.family.LayerNorm;
import org.sparkqlora.weights.family.ModelConfig;
import org.sparkqlora.weights.family.PerLayerInput;
import org.sparkqlora.weights.family.Projection;
import org.sparkqlora.weights.family.TokenMixing;
import org.sparkqlora.weights.safetensors.MappedFloats;
import org.sparkqlora.weights.safetensors.StoredTensor;

/** The tensors of a base model that do not train. */
final class FrozenWeights implements AutoCloseable {
    /** Rows of a paged embedding that are looked up at a time: the system maps up to 64 KiB around each. */
    private static final long LOOKED_UP = 64;

    private final WeightFolder weights;
    private final ModelConfig config;
    private final Method method;
    private final ScalarType activations;
    private final FourBitDequantizer dequantizer;
    private final Hardware hardware;
    private final ResidentBase resident;
    private final List<FourBitMemory> codes = new ArrayList<>();
    private final FrozenTensors tensors;

    private final @Nullable Rows embedding;
    private final @Nullable Tensor finalNorm;
    private final @Nullable Rows head;

    FrozenWeights(
            WeightFolder weights, ModelLayout layout, ModelSpec spec, ComputeThreads threads, ResidentBase resident) {
        this.weights = weights;
        this.config = weights.config();
        this.method = spec.method();
        this.activations = spec.precision().type();
        this.dequantizer = threads.dequantizer();
        this.hardware = threads.hardware();
        this.resident = resident;
        this.tensors = new FrozenTensors(hardware);
        boolean headIsEmbedding = config.tiedEmbeddings() && layout.head() == null;
        // the head is read more often than anything else; of an embedding that is none, few rows
        boolean predicts = layout.score() == null; // a head that scores texts stands in the place of the other
        Rows ownHead = predicts && layout.head() == null && !headIsEmbedding ? rows(DecoderTensors.HEAD) : null;
        if (headIsEmbedding) {
            this.embedding = rows(DecoderTensors.EMBEDDING);
        } else {
            this.embedding = layout.embedding() == null ? fewRows(DecoderTensors.EMBEDDING) : null;
        }

        this.head = headIsEmbedding ? embedding : ownHead;
        this.finalNorm = frozen(DecoderTensors.NORM, ScalarType.Float);
    }

    /**
     * A matrix of which rows are used.
     *
     * @param paged whether its pages are given back after use
     */
    private record Rows(Tensor weight, boolean paged) {}

    /** Where the tensors of other adapters on this base lie. */
    ModelLayout layout(ModelSpec spec) {
        return new ModelLayout(config, spec);
    }

    /** The rows of the embedding, a frozen one, that {@code ids} name. */
    Tensor embed(Tensor ids) {
        if (embedding == null) {
            throw new IllegalStateException("Cannot embed tokens by a weight that trains");
        }

        return embedding.paged() ? embedInPieces(embedding.weight(), ids) : torch.embedding(embedding.weight(), ids);
    }

    private Tensor embedInPieces(Tensor weight, Tensor ids) {
        long count = ids.numel();
        Tensor result = hardware.empty(activations, count, weight.size(1));
        for (long from = 0; from < count; from += LOOKED_UP) {
            long at = from;
            long length = Math.min(LOOKED_UP, count - from);
            TensorScope.run(
                    () -> result.narrow(0, at, length).copy_(torch.embedding(weight, ids.narrow(0, at, length))));
            resident.giveBack(weight);
        }

        return result;
    }

    @Nullable
    Tensor finalNorm() {
        return finalNorm;
    }

    /** The output head's weight, the embedding when they are tied; null when it trains. */
    @Nullable
    Tensor head() {
        return head == null ? null : head.weight();
    }

    /** Is told of each part of the head once it was used. */
    void usedOfHead(Tensor part) {
        if (head != null && head.paged()) {
            resident.giveBack(part);
        }
    }

    DecoderLayer layer(int layer, ModelLayout layout) {
        Map<Projection, Module> modules = new EnumMap<>(Projection.class);
        for (Projection projection : Projection.of(config, layer)) {
            modules.put(projection, module(projection, layer, layout.linear(layer, projection)));
        }

        return new DecoderLayer(
                config,
                layer,
                modules,
                new DecoderLayer.Others(
                        norms(layer, layout.norms(layer)),
                        deltaTensors(layer, layout.deltaTensors(layer)),
                        layer == 0 ? table(layout) : null,
                        scalar(layer),
                        sinks(layer, layout),
                        config.isMixture(layer)
                                ? new ExpertsBlock.Weights(experts(layer), layout.experts(layer))
                                : null));
    }

    /** Router and biases stay as they are stored. */
    private FrozenExperts experts(int layer) {
        if (method == Method.FULL) {
            return new FrozenExperts(null, null, List.of(), null);
        }

        List<Map<ExpertMatrix, BaseMatrix>> experts = new ArrayList<>();
        for (int expert = 0; expert < config.mixture().experts(); expert++) {
            Map<ExpertMatrix, BaseMatrix> matrices = new EnumMap<>(ExpertMatrix.class);
            for (ExpertMatrix matrix : ExpertMatrix.values()) {
                matrices.put(
                        matrix, Objects.requireNonNull(matrix(ResidentBase.OF_NO_LAYER, matrix.weight(layer, expert))));
            }

            experts.add(matrices);
        }

        boolean biased = config.mixture().modules().isBiased();
        return new FrozenExperts(
                frozen(DecoderTensors.routerWeight(config, layer), activations),
                biased ? frozen(DecoderTensors.routerBias(config, layer), activations) : null,
                experts,
                biased ? expertBiases(layer) : null);
    }

    private ExpertBiases expertBiases(int layer) {
        GateUpRows order = GateUpRows.of(config.mixture().modules());
        Tensor down = tensors.held(weights.tensor(ExpertBias.DOWN.path(layer)), activations);
        StoredTensor gateUp = weights.tensor(ExpertBias.GATE_UP.path(layer));
        return new ExpertBiases(
                tensors.made(
                        () -> hardware.on(ExpertBiases.of(order, FrozenTensors.converted(gateUp, activations), down)
                                .gateUp())),
                down);
    }

    private @Nullable SmallWeight sinks(int layer, ModelLayout layout) {
        return config.traits().attentionSinks()
                ? new SmallWeight(
                        frozen(DecoderTensors.sinks(layer), ScalarType.Float),
                        layout.sinks(layer).orElse(null))
                : null;
    }

    /** Never trains, so that it is read whatever does. */
    private double scalar(int layer) {
        if (!config.traits().layerScalars()) {
            return 1;
        }

        float[] value = new float[1];
        weights.tensor(PerLayerInput.scalar(layer)).asFloats().read(0, value, 1);
        return value[0];
    }

    private PerLayerSource.@Nullable Table table(ModelLayout layout) {
        return config.traits()
                .perLayer()
                .map(sizes -> new PerLayerSource.Table(
                        method == Method.FULL ? null : storedRows(PerLayerInput.EMBEDDING),
                        layout.perLayerEmbedding(),
                        rounded(Math.sqrt(sizes.width())),
                        new SmallWeight(frozen(PerLayerInput.NORM, ScalarType.Float), layout.perLayerNorm())))
                .orElse(null);
    }

    /** Rows that are looked up where the file is mapped, also for a device: they are too many for its memory, and few are used. */
    private StoredRows storedRows(String name) {
        StoredTensor stored = weights.tensor(name);
        Tensor inFile = tensors.inFile(stored);
        return new StoredRows(
                inFile, activations, hardware, resident.isBounded() ? () -> resident.giveBack(inFile) : () -> {});
    }

    /** As activations are. */
    private double rounded(double value) {
        float[] result = new float[1];
        TensorScope.run(() -> TensorMemory.read(
                TensorMemory.floats(new float[] {(float) value}, 1)
                        .to(activations)
                        .to(ScalarType.Float),
                result,
                1));
        return result[0];
    }

    @Override
    public void close() {
        tensors.close();
        codes.forEach(FourBitMemory::close);
        codes.clear();
    }

    /** A projection's weight in float32, as it is used without an adapter; owned by the surrounding scope. */
    Tensor floatMatrix(String name) {
        return weights.fourBit(name)
                .map(codes -> {
                    Tensor buffer = TensorMemory.empty(ScalarType.Float, weights.shapeOf(name));
                    return new BaseMatrix.FourBit(codes).materialize(buffer, dequantizer);
                })
                .orElseGet(() -> FrozenTensors.converted(weights.tensor(name), ScalarType.Float));
    }

    /** Rows that are used often, kept if there is room. */
    private @Nullable Rows rows(String name) {
        Tensor weight = frozen(name, activations);
        if (weight == null) {
            return null;
        }

        boolean kept = !hardware.isHostAccessible() || resident.keeps(weight.nbytes());
        return new Rows(weight, !kept && pageable(name, weight));
    }

    /** Rows of which few are used at a time. */
    private @Nullable Rows fewRows(String name) {
        Tensor weight = frozen(name, activations);
        return weight == null
                ? null
                : new Rows(weight, resident.isBounded() && hardware.isHostAccessible() && pageable(name, weight));
    }

    /** @throws BadInputException if the weight is not the one in the file */
    private boolean pageable(String name, Tensor weight) {
        StoredTensor stored = weights.tensor(name);
        if (!FrozenTensors.matches(stored.type(), activations)) {
            throw new BadInputException(
                    "Cannot keep the base within its memory: %s of %s is stored as %s and converted to %s, so that all its %d bytes stay. Raise --base-memory, or take a --precision that the model is stored in."
                            .formatted(name, weights.path(), stored.type(), activations, weight.nbytes()));
        }

        return true;
    }

    private Module module(Projection projection, int layer, LinearPlace place) {
        String path = projection.path(layer);
        Tensor bias = projection.isBiased(config) ? frozen(path + ".bias", activations) : null;
        return new Module(matrix(layer, path + ".weight"), bias, place);
    }

    private @Nullable BaseMatrix matrix(int layer, String name) {
        return switch (method) {
            case QLORA ->
                fourBit(
                        layer,
                        weights.fourBit(name)
                                .orElseThrow(() -> new BadInputException(
                                        "Cannot load %s: expected 4-bit codes in %s".formatted(name, weights.path()))));
            case LORA -> dense(layer, weights.tensor(name));
            case FULL -> null;
        };
    }

    private BaseMatrix dense(int layer, StoredTensor stored) {
        if (!stored.isPlain()) {
            return converted(layer, stored);
        }

        if (resident.keeps(stored.byteSize())) {
            return new BaseMatrix.Dense(tensors.held(stored, activations));
        }

        Tensor inFile = tensors.inFile(stored);
        return resident.page(layer, new BaseMatrix.Dense(inFile), List.of(MappedPages.of(inFile)));
    }

    /** A weight that is read in its own form for each use. */
    private BaseMatrix converted(int layer, StoredTensor stored) {
        MappedFloats floats = stored.mappedFloats();
        BaseMatrix matrix = new BaseMatrix.Converted(floats.source(), hardware);
        return resident.keeps(floats.bytes())
                ? matrix
                : resident.page(
                        layer,
                        matrix,
                        floats.buffers().stream().map(MappedPages::of).toList());
    }

    private BaseMatrix fourBit(int layer, FourBitTensor tensor) {
        if (!resident.keeps(tensor.byteSize())) {
            BaseMatrix read = hardware.isHostAccessible()
                    ? new BaseMatrix.FourBit(tensor)
                    : new BaseMatrix.Uploaded(tensor, hardware, resident.copies(hardware.device()));
            return resident.page(layer, read, pages(tensor));
        }

        if (hardware.isHostAccessible()) {
            return new BaseMatrix.FourBit(tensor);
        }

        FourBitMemory memory = FourBitMemory.of(tensor, hardware.device());
        codes.add(memory);
        return new BaseMatrix.OnDevice(memory, hardware.expansion());
    }

    /** The codes, and the codes of scales; the scales themselves are in the heap. */
    private static List<MappedPages> pages(FourBitTensor tensor) {
        MappedPages codes = MappedPages.of(tensor.packed());
        return tensor.scales() instanceof NestedScales nested
                ? List.of(codes, MappedPages.of(nested.codes()))
                : List.of(codes);
    }

    private Map<DeltaTensor, SmallWeight> deltaTensors(int layer, Map<DeltaTensor, Parameter> places) {
        Map<DeltaTensor, SmallWeight> tensors = new EnumMap<>(DeltaTensor.class);
        if (config.mixing(layer) == TokenMixing.DELTA_NET) {
            for (DeltaTensor tensor : DeltaTensor.values()) {
                Tensor frozen = frozen(tensor.path(layer), ScalarType.Float);
                tensors.put(tensor, new SmallWeight(frozen, places.get(tensor)));
            }
        }

        return tensors;
    }

    private Map<LayerNorm, SmallWeight> norms(int layer, Map<LayerNorm, Parameter> places) {
        Map<LayerNorm, SmallWeight> norms = new EnumMap<>(LayerNorm.class);
        for (LayerNorm norm : LayerNorm.values()) {
            DecoderTensors.norm(norm, layer, config)
                    .ifPresent(name ->
                            norms.put(norm, new SmallWeight(frozen(name, ScalarType.Float), places.get(norm))));
        }

        return norms;
    }

    private @Nullable Tensor frozen(String name, ScalarType type) {
        if (method == Method.FULL) {
            return null;
        }

        return tensors.held(weights.tensor(name), type);
    }
}
