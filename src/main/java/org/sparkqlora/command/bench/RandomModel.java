package org.sparkqlora.command.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.sparkqlora.quant.Bfloat16;
import org.sparkqlora.weights.family.DecoderTensors;
import org.sparkqlora.weights.family.ModelConfigJson;
import org.sparkqlora.weights.safetensors.SafetensorsWriter;
import org.sparkqlora.weights.safetensors.StoredType;
import org.sparkqlora.weights.safetensors.TensorSpec;

/** Writes a model of a given shape that knows nothing, in bf16 and without a tokenizer: as fast as one that was trained. */
final class RandomModel {
    private static final float RANGE = 0.07f;
    private static final int PIECE = 1 << 20;

    private RandomModel() {}

    static void write(Path folder, ModelShape shape) {
        Path config = folder.resolve(ModelConfigJson.FILE_NAME);
        try {
            Files.createDirectories(folder);
            Files.writeString(config, BenchJson.config(shape));
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to write a random model to " + folder, e);
        }

        Map<String, long[]> shapes =
                DecoderTensors.of(ModelConfigJson.read(config)).shapes();
        writeWeights(
                folder.resolve("model.safetensors"),
                shapes.entrySet().stream()
                        .map(tensor -> TensorSpec.of(tensor.getKey(), StoredType.BF16, tensor.getValue()))
                        .toList());
    }

    private static void writeWeights(Path file, List<TensorSpec> tensors) {
        SplittableRandom random = new SplittableRandom(0);
        try (SafetensorsWriter writer = SafetensorsWriter.create(file, SafetensorsWriter.PYTORCH, tensors)) {
            tensors.forEach(tensor -> writeTensor(writer, tensor, random));
            writer.commit();
        }
    }

    private static void writeTensor(SafetensorsWriter writer, TensorSpec tensor, SplittableRandom random) {
        boolean norm = tensor.shape().length == 1;
        for (long from = 0; from < tensor.elements(); from += PIECE) {
            int count = (int) Math.min(PIECE, tensor.elements() - from);
            ByteBuffer values = ByteBuffer.allocate(count * Short.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            for (int i = 0; i < count; i++) {
                values.putShort(Bfloat16.round(norm ? 1 : RANGE * (float) (2 * random.nextDouble() - 1)));
            }

            writer.write(tensor.name(), from * Short.BYTES, values.flip());
        }
    }
}
