package org.sparkqlora.train;

import java.io.Serializable;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.checkpoint.hub.ModelPlace;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.model.DecoderModel;
import org.sparkqlora.model.PassOptions;
import org.sparkqlora.model.Recompute;
import org.sparkqlora.model.adapter.PissaOloraFactors;
import org.sparkqlora.model.layout.LoraSpec;
import org.sparkqlora.model.layout.Method;
import org.sparkqlora.model.layout.ModelSpec;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.model.layout.Precision;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.storage.ModelCache;
import org.sparkqlora.tensor.DeviceChoice;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tensor.Natives;
import org.sparkqlora.tensor.cuda.ComputeCapability;
import org.sparkqlora.tensor.cuda.Gpu;
import org.sparkqlora.weights.QuantizedCache;
import org.sparkqlora.weights.WeightChange;
import org.sparkqlora.weights.WeightFolder;
import org.sparkqlora.weights.family.ModelConfig;
import org.sparkqlora.weights.safetensors.InvalidWeightsException;
import org.sparkqlora.weights.safetensors.StoredType;

/**
 * A model folder on a local disk. One that was copied or converted from elsewhere is made again on each host that lacks it. For
 * QLoRA its projections are quantised once a host, into a cache that all processes of the host share. So is what is left of a base that
 * adapters were taken out of.
 *
 * @param place of the original model
 * @param folder in Hugging Face layout, as the driver opened it
 * @param spec precision, quantisation and trained tensors
 * @param cache where copies are kept on each host
 * @param copyBytes of all copies that a host makes; 0 where that is not known
 * @param taken factors taken out of the base; null unless adapters are initialised from them
 * @param passes options of forward and backward passes
 * @param device of tasks
 */
