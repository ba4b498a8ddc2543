package org.sparkqlora.train;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkqlora.model.GoldenModel;
import org.sparkqlora.model.GoldenModel.Mode;
import org.sparkqlora.model.layout.Parameter;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.optim.DecayedTensors;
import org.sparkqlora.optim.OptimizedTensor;
import org.sparkqlora.optim.OptimizerKind;
import org.sparkqlora.optim.OptimizerSpec;
import org.sparkqlora.weights.WeightFolder;

class TensorGroupsTest {
    private static final OptimizerSpec DECAYING = new OptimizerSpec(OptimizerKind.ADAMW, 0.9, 0.999, 1e-8, 0.1);

    @TempDir
    private Path cache;

    static Stream<String> families() {
        return GoldenModel.FAMILIES.stream();
    }

    /** src/test/python/make_weight_decay_goldens.py. */
    @ParameterizedTest
    @MethodSource("families")
    void wholeModelLeavesOutTheTensorsThatTheTrainerOfTransformersLeavesOut(String family) throws IOException {
        List<Parameter> parameters = index(family, Mode.FULL).all();
        List<OptimizedTensor> tensors =
                TensorGroups.of(index(family, Mode.FULL), DECAYING.decaying(DecayedTensors.WITHOUT_NORMS_AND_BIASES));

        List<String> undecayed = new ArrayList<>();
        for (int i = 0; i < parameters.size(); i++) {
            if (tensors.get(i).group().decayFactor() == 0) {
                undecayed.add(parameters.get(i).name());
            }
        }

        assertThat(undecayed).containsExactlyInAnyOrderElementsOf(recorded(family));
    }

    @Test
    void adaptersDecayWithAllThatTheyTrain() {
        assertThat(TensorGroups.of(index("qwen2-bias", Mode.LORA), DECAYING))
                .isNotEmpty()
                .allMatch(tensor -> tensor.group().decayFactor() == 1);
    }

    private ParameterIndex index(String family, Mode mode) {
        GoldenModel golden = new GoldenModel(family);
        try (WeightFolder weights = golden.weights(mode, cache)) {
            return ParameterIndex.of(weights.config(), golden.spec(mode));
        }
    }

    private static List<String> recorded(String family) throws IOException {
        JsonNode all = new ObjectMapper()
                .readTree(Path.of("src/test/resources/goldens/models/weight-decay.json")
                        .toFile());
        List<String> names = new ArrayList<>();
        all.get(family).forEach(name -> names.add(name.asText()));
        return names;
    }
}
