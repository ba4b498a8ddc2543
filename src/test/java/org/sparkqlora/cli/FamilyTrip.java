package org.sparkqlora.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SplittableRandom;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.sparkqlora.checkpoint.AdapterConfig;
import org.sparkqlora.checkpoint.AdapterFolder;
import org.sparkqlora.model.BoundParameters;
import org.sparkqlora.model.DecoderModel;
import org.sparkqlora.model.GoldenModel;
import org.sparkqlora.model.LoadedModel;
import org.sparkqlora.model.adapter.AdapterMerge;
import org.sparkqlora.model.generation.GenerationSpec;
import org.sparkqlora.model.generation.Sampling;
import org.sparkqlora.model.layout.LoraSpec;
import org.sparkqlora.model.layout.Method;
import org.sparkqlora.model.layout.ModelSpec;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.model.layout.Precision;
import org.sparkqlora.model.loss.LossTotal;
import org.sparkqlora.quant.QuantSpec;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.weights.WeightFolder;

/** A small model of a family, with adapters that both sides write: the model of a golden, its targets, other numbers. */
record FamilyTrip(String family, Path folder) {
    static final int NEW_TOKENS = 12;

    private static final Path GOLDENS =
            Path.of("src/test/resources/goldens/models").toAbsolutePath();
    private static final double SIZE = 0.08;

    /** Writes an adapter and folds the golden's into the base. */
    void write() throws IOException {
        LoraSpec lora = Objects.requireNonNull(
                new GoldenModel(family).spec(GoldenModel.Mode.LORA).lora());
        try (WeightFolder weights = WeightFolder.open(base())) {
            ParameterIndex index = new AdapterMerge(weights.config(), lora).parameters();
            AdapterFolder.write(
                    FileSystem.getLocal(new Configuration()),
                    hadoop(ours()),
                    new AdapterConfig(lora, base().toString()),
                    index,
                    numbers(index));
        }

        RoundTripFiles.merge(base(), golden(), "original", merged());
    }

    /** What the Python side gets. */
    Map<String, Object> job() {
        return Map.of(
                "model", base().toString(),
                "golden", golden().toString(),
                "ours", ours().toString(),
                "merged", merged().toString(),
                "theirs", theirs().toString(),
                "batch", base().resolveSibling("batch.json").toString(),
                "new_tokens", NEW_TOKENS);
    }

    /** Summed loss of each document, with the adapter in {@code adapter}. */
    List<Double> losses(Path adapter) throws IOException {
        try (Opened opened = open(adapter)) {
            return opened.model().losses(opened.parameters(), new GoldenModel(family).batch()).stream()
                    .map(LossTotal::lossSum)
                    .toList();
        }
    }

    /** The tokens that follow {@code prompt}, with our adapter. */
    int[] answer(int[] prompt) throws IOException {
        try (Opened opened = open(ours())) {
            GenerationSpec spec = new GenerationSpec(NEW_TOKENS, Set.of(), Sampling.GREEDY);
            return opened.model().generate(opened.parameters(), prompt, spec, id -> {});
        }
    }

    Path ours() {
        return folder.resolve("ours-" + family);
    }

    Path theirs() {
        return folder.resolve("theirs-" + family);
    }

    private Path base() {
        return GOLDENS.resolve(family).resolve("base");
    }

    private Path golden() {
        return GOLDENS.resolve(family).resolve("adapter");
    }

    private Path merged() {
        return folder.resolve("merged-" + family);
    }

    private Opened open(Path adapter) throws IOException {
        FileSystem files = FileSystem.getLocal(new Configuration());
        LoraSpec lora = AdapterFolder.readConfig(files, hadoop(adapter)).lora();
        WeightFolder weights = WeightFolder.open(base());
        ModelSpec spec = new ModelSpec(Method.LORA, Precision.FP32, QuantSpec.DEFAULT, lora);
        DecoderModel model = LoadedModel.of(weights, spec, 1);
        FlatVector numbers = AdapterFolder.read(files, hadoop(adapter), model.parameters());
        return new Opened(weights, model, model.bind(numbers));
    }

    private FlatVector numbers(ParameterIndex index) {
        SplittableRandom random = new SplittableRandom(family.hashCode());
        float[] values = new float[Math.toIntExact(index.size())];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (SIZE * random.nextGaussian());
        }

        return FlatVector.of(values);
    }

    private static org.apache.hadoop.fs.Path hadoop(Path path) {
        return new org.apache.hadoop.fs.Path(path.toUri());
    }

    private record Opened(WeightFolder weights, DecoderModel model, BoundParameters parameters)
            implements AutoCloseable {
        @Override
        public void close() {
            parameters.close();
            model.close();
            weights.close();
        }
    }
}
