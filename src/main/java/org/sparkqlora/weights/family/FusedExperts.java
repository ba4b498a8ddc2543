package org.sparkqlora.weights.family;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.sparkqlora.weights.safetensors.InvalidWeightsException;
import org.sparkqlora.weights.safetensors.StoredTensor;
import org.sparkqlora.weights.safetensors.StoredTensors;

/**
 * The matrices of experts in checkpoints that hold those of a layer as one tensor, as transformers 5 has them in memory:
 * {@code gate_up_proj}, (experts, 2 width, hidden), gate above up, and {@code down_proj}, (experts, hidden, width).
 */
public final class FusedExperts {
    private static final Pattern FUSED =
            Pattern.compile("model\\.layers\\.(\\d{1,6})\\.mlp\\.experts\\.(gate_up_proj|down_proj)");

    private final ModelConfig config;

    private FusedExperts(ModelConfig config) {
        this.config = config;
    }

    /** {@code stored} with each expert's matrices as tensors of their own. */
    public static StoredTensors apart(StoredTensors stored, ModelConfig config) {
        if (config.traits().mixture().isEmpty()
                || stored.names().stream().noneMatch(name -> FUSED.matcher(name).matches())) {
            return stored;
        }

        return stored.divided(new FusedExperts(config)::parts);
    }

    /** None of a tensor that stays whole. */
    private Map<String, StoredTensors.Part> parts(StoredTensor tensor) {
        Matcher fused = FUSED.matcher(tensor.name());
        if (!fused.matches()) {
            return Map.of();
        }

        int layer = Integer.parseInt(fused.group(1));
        boolean down = fused.group(2).equals("down_proj");
        List<ExpertMatrix> matrices = down ? List.of(ExpertMatrix.DOWN) : List.of(ExpertMatrix.GATE, ExpertMatrix.UP);
        requireShape(tensor, matrices);
        Map<String, StoredTensors.Part> parts = new LinkedHashMap<>();
        long from = 0;
        for (int expert = 0; expert < config.mixture().experts(); expert++) {
            for (ExpertMatrix matrix : matrices) {
                ProjectionShape shape = matrix.shape(config);
                parts.put(
                        matrix.weight(layer, expert),
                        new StoredTensors.Part(tensor.name(), from, shape.outputs(), shape.inputs()));
                from += shape.elements();
            }
        }

        return parts;
    }

    private void requireShape(StoredTensor tensor, List<ExpertMatrix> matrices) {
        ProjectionShape shape = matrices.get(0).shape(config);
        long[] expected = {config.mixture().experts(), (long) matrices.size() * shape.outputs(), shape.inputs()};
        if (!Arrays.equals(tensor.shape(), expected)) {
            throw new InvalidWeightsException("Cannot read %s of %s: expected shape %s, found %s"
                    .formatted(
                            tensor.name(), tensor.file(), Arrays.toString(expected), Arrays.toString(tensor.shape())));
        }
    }
}
