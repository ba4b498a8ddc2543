package org.sparkqlora.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.model.shared.WeightBuffers;
import org.sparkqlora.quant.FloatSource;
import org.sparkqlora.tensor.BaseMatrix;
import org.sparkqlora.tensor.ComputeThreads;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tensor.Hardware;
import org.sparkqlora.tensor.Natives;
import org.sparkqlora.weights.family.Projection;

/** The base is written once, and what trains once a version. */
@NullMarked
class DequantizedLayersTest {
    private static final int WIDTH = 16;

    private final List<String> writes = new ArrayList<>();
    private ComputeThreads threads;
    private WeightBuffers own;
    private DequantizedLayers layers;
    private BoundParameters first;
    private BoundParameters second;

    @BeforeEach
    void open() {
        Natives.load();
        threads = ComputeThreads.of(1, Hardware::processor);
        own = buffers();
        layers = new DequantizedLayers(this::buffers);
        first = none();
        second = none();
    }

    @AfterEach
    void close() {
        layers.close();
        own.close();
        threads.close();
    }

    @Test
    void theBaseIsWrittenOnceAndWhatTrainsOnceAVersion() {
        pass(first, false, 0, 1, 1, 0);
        pass(first, false, 0, 1);
        pass(second, false, 0, 1);
        pass(second, false, 1);

        assertThat(writes).containsExactly("base 0", "trained 0", "base 1", "trained 1", "trained 0", "trained 1");
    }

    @Test
    void aPassAtAnotherVersionThanThoseThatHaveALayerInHandIsByItself() {
        layers.run(new Workspace(own, threads), outer -> {
            open(outer, first, false, 0);
            pass(second, false, 0);
            assertThat(writes).containsExactly("base 0", "trained 0", "base 0", "trained 0");
            pass(first, false, 0);
            open(outer, first, false, 1);
            return pass(second, false, 0);
        });

        assertThat(writes.subList(4, writes.size())).containsExactly("base 1", "trained 1", "trained 0");
    }

    /** Adapters that drop are not joined with the base, so that it lies elsewhere. */
    @Test
    void whereAdaptersDropTheBaseIsWrittenAnew() {
        pass(first, false, 0);
        pass(first, true, 0);
        pass(first, true, 0);

        assertThat(writes).containsExactly("base 0", "trained 0", "base 0", "trained 0");
    }

    @Test
    void whatAFailureLeftIsWrittenAnew() {
        pass(first, false, 0);
        assertThatThrownBy(() -> layers.run(
                        new Workspace(own, threads),
                        workspace -> workspace.open(new Workspace.LayerWeights(0, second, false), opened -> {
                            throw new IllegalStateException("broken");
                        })))
                .hasMessage("broken");
        pass(second, false, 0);

        assertThat(writes).containsExactly("base 0", "trained 0", "base 0", "trained 0");
    }

    private WeightBuffers buffers() {
        return new WeightBuffers(ScalarType.Float, threads.hardware());
    }

    private BoundParameters none() {
        return new BoundParameters(
                ParameterIndex.builder().build(), FlatVector.zeros(0), ScalarType.Float, threads.hardware());
    }

    private int pass(BoundParameters parameters, boolean drops, int... order) {
        return layers.run(new Workspace(own, threads), workspace -> {
            for (int layer : order) {
                open(workspace, parameters, drops, layer);
            }

            return order.length;
        });
    }

    private void open(Workspace workspace, BoundParameters parameters, boolean drops, int layer) {
        workspace.open(new Workspace.LayerWeights(layer, parameters, drops), opened -> {
            Tensor matrix = opened.matrix(Projection.QUERY, 1, WIDTH, List.of(layer));
            opened.fill(() -> {
                opened.materialize(new BaseMatrix.Converted(source("base " + layer), threads.hardware()), matrix);
                writes.add("trained " + layer);
            });
            return null;
        });
    }

    private FloatSource source(String name) {
        return new FloatSource() {
            @Override
            public long length() {
                return WIDTH;
            }

            @Override
            public void read(long from, float[] target, int count) {
                writes.add(name);
            }
        };
    }
}
