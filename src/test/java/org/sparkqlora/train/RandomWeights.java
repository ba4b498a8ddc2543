package org.sparkqlora.train;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import org.sparkqlora.weights.DecoderTensors;
import org.sparkqlora.weights.ModelConfigJson;
import org.sparkqlora.weights.SafetensorsWriter;
import org.sparkqlora.weights.StoredType;
import org.sparkqlora.weights.TensorSpec;

/** Writes a model folder whose weights mean nothing. */
final class RandomWeights {
    private static final float RANGE = 0.05f;

    private RandomWeights() {}

    static void write(Path folder, String config) throws IOException {
        Files.createDirectories(folder);
        Path file = Files.writeString(folder.resolve("config.json"), config);
        List<TensorSpec> tensors = DecoderTensors.of(ModelConfigJson.read(file)).shapes().entrySet().stream()
                .map(tensor -> TensorSpec.of(tensor.getKey(), StoredType.F32, tensor.getValue()))
                .toList();
        SplittableRandom random = new SplittableRandom(3);
        try (SafetensorsWriter writer =
                SafetensorsWriter.create(folder.resolve("model.safetensors"), SafetensorsWriter.PYTORCH, tensors)) {
            for (TensorSpec tensor : tensors) {
                writer.write(tensor.name(), values((int) tensor.byteSize() / Float.BYTES, random));
            }

            writer.commit();
        }
    }

    private static ByteBuffer values(int count, SplittableRandom random) {
        ByteBuffer values = ByteBuffer.allocate(count * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < count; i++) {
            values.putFloat(RANGE * (float) (2 * random.nextDouble() - 1));
        }

        return values.flip();
    }
}
