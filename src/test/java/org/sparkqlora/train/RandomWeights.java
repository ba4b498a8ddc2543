package org.sparkqlora.train;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.sparkqlora.tokenizer.packing.TokenRow;
import org.sparkqlora.weights.family.DecoderTensors;
import org.sparkqlora.weights.family.ModelConfigJson;
import org.sparkqlora.weights.safetensors.SafetensorsWriter;
import org.sparkqlora.weights.safetensors.StoredType;
import org.sparkqlora.weights.safetensors.TensorSpec;

/** Writes a model folder whose weights mean nothing. */
public final class RandomWeights {
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

    /** A Llama of two layers and eight heads. */
    public static void writeLlama(Path folder, int vocabulary, int hidden, int intermediate) throws IOException {
        write(folder, """
                {"model_type": "llama", "vocab_size": %d, "hidden_size": %d, "intermediate_size": %d,
                 "num_hidden_layers": 2, "num_attention_heads": 8, "num_key_value_heads": 8, "rms_norm_eps": 1e-5,
                 "max_position_embeddings": 2048, "rope_theta": 10000.0, "tie_word_embeddings": true,
                 "hidden_act": "silu", "torch_dtype": "float32"}
                """.formatted(vocabulary, hidden, intermediate));
    }

    /** Rows of a document each, all of it trained. */
    public static List<TokenRow> rows(int count, int tokens, int vocabulary) {
        return IntStream.range(0, count)
                .mapToObj(number -> row(number, tokens, vocabulary))
                .toList();
    }

    private static TokenRow row(int number, int tokens, int vocabulary) {
        boolean[] trained = new boolean[tokens];
        boolean[] starts = new boolean[tokens];
        Arrays.fill(trained, true);
        trained[0] = false;
        starts[0] = true;
        return new TokenRow(
                new SplittableRandom(number).ints(tokens, 0, vocabulary).toArray(), trained, starts, tokens);
    }

    private static ByteBuffer values(int count, SplittableRandom random) {
        ByteBuffer values = ByteBuffer.allocate(count * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < count; i++) {
            values.putFloat(RANGE * (float) (2 * random.nextDouble() - 1));
        }

        return values.flip();
    }
}
