package org.sparkqlora.spark.replica;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.sparkqlora.spark.job.Clusters;
import org.sparkqlora.train.BigramModel;
import org.sparkqlora.train.BigramSource;

class FixedModelTest {
    private static final int MODELS = 5;
    private static final int TASKS = 16;
    private static final int USES = 100;

    private final BigramModel model = new BigramModel();

    /** A process keeps few of them: a task may have found one that another task's takes the place of before it is used. */
    @Test
    void tasksMayUseMoreModelsAtOnceThanTheirProcessKeeps() {
        List<Integer> used = Clusters.on("local[8]", context -> {
            List<FixedModel> models = IntStream.range(0, MODELS)
                    .mapToObj(seed -> FixedModel.publish(
                            context, new BigramSource(), model.initialParameters(seed), model.parameters()))
                    .toList();
            return context.parallelize(IntStream.range(0, TASKS).boxed().toList(), TASKS)
                    .map(task -> IntStream.range(0, USES)
                            .map(use -> models.get((task + use) % MODELS).use(bound -> 1))
                            .sum())
                    .collect();
        });

        assertThat(used).hasSize(TASKS).containsOnly(USES);
    }
}
