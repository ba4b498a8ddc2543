package org.sparkqlora.command.demo;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import org.sparkqlora.weights.family.ModelConfigJson;
import org.sparkqlora.weights.safetensors.SafetensorsWriter;
import org.sparkqlora.weights.safetensors.TensorSpec;

/** Writes the demo's model as it is before it learns anything: a folder like any from Hugging Face, the same for equal seeds. */
public final class DemoModel {
    private static final double STANDARD_DEVIATION = 0.05;

    private DemoModel() {}

    public static void write(Path folder, long seed) {
        List<String> tokens = DemoVocabulary.tokens();
        DemoShape shape = new DemoShape(tokens.size());
        try {
            Files.createDirectories(folder);
            Files.writeString(folder.resolve(ModelConfigJson.FILE_NAME), DemoModelJson.config(shape));
            Files.writeString(folder.resolve("tokenizer.json"), DemoModelJson.tokenizer(tokens));
            Files.writeString(folder.resolve("tokenizer_config.json"), DemoModelJson.tokenizerConfig());
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to write the demo's model to " + folder, e);
        }

        writeWeights(folder.resolve("model.safetensors"), shape, new SplittableRandom(seed));
    }

    private static void writeWeights(Path file, DemoShape shape, SplittableRandom random) {
        try (SafetensorsWriter writer = SafetensorsWriter.create(file, SafetensorsWriter.PYTORCH, shape.tensors())) {
            shape.tensors().forEach(tensor -> writer.write(tensor.name(), values(tensor, random)));
            writer.commit();
        }
    }

    /** Matrices are normally distributed, norms are ones. */
    private static ByteBuffer values(TensorSpec tensor, SplittableRandom random) {
        ByteBuffer values =
                ByteBuffer.allocate(Math.toIntExact(tensor.byteSize())).order(ByteOrder.LITTLE_ENDIAN);
        boolean norm = tensor.name().endsWith("norm.weight");
        while (values.hasRemaining()) {
            values.putFloat(norm ? 1 : (float) (STANDARD_DEVIATION * random.nextGaussian()));
        }

        return values.flip();
    }
}
