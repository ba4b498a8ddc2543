package org.sparkqlora.run;

import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.checkpoint.AdapterFolder;
import org.sparkqlora.checkpoint.FullModelFolder;
import org.sparkqlora.checkpoint.MergedWeights;
import org.sparkqlora.model.AdapterMerge;
import org.sparkqlora.options.MergeBase;
import org.sparkqlora.options.ModelOutput;
import org.sparkqlora.quant.QuantSpec;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.storage.TemporaryFolder;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.weights.FourBitFolder;
import org.sparkqlora.weights.QuantizationReport;
import org.sparkqlora.weights.WeightFolder;

/** Folds an adapter into a model, one weight at a time. */
public final class Merge implements AutoCloseable {
    private final WeightFolder source;
    private final AdapterMerge merge;
    private final FlatVector adapter;
    private final QuantSpec spec;
    private final Vocabulary vocabulary;
    private final Workers workers = new Workers(Runtime.getRuntime().availableProcessors());

    private Merge(WeightFolder source, AdapterMerge merge, FlatVector adapter, QuantSpec spec, Vocabulary vocabulary) {
        this.source = source;
        this.merge = merge;
        this.adapter = adapter;
        this.spec = spec;
        this.vocabulary = vocabulary;
    }

    /** Opens both and makes sure that they fit each other. */
    public static Merge open(Path model, Location adapterFolder, QuantSpec spec) {
        WeightFolder source = WeightFolder.open(model);
        source.checkShapes();
        AdapterStart start = AdapterStart.from(adapterFolder, model, source.config());
        AdapterMerge merge = new AdapterMerge(source.config(), Objects.requireNonNull(start.lora()));
        FlatVector adapter = AdapterFolder.read(adapterFolder.files(), adapterFolder.path(), merge.parameters());
        return new Merge(source, merge, adapter, spec, start.vocabulary());
    }

    /** Writes the merged model in the types of its source. */
    public MergeResult write(@Nullable MergeBase asked, Location target) {
        MergeBase base = base(asked);
        writePlain(base, target);
        return new MergeResult(target, base, !source.quantized(), null);
    }

    /** Writes the merged model in four bits. */
    public MergeResult writeQuantized(@Nullable MergeBase asked, ModelOutput output) {
        MergeBase base = base(asked);
        QuantizationReport cost = output.write(folder -> writeQuantized(base, folder));
        return new MergeResult(output.target(), base, !source.quantized(), cost);
    }

    /** The merged model exists beside {@code target} in its own types until then. */
    private QuantizationReport writeQuantized(MergeBase base, Path target) {
        try (TemporaryFolder temporary = TemporaryFolder.beside(target)) {
            Path plain = temporary.path().resolve("merged");
            writePlain(base, Location.of(plain));
            try (WeightFolder merged = WeightFolder.open(plain)) {
                return FourBitFolder.writeAndCompare(merged, spec, workers, target);
            }
        }
    }

    @Override
    public void close() {
        source.close();
        workers.close();
    }

    private void writePlain(MergeBase base, Location target) {
        FullModelFolder.write(target.files(), target.path(), source, weights(base), vocabulary.files(source.path()));
    }

    /** The model's weights with the adapter, computed as they are read. */
    MergedWeights weights(MergeBase base) {
        return switch (base) {
            case ORIGINAL -> MergedWeights.intoStored(source, merge, adapter, workers);
            case QUANTIZED -> MergedWeights.intoQuantized(source, spec, merge, adapter, workers);
        };
    }

    WeightFolder source() {
        return source;
    }

    Vocabulary vocabulary() {
        return vocabulary;
    }

    /** What the adapter is folded into: as asked for, or the original weights where the model has them. */
    MergeBase base(@Nullable MergeBase asked) {
        if (asked != null) {
            return asked;
        }

        return source.quantized() ? MergeBase.QUANTIZED : MergeBase.ORIGINAL;
    }
}
