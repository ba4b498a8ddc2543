package org.sparkqlora.run.export;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.checkpoint.AdapterFolder;
import org.sparkqlora.checkpoint.FullModelFolder;
import org.sparkqlora.checkpoint.MergedWeights;
import org.sparkqlora.checkpoint.ScoreConfigJson;
import org.sparkqlora.data.Labels;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.model.adapter.AdapterMerge;
import org.sparkqlora.model.layout.SavedModules;
import org.sparkqlora.options.MergeBase;
import org.sparkqlora.options.ModelOutput;
import org.sparkqlora.quant.QuantSpec;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.run.model.AdapterStart;
import org.sparkqlora.run.model.Vocabulary;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.storage.BlobWriter;
import org.sparkqlora.storage.TemporaryFolder;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.weights.FourBitFolder;
import org.sparkqlora.weights.QuantizationReport;
import org.sparkqlora.weights.WeightFolder;
import org.sparkqlora.weights.family.ModelConfigJson;

/** Folds an adapter into a model, one weight at a time. */
public final class Merge implements AutoCloseable {
    private final WeightFolder source;
    private final AdapterMerge merge;
    private final FlatVector adapter;
    private final QuantSpec spec;
    private final Vocabulary vocabulary;
    private final Optional<Labels> labels;
    private final Workers workers = new Workers(Runtime.getRuntime().availableProcessors());

    private Merge(
            WeightFolder source,
            AdapterMerge merge,
            FlatVector adapter,
            QuantSpec spec,
            Vocabulary vocabulary,
            Optional<Labels> labels) {
        this.labels = labels;
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
        source.checkHead();
        AdapterStart start = AdapterStart.from(adapterFolder, model, source.config());
        AdapterMerge merge = new AdapterMerge(source.config(), Objects.requireNonNull(start.lora()));
        FlatVector adapter = AdapterFolder.read(adapterFolder.files(), adapterFolder.path(), merge.parameters());
        Optional<Labels> labels = AdapterFolder.readLabels(adapterFolder.files(), adapterFolder.path());
        return new Merge(source, merge, adapter, spec, start.vocabulary(), labels);
    }

    /** Whether the merged model scores texts and writes none. */
    private boolean scoresTexts() {
        return merge.whole(SavedModules.SCORE_WEIGHT) != null;
    }

    /** Refuses to go on with a model that writes no texts; {@code what} says what needs one. */
    public void requireTexts(String what) {
        if (scoresTexts()) {
            throw new BadInputException(
                    "Cannot %s: expected an adapter of a model that writes texts, found a head that scores them. merge without more options writes it for AutoModelForSequenceClassification"
                            .formatted(what));
        }
    }

    /** Writes the merged model in the types of its source. */
    public MergeResult write(@Nullable MergeBase asked, Location target) {
        MergeBase base = base(asked);
        writePlain(base, target);
        return new MergeResult(target, base, !source.quantized(), null);
    }

    /** Writes the merged model in four bits. */
    public MergeResult writeQuantized(@Nullable MergeBase asked, ModelOutput output) {
        requireTexts("write in 4 bits");
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
        Map<String, BlobWriter> others = vocabulary.files(source.path());
        if (scoresTexts()) {
            String config = ScoreConfigJson.write(source.plainConfigText(merge.config()), labels);
            others.put(ModelConfigJson.FILE_NAME, out -> out.write(config.getBytes(StandardCharsets.UTF_8)));
        }

        FullModelFolder.write(target.files(), target.path(), source, weights(base), others);
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

    /**
     * A merged model.
     *
     * @param folder where it is
     * @param base what the adapter was folded into
     * @param sourceIsPlain the model it was made from is not in four bits
     * @param quantization what bringing it to four bits again cost; null when it was not
     */
    public record MergeResult(
            Location folder,
            MergeBase base,
            boolean sourceIsPlain,
            @Nullable QuantizationReport quantization) {}
}
