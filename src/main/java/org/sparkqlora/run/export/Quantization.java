package org.sparkqlora.run.export;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.JavaSparkContext;
import org.sparkqlora.checkpoint.FullModelFolder;
import org.sparkqlora.checkpoint.PublishedFiles;
import org.sparkqlora.checkpoint.QuantizedFolder;
import org.sparkqlora.checkpoint.QuantizedPart;
import org.sparkqlora.checkpoint.hub.ModelPlace;
import org.sparkqlora.checkpoint.hub.RangedModel;
import org.sparkqlora.options.Console;
import org.sparkqlora.quant.QuantSpec;
import org.sparkqlora.spark.quantize.QuantizeJob;
import org.sparkqlora.storage.FreshFolder;
import org.sparkqlora.storage.ModelCache;
import org.sparkqlora.storage.Sha256;
import org.sparkqlora.storage.TemporaryFolder;
import org.sparkqlora.weights.FourBitFolder;
import org.sparkqlora.weights.FourBitPlan;
import org.sparkqlora.weights.QuantizationReport;
import org.sparkqlora.weights.SourceFingerprint;
import org.sparkqlora.weights.WeightFolder;

/**
 * A model brought to four bits by a Spark job, which goes on where an earlier attempt ended. Driver only.
 *
 * @param model the original
 * @param cache for a copy of an original that cannot be read in ranges
 * @param mostBytes of weights in a file
 */
public record Quantization(ModelPlace model, ModelCache cache, QuantSpec spec, long mostBytes) {
    /** Raise it when the same model and options give other bytes. */
    private static final String RULES = "quantize 1";

    private static final int SHORT = 12;
    private static final double NANOS = 1e9;

    /** Replaces a folder that somebody else's model is in, once that is found to be allowed. */
    @FunctionalInterface
    public interface Permission {
        void require();
    }

    /**
     * Writes the folder {@code target}, unless it is there already.
     *
     * @param context starts Spark when there is work
     * @param overwrite throws an error unless what is at the target may be replaced
     */
    public QuantizationReport write(
            FileSystem files, Path target, Supplier<JavaSparkContext> context, Permission overwrite, Console console) {
        RangedModel ranged = model.ranges().orElse(null);
        try (TemporaryFolder small = TemporaryFolder.create("spark-qlora-model-");
                WeightFolder source = ranged == null ? onThisHost() : elsewhere(ranged, small.path())) {
            Original original = ranged == null ? original(source) : original(ranged, source);
            return new Attempt(files, target, context, console).write(original, overwrite);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to quantise %s to %s".formatted(model, target), e);
        }
    }

    /**
     * The model as the driver knows it.
     *
     * @param id of the model in this format
     * @param bytes of its files of weights
     */
    private record Original(WeightFolder source, FourBitPlan plan, String id, long bytes) {}

    private WeightFolder onThisHost() {
        return WeightFolder.open(model.folder(cache));
    }

    private static WeightFolder elsewhere(RangedModel ranged, java.nio.file.Path small) {
        ranged.copySmallFiles(small);
        return WeightFolder.headers(small, ranged.files());
    }

    private Original original(WeightFolder source) {
        FourBitPlan plan = FourBitPlan.of(source, spec, mostBytes);
        return new Original(
                source, plan, id(SourceFingerprint.of(source, RULES)), QuantizationReport.fileBytes(source));
    }

    private Original original(RangedModel ranged, WeightFolder source) throws IOException {
        FourBitPlan plan = FourBitPlan.of(source, spec, mostBytes);
        long bytes = 0;
        for (var file : ranged.files().lengths().entrySet()) {
            bytes += plan.reads(file.getKey()) ? file.getValue() : 0;
        }

        return new Original(source, plan, id(ranged.identity()), bytes);
    }

    private String id(String identity) {
        String text = String.join("\n", RULES, identity, spec.toString(), Long.toString(mostBytes));
        return Sha256.hex(text.getBytes(StandardCharsets.UTF_8));
    }

    /** One run of the command. */
    private final class Attempt {
        private final FileSystem files;
        private final Path target;
        private final Supplier<JavaSparkContext> context;
        private final Console console;

        private Attempt(FileSystem files, Path target, Supplier<JavaSparkContext> context, Console console) {
            this.files = files;
            this.target = target;
            this.context = context;
            this.console = console;
        }

        private QuantizationReport write(Original original, Permission overwrite) throws IOException {
            QuantizedFolder folder = new QuantizedFolder(files, target, original.id());
            Optional<PublishedFiles> finished = folder.finished(original.plan());
            if (finished.isPresent()) {
                console.note("%s is there already, of the same model and options", target);
                return finished.get().report();
            }

            QuantizedFolder beside = new QuantizedFolder(
                    files,
                    new Path(
                            target.getParent(),
                            ".%s.new-%s"
                                    .formatted(target.getName(), original.id().substring(0, SHORT))),
                    original.id());
            Optional<PublishedFiles> ready = beside.finished(original.plan());
            if (!folder.isFree()) {
                overwrite.require();
            } else if (ready.isEmpty()) {
                return fill(folder, original).report();
            }

            PublishedFiles written = ready.isPresent() ? ready.get() : fill(beside, original);
            FreshFolder.replace(
                    files, beside.path(), written.all(files, beside.path()), target, FullModelFolder::isPart);
            return written.report();
        }

        private PublishedFiles fill(QuantizedFolder folder, Original original) throws IOException {
            folder.begin(original.plan());
            QuantizeJob job = new QuantizeJob(context.get(), model, cache, spec);
            long begin = System.nanoTime();
            List<QuantizedPart.Stored> parts = job.run(original.plan(), folder.path());
            console.note("wrote %d files of weights in %.1f s", parts.size(), (System.nanoTime() - begin) / NANOS);
            try (TemporaryFolder small = TemporaryFolder.create("spark-qlora-model-")) {
                FourBitFolder.writeSmallFiles(original.source(), spec, small.path());
                return folder.commit(original.plan(), parts, small.path(), original.bytes());
            }
        }
    }
}
