package org.sparkqlora.spark.job;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.model.generation.GenerationSpec;
import org.sparkqlora.model.generation.Sampling;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.BigramModel;
import org.sparkqlora.train.BigramSource;
import org.sparkqlora.train.BoundModel;

class SparkGeneratorTest {
    private static final int END = 3;

    private final BigramModel model = new BigramModel();

    @ParameterizedTest(name = "{0}")
    @ValueSource(strings = {Clusters.ONE_SLOT, Clusters.TWO_SLOTS, Clusters.TWO_EXECUTORS})
    void everyClusterGivesTheTextsOfOneProcessInOrder(String master) {
        FlatVector parameters = model.initialParameters(9);
        GenerationSpec spec = new GenerationSpec(12, Set.of(END), new Sampling(1, 8, 0.9, 4));
        List<int[]> prompts = IntStream.range(0, 21)
                .mapToObj(i -> new int[] {i % BigramModel.VOCABULARY})
                .toList();
        List<SparkGenerator.Asked> asked =
                prompts.stream().map(ids -> new SparkGenerator.Asked("", ids)).toList();

        List<Integer> parts = new ArrayList<>();
        List<int[]> made = new ArrayList<>(prompts.subList(0, 2));
        Clusters.on(master, context -> {
            new SparkGenerator(context, new BigramSource())
                    .generate(
                            parameters,
                            model.parameters(),
                            new SparkGenerator.Prompts(asked, 2, 8, AnswerText.Losses.NONE),
                            new ByAdapter<>(new TreeMap<>(Map.of("", spec))),
                            part -> {
                                parts.add(part.size());
                                part.forEach(each -> made.add(each.ids()));
                            });

            assertThat(context.getLocalProperty("spark.job.description")).isNull();
            return parts;
        });

        assertThat(parts).containsExactly(8, 8, 3);

        assertThat(made).hasSize(21).anyMatch(ids -> ids.length < 12).anyMatch(ids -> ids.length == 12);
        try (BoundModel bound = model.bind(parameters)) {
            for (int i = 2; i < made.size(); i++) {
                assertThat(made.get(i)).isEqualTo(bound.generate(prompts.get(i), spec.ofText(i)));
            }
        }
    }

    @Test
    void moreSlotsGetMoreTextsAtATime() {
        Clusters.on("local[16]", context -> {
            assertThat(SparkGenerator.textsOfAllSlots(context)).isEqualTo(16 * 512);
            assertThat(SparkGenerator.tasks(context, 16 * 512)).isEqualTo(16);
            assertThat(SparkGenerator.tasks(context, 16 * 1024 + 1)).isEqualTo(17);
            return context;
        });
    }
}
