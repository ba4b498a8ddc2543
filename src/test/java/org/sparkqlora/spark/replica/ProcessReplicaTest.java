package org.sparkqlora.spark.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.LongFunction;
import org.junit.jupiter.api.Test;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.spark.cluster.SharedResources;
import org.sparkqlora.spark.job.Clusters;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.BigramModel;
import org.sparkqlora.train.BoundModel;
import org.sparkqlora.train.GradientModel;
import org.sparkqlora.train.ModelSource;

class ProcessReplicaTest {
    private final List<GradientModel> closed = new ArrayList<>();
    private final SharedResources<GradientModel> models = new SharedResources<>(closed::add);

    @Test
    void oneThatCannotBeMadeGivesItsModelBack() {
        assertThatThrownBy(() -> Clusters.on(Clusters.ONE_SLOT, context -> {
                    RunHandle run = InferenceReplicas.run(context, new ShapelessSource());
                    return ProcessReplica.following(run, models, List.of());
                }))
                .isInstanceOf(OutOfMemoryError.class)
                .hasMessage("no room for parameters");

        models.lease("another", BigramModel::new).close();
        assertThat(closed).hasOnlyElementsOfType(ShapelessModel.class).hasSize(1);
    }

    private record ShapelessSource() implements ModelSource {
        @Override
        public String key() {
            return "shapeless";
        }

        @Override
        public Optional<String> problem(List<String> gpus) {
            return Optional.empty();
        }

        @Override
        public GradientModel open(int threads) {
            return new ShapelessModel();
        }
    }

    private record ShapelessModel() implements GradientModel {
        @Override
        public ParameterIndex parameters() {
            throw new OutOfMemoryError("no room for parameters");
        }

        @Override
        public FlatVector initialParameters(long seed, LongFunction<FlatVector> zeros) {
            return zeros.apply(0);
        }

        @Override
        public BoundModel bind(FlatVector parameters, OptionalDouble lossScale) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void close() {}
    }
}