public record FolderModelSource(
        ModelPlace place,
        String folder,
        ModelSpec spec,
        ModelCache cache,
        long copyBytes,
        @Nullable StoredFactors taken,
        PassOptions passes,
        DeviceChoice device)
        implements ModelSource {
    /** A model that nothing was taken out of, on the processor. */
    public FolderModelSource(ModelPlace place, String folder, ModelSpec spec, ModelCache cache) {
        this(place, folder, spec, cache, 0, null, PassOptions.recomputing(Recompute.ALL), DeviceChoice.CPU);
    }

    /** A folder that is on every host. */
    public FolderModelSource(String folder, ModelSpec spec, ModelCache cache) {
        this(new ModelPlace(folder, Map.of()), folder, spec, cache);
    }

    /** The model without the factors that adapters took out of it. */
    public FolderModelSource without(StoredFactors factors) {
        return new FolderModelSource(place, folder, spec, cache, copyBytes, factors, passes, device);
    }

    /** This model with other pass options. */
    public FolderModelSource passing(PassOptions other) {
        return new FolderModelSource(place, folder, spec, cache, copyBytes, taken, other, device);
    }

    /** This model on another device. */
    public FolderModelSource on(DeviceChoice other) {
        return new FolderModelSource(place, folder, spec, cache, copyBytes, taken, passes, other);
    }

    /** This model with the room that its copies take. */
    public FolderModelSource copying(long bytes) {
        return new FolderModelSource(place, folder, spec, cache, bytes, taken, passes, device);
    }

    @Override
    public String key() {
        return folder + " " + spec + (taken == null ? "" : " without " + taken.hash());
    }

    @Override
    public Optional<String> problem(List<String> gpus) {
        OptionalInt gpu = device.gpu(gpus);
        if (gpu.isEmpty()) {
            return folderProblem();
        }

        return folderProblem()
                .or(() -> Gpu.problem(gpu.getAsInt()))
                .or(() -> Gpu.capability(gpu.getAsInt()).flatMap(capability -> problem(spec.precision(), capability)));
    }

    private Optional<String> folderProblem() {
        try {
            boolean isHere = Files.isDirectory(expected());
            return (isHere ? Optional.<String>empty() : place.problem())
                    .or(() -> copies() ? cache.problem() : Optional.empty())
                    .or(() -> isHere ? Optional.empty() : cache.roomProblem(copyBytes));
        } catch (BadInputException e) {
            return Optional.of(String.valueOf(e.getMessage()));
        }
    }

    /** The reason why a GPU of that generation cannot compute in {@code precision}; empty if it can. */
    static Optional<String> problem(Precision precision, ComputeCapability capability) {
        return precision != Precision.BF16 || capability.hasBfloat16()
                ? Optional.empty()
                : Optional.of(
                        "Cannot compute in bf16 on a GPU of compute capability %s: expected %s. Use --precision auto or fp16"
                                .formatted(capability, ComputeCapability.FIRST_WITH_BFLOAT16));
    }

    /** The folder, made now if this host lacks it. */
    public Path local() {
        Path expected = expected();
        if (Files.isDirectory(expected)) {
            return expected;
        }

        Path found = place.folder(cache);
        if (!found.equals(expected)) {
            throw new InvalidWeightsException(
                    "Cannot open model %s: expected the one that the driver opened as %s, found another (%s). Was it changed?"
                            .formatted(place, expected, found));
        }

        return found;
    }

    /** Whether this host takes a copy of the model. */
    private boolean copies() {
        return spec.method() == Method.QLORA || taken != null || place.isCopied();
    }

    /** The folder on this host, once it is there: a copy has the same name in every cache. */
    private Path expected() {
        Path opened = Path.of(folder);
        return place.isCopied() ? cache.folder().resolve(opened.getFileName()) : opened;
    }

    @Override
    public DecoderGradientModel open(int threads) {
        return open(threads, (Gpu) null);
    }

    @Override
    public DecoderGradientModel open(int threads, List<String> gpus) {
        OptionalInt number = device.gpu(gpus);
        if (number.isEmpty()) {
            return open(threads);
        }

        Gpu gpu = Gpu.open(number.getAsInt());
        try {
            requireNumbers(gpu);
            return open(threads, gpu);
        } catch (RuntimeException | Error e) {
            gpu.close();
            throw e;
        }
    }

    private void requireNumbers(Gpu gpu) {
        problem(spec.precision(), gpu.capability()).ifPresent(reason -> {
            throw new IllegalStateException(reason);
        });
    }

    private DecoderGradientModel open(int threads, @Nullable Gpu gpu) {
        WeightFolder weights = openWeights(threads);
        try {
            DecoderModel model = DecoderModel.load(
                    weights,
                    spec,
                    threads,
                    passes,
                    cache.folder(),
                    workers -> gpu == null ? spec.precision().onProcessor(workers) : gpu.hardware());
            Natives.returnFreedMemory();
            return new DecoderGradientModel(weights, model, gpu, this::takenFactors);
        } catch (RuntimeException | Error e) {
            closeAfter(e, weights);
            throw e;
        }
    }

    private WeightFolder openWeights(int threads) {
        WeightFolder stored = WeightFolder.open(local());
        if (spec.method() != Method.QLORA && taken == null) {
            return stored;
        }

        try (Workers workers = new Workers(threads)) {
            WeightFolder copy = copy(stored, new QuantizedCache(cache.folder()), workers);
            if (copy != stored) {
                stored.close();
            }

            return copy;
        } catch (RuntimeException | Error e) {
            closeAfter(e, stored);
            throw e;
        }
    }

    private WeightFolder copy(WeightFolder stored, QuantizedCache copies, Workers workers) {
        if (taken == null) {
            return copies.open(stored, spec.quant(), workers);
        }

        WeightChange change = new WeightChange(
                "without %s at %s".formatted(taken.hash(), lora().factorsAlone()),
                () -> factors(stored.config(), taken).residual(stored));
        return spec.method() == Method.QLORA
                ? copies.openChanged(stored, change, spec.quant(), workers)
                : copies.openChanged(
                        stored, change, spec.precision() == Precision.BF16 ? StoredType.BF16 : StoredType.F32, workers);
    }

    private Optional<PissaOloraFactors> takenFactors(ModelConfig config) {
        return Optional.ofNullable(taken).map(stored -> factors(config, stored));
    }

    private PissaOloraFactors factors(ModelConfig config, StoredFactors stored) {
        return PissaOloraFactors.of(config, lora(), stored.read(PissaOloraFactors.index(config, lora())));
    }

    private LoraSpec lora() {
        if (spec.lora() == null) {
            throw new IllegalStateException("Cannot find what was taken out of a base: there are no adapters");
        }

        return spec.lora();
    }

    private static void closeAfter(Throwable first, WeightFolder weights) {
        try {
            weights.close();
        } catch (RuntimeException second) {
            first.addSuppressed(second);
        }
    }

    /** Factors that were taken out of a base and stored where every process can read them. Serialised to executors. */
    public interface StoredFactors extends Serializable {
        /** SHA-256 of the file that holds them, in hex digits. */
        String hash();

        /** The factors, checked against the hash. */
        FlatVector read(ParameterIndex index);
    }
}
