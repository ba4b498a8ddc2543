package org.sparkqlora.run.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.sparkqlora.model.layout.FactorInitialization;
import org.sparkqlora.model.layout.LoraSpec;
import org.sparkqlora.spark.cluster.Location;

class AdapterStartTest {
    private static final LoraSpec PLAIN = LoraSpec.allLinear(4, 8);

    /** Lengths of a weight's rows are libtorch's, and an adapter's folder may be the driver's alone. */
    @Test
    void eachProcessMakesTheSameFirstValuesUnlessTheyAreMagnitudesOrAnAdapters() {
        LoraSpec dora = new LoraSpec(4, 8, 0, PLAIN.targets(), false, true, Map.of(), Map.of());

        assertThat(new AdapterStart(null, null, Vocabulary.UNCHANGED).isSameEverywhere())
                .isTrue();
        assertThat(new AdapterStart(PLAIN, null, Vocabulary.UNCHANGED).isSameEverywhere())
                .isTrue();
        assertThat(new AdapterStart(
                                PLAIN.withInitialization(FactorInitialization.Drawn.GAUSSIAN),
                                null,
                                Vocabulary.UNCHANGED)
                        .isSameEverywhere())
                .isTrue();
        assertThat(new AdapterStart(dora, null, Vocabulary.UNCHANGED).isSameEverywhere())
                .isFalse();
        assertThat(new AdapterStart(PLAIN, Location.of(Path.of("adapter")), Vocabulary.UNCHANGED).isSameEverywhere())
                .isFalse();
    }
}
