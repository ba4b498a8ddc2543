package org.sparkqlora.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.model.layout.Precision;
import org.sparkqlora.optim.DecayedTensors;
import org.sparkqlora.optim.OptimizedTensor;
import org.sparkqlora.optim.OptimizerKind;
import org.sparkqlora.optim.OptimizerSpec;
import org.sparkqlora.optim.ParameterGroup;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.tensor.FlatVector;

class TrainStateTest {
    private static final OptimizerSpec PLAIN = new OptimizerSpec(OptimizerKind.PAGED_ADAMW_8BIT, 0.9, 0.999, 1e-8, 0);
    private static final OptimizerSpec LORA_PLUS =
            new OptimizerSpec(OptimizerKind.PAGED_ADAMW_8BIT, 0.9, 0.999, 1e-8, 0, 16, DecayedTensors.ALL);

    private final ParameterIndex index = index();

    @Test
    void loraPlusPutsFactorsBAndVectorsInAGroupOfTheirOwn() {
        assertThat(TensorGroups.of(index, LORA_PLUS))
                .containsExactly(
                        new OptimizedTensor(20, ParameterGroup.PLAIN),
                        new OptimizedTensor(5000, new ParameterGroup(16, 1)),
                        new OptimizedTensor(6, new ParameterGroup(16, 1)),
                        new OptimizedTensor(7, new ParameterGroup(16, 0)));
        assertThat(TensorGroups.of(index, PLAIN)).allMatch(tensor -> tensor.group() == ParameterGroup.PLAIN);
    }

    @Test
    void aStateThatWasWrittenGoesOnAsTheOneThatWasNot() throws IOException {
        try (Workers workers = new Workers(1);
                TrainState whole = fresh(LORA_PLUS, workers)) {
            whole.apply(update(0));
            try (TrainState read = read(TrainFixture.bytes(whole), LORA_PLUS, workers)) {
                whole.apply(update(1));
                read.apply(update(1));
                assertThat(TrainFixture.bytes(read)).isEqualTo(TrainFixture.bytes(whole));
            }
        }
    }

    @Test
    void aStateFromBeforeThereWereGroupsIsRead() throws IOException {
        try (Workers workers = new Workers(1);
                TrainState state = fresh(PLAIN, workers)) {
            state.apply(update(0));
            byte[] bytes = TrainFixture.bytes(state);
            try (TrainState read = read(withoutGroups(bytes), PLAIN, workers)) {
                assertThat(TrainFixture.bytes(read)).isEqualTo(bytes);
            }
        }
    }

    @Test
    void aStepWhoseGradientOverflowedChangesTheScaleAlone() throws IOException {
        try (Workers workers = new Workers(1);
                TrainState scaled = fresh(PLAIN, workers).in(Precision.FP16);
                TrainState plain = fresh(PLAIN, workers)) {
            assertThat(scaled.position().lossScale()).hasValue(0x1p16);
            scaled.apply(broken(0, Float.POSITIVE_INFINITY));
            scaled.apply(broken(1, Float.NaN));
            assertThat(scaled.position().lossScale()).hasValue(0x1p14);
            assertThat(scaled.version()).isEqualTo(2);

            scaled.apply(update(2)); // the first step of AdamW
            plain.apply(new Update(0, update(2).gradient(), 0.5f, 1e-3));
            for (long i = 0; i < index.size(); i++) {
                assertThat(scaled.parameters().get(i))
                        .isEqualTo(plain.parameters().get(i));
            }

            try (TrainState read = read(TrainFixture.bytes(scaled), PLAIN, workers)) {
                assertThat(read.position().lossScale()).hasValue(0x1p14);
                scaled.apply(broken(3, Float.NaN));
                read.apply(broken(3, Float.NaN));
                scaled.apply(update(4));
                read.apply(update(4));
                assertThat(TrainFixture.bytes(read)).isEqualTo(TrainFixture.bytes(scaled));
            }
        }
    }

    /** Ranges of every length from a byte to all, so that they begin and end within a number, a header and a page. */
    @ParameterizedTest
    @EnumSource
    void rangesOfBytesAreThoseThatAreWritten(OptimizerKind kind) {
        try (Workers workers = new Workers(1);
                TrainState state = fresh(new OptimizerSpec(kind, 0.9, 0.999, 1e-8, 0), workers)
                        .in(Precision.FP16)) {
            state.apply(update(0));
            byte[] whole = TrainFixture.bytes(state);
            assertThat(state.savedBytes()).isEqualTo(whole.length);
            for (int length : new int[] {1, 7, 4096, whole.length}) {
                byte[] joined = new byte[whole.length];
                for (int from = 0; from < joined.length; from += length) {
                    state.readSaved(from, ByteBuffer.wrap(joined, from, Math.min(length, joined.length - from)));
                }

                assertThat(joined).as("by %d bytes", length).isEqualTo(whole);
            }
        }
    }

    private Update broken(long version, float value) {
        FlatVector gradient = update(version).gradient().vector();
        gradient.set(3, value);
        return new Update(version, SummedVector.of(gradient, Summation.TREE), 0.5f, 1e-3);
    }

    private static ParameterIndex index() {
        ParameterIndex.Builder builder = ParameterIndex.builder();
        builder.add("m.lora_A.weight", 4, 5);
        builder.add("m.lora_B.weight", 1250, 4);
        builder.add("m.lora_magnitude_vector", 6);
        builder.add("m.bias", 7);
        return builder.build();
    }

    private TrainState fresh(OptimizerSpec spec, Workers workers) {
        return TrainState.fresh(FlatVector.zeros(index.size()), index, spec, 3, StateHome.inMemory(workers));
    }

    private Update update(long version) {
        FlatVector gradient = FlatVector.zeros(index.size());
        for (long i = 0; i < gradient.length(); i++) {
            gradient.set(i, (float) Math.sin(i + 0.1 * version));
        }

        return new Update(version, SummedVector.of(gradient, Summation.TREE), 0.5f, 1e-3);
    }

    private static TrainState read(byte[] bytes, OptimizerSpec spec, Workers workers) throws IOException {
        return TrainState.read(new DataInputStream(new ByteArrayInputStream(bytes)), spec, StateHome.inMemory(workers));
    }

    /** This State in format 1. */
    private static byte[] withoutGroups(byte[] state) throws IOException {
        DataInputStream in = new DataInputStream(new ByteArrayInputStream(state));
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        out.writeInt(in.readInt());
        assertThat(in.readInt()).isEqualTo(2);
        out.writeInt(1);
        out.writeLong(in.readLong());
        out.writeLong(in.readLong());
        int tensors = in.readInt();
        out.writeInt(tensors);
        for (int i = 0; i < tensors; i++) {
            out.writeLong(in.readLong());
            assertThat(List.of(in.readDouble(), in.readDouble())).containsExactly(1.0, 1.0);
        }

        in.transferTo(out);
        return bytes.toByteArray();
    }
}
