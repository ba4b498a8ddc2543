package org.sparkqlora.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.DataOutput;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.checkpoint.CheckpointDraft;
import org.sparkqlora.checkpoint.CheckpointStore;
import org.sparkqlora.model.layout.Precision;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.storage.DamagedFileException;
import org.sparkqlora.storage.LocalFiles;
import org.sparkqlora.storage.StoredFile;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.SavedState.StateParts;
import org.sparkqlora.train.metrics.MetricsJson;
import org.sparkqlora.train.metrics.StepMetrics;

class CheckpointStateStoreTest {
    /** Bytes of a State before its parameters. */
    private static final int HEAD = 68;

    /** Whose State is 120 kB, more than is read ahead. */
    private final GradientModel model = new BigramModel(100);

    private final List<String> warnings = new ArrayList<>();

    @TempDir
    private java.nio.file.Path folder;

    @Test
    void newestStateComesBackAsItWasSaved() throws IOException {
        TrainPlan plan = plan(2);
        assertThat(store(plan).newest()).isEmpty();

        TrainState state = saveTwo(plan);

        assertThat(TrainFixture.bytes(store(plan).newest().orElseThrow().read()))
                .isEqualTo(TrainFixture.bytes(state));
    }

    @Test
    void filesThatOthersWroteAreTakenWhereTheStoreSeesThemAndElseTheStateIsWritten() throws IOException {
        TrainPlan plan = plan(2);
        TrainState state = TrainFixture.freshState(plan, model);
        byte[] bytes = TrainFixture.bytes(state);
        StateStore store = store(plan);
        CheckpointDraft draft = store.draft(0).orElseThrow();
        StoredFile first = draft.write(new Configuration(false), 0, out -> out.write(bytes, 0, 100));
        store.save(new InFiles(state, new StateParts(draft, List.of(first, StoredFile.of("state-001", bytes)))));
        assertThat(namesOfStates()).containsExactly("state.bin");
        assertThat(TrainFixture.bytes(store(plan).newest().orElseThrow().read()))
                .isEqualTo(bytes);

        CheckpointDraft next = store.draft(0).orElseThrow();
        first = next.write(new Configuration(false), 0, out -> out.write(bytes, 0, 100));
        StoredFile rest = next.write(new Configuration(false), 1, out -> out.write(bytes, 100, bytes.length - 100));
        store.save(new InFiles(state, new StateParts(next, List.of(first, rest))));
        assertThat(namesOfStates()).containsExactlyInAnyOrder("state.bin", first.name(), rest.name());
        assertThat(TrainFixture.bytes(store(plan).newest().orElseThrow().read()))
                .isEqualTo(bytes);
    }

    @Test
    void parametersAreReadWithoutTheFilesBehindThem() throws IOException {
        TrainPlan plan = plan(2);
        TrainState state = TrainFixture.freshState(plan, model);
        byte[] bytes = TrainFixture.bytes(state);
        int moments = bytes.length
                - 2 * Float.BYTES * Math.toIntExact(state.parameters().length());
        StateStore store = store(plan);
        CheckpointDraft draft = store.draft(0).orElseThrow();
        StoredFile first = draft.write(new Configuration(false), 0, out -> out.write(bytes, 0, moments));
        StoredFile rest =
                draft.write(new Configuration(false), 1, out -> out.write(bytes, moments, bytes.length - moments));
        store.save(new InFiles(state, new StateParts(draft, List.of(first, rest))));
        StateStore.Stored stored = store(plan).newest().orElseThrow();
        Files.delete(fileNamed(rest.name()));

        assertThat(stored.version()).isZero();
        assertThat(TrainFixture.values(stored.parameters())).isEqualTo(TrainFixture.values(state.parameters()));
    }

    @Test
    void anotherProcessMakesTheStateOfItsFiles() throws IOException {
        TrainPlan plan = plan(2);
        TrainState state = TrainFixture.freshState(plan, model).in(Precision.FP16);
        state.apply(zeroUpdate(0));
        store(plan).save(state);

        StateOrigin.Recipe recipe = store(plan).newest().orElseThrow().recipe().orElseThrow();

        assertThat(recipe.position()).isEqualTo(state.position());
        assertThat(TrainFixture.bytes(made(recipe, plan))).isEqualTo(TrainFixture.bytes(state));
    }

    @Test
    void aProcessThatDoesNotFindTheStateAsItWasWrittenSaysWhatIsWrong() throws IOException {
        TrainPlan plan = plan(2);
        store(plan).save(TrainFixture.freshState(plan, model));
        StateStore.Stored stored = store(plan).newest().orElseThrow();
        StateOrigin.Recipe recipe = stored.recipe().orElseThrow();
        Files.write(stateOf(0), new byte[] {1}, StandardOpenOption.APPEND);

        assertThatThrownBy(() -> made(recipe, plan))
                .isInstanceOf(UnreachableStateException.class)
                .hasMessageStartingWith("cannot read the checkpoint of step 0 here (Cannot trust file:");
        assertThatThrownBy(stored::read)
                .isInstanceOf(UnreachableStateException.class)
                .hasMessageStartingWith("cannot read the checkpoint of step 0 here (")
                .hasCauseInstanceOf(DamagedFileException.class);

        Files.delete(stateOf(0));
        assertThatThrownBy(() -> made(recipe, plan))
                .isInstanceOf(UnreachableStateException.class)
                .hasMessageStartingWith("cannot read the checkpoint of step 0 here (");
    }

    /** Every bit of what decides how much memory a State takes, and a bit here and there of the rest. */
    @Test
    void aBitThatChangedInACheckpointNobodyHasReadIsFoundByWhoeverReadsIt() throws IOException {
        TrainPlan plan = plan(2);
        TrainState state = TrainFixture.freshState(plan, model).in(Precision.FP16);
        store(plan).save(state);
        byte[] good = TrainFixture.bytes(state);
        for (int bit : IntStream.range(0, 8 * good.length)
                .filter(at -> at < 8 * HEAD || at % 9973 == 0 || at >= 8 * good.length - 1)
                .toArray()) {
            byte[] bytes = good.clone();
            bytes[bit / 8] ^= (byte) (1 << bit % 8);
            Files.write(stateOf(0), bytes);
            StateStore.Stored stored = store(plan).newestByLength().orElseThrow();

            assertThat(stored.version()).isZero();
            for (ThrowingCallable reading : List.<ThrowingCallable>of(
                    stored::read, stored::parameters, () -> made(stored.recipe().orElseThrow(), plan))) {
                assertThatThrownBy(reading)
                        .as("bit %d", bit)
                        .isInstanceOf(UnreachableStateException.class)
                        .hasMessageStartingWith("cannot read the checkpoint of step 0 here (");
            }
        }

        assertThatThrownBy(store(plan)::newest).hasMessageContaining("none of its 1 checkpoints can be trusted");
        Files.write(stateOf(0), good);
        StateStore.Stored stored = store(plan).newestByLength().orElseThrow();
        assertThat(TrainFixture.bytes(stored.read())).isEqualTo(good);
        assertThat(TrainFixture.values(stored.parameters())).isEqualTo(TrainFixture.values(state.parameters()));
    }

    /** It would be passed over, and an older one kept for it, if the store read it again. */
    @Test
    void theCheckpointThatARunGoesOnFromIsNotReadAgainToCountTheGoodOnes() throws IOException {
        TrainPlan plan = plan(2);
        saveTwo(plan);
        StateStore second = store(plan);
        TrainState state = second.newestByLength().orElseThrow().read();
        byte[] bytes = Files.readAllBytes(stateOf(1));
        bytes[bytes.length - 1] ^= 1;
        Files.write(stateOf(1), bytes);

        state.apply(zeroUpdate(1));
        second.save(state);

        assertThat(namesOfStates()).hasSize(2);
        assertThat(store(plan).newest().orElseThrow().version()).isEqualTo(2);
        assertThat(stateOf(1)).exists();
    }

    /** The States of steps 0 and 1, and gives the second. */
    private TrainState saveTwo(TrainPlan plan) throws IOException {
        TrainState state = TrainFixture.freshState(plan, model);
        StateStore store = store(plan);
        store.save(state);
        state.apply(zeroUpdate(0));
        store.save(state);
        return state;
    }

    private Update zeroUpdate(long version) {
        FlatVector zeros = FlatVector.zeros(model.parameters().size());
        return new Update(version, SummedVector.of(zeros, Summation.TREE), 1, 0.1);
    }

    private TrainState made(StateOrigin.Recipe recipe, TrainPlan plan) {
        return recipe.make(
                model,
                plan.optimizer(),
                StateHome.inMemory(new Workers(1)),
                files -> files.open(new Configuration(false)));
    }

    private java.nio.file.Path fileNamed(String name) throws IOException {
        try (Stream<java.nio.file.Path> files = Files.walk(folder)) {
            return files.filter(file -> file.endsWith(name)).findFirst().orElseThrow();
        }
    }

    private List<String> namesOfStates() throws IOException {
        try (Stream<java.nio.file.Path> files = Files.walk(folder)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(".bin"))
                    .toList();
        }
    }

    private record InFiles(SavedState state, StateParts written) implements SavedState {
        @Override
        public long version() {
            return state.version();
        }

        @Override
        public void write(DataOutput out) throws IOException {
            state.write(out);
        }

        @Override
        public Optional<StateParts> parts() {
            return Optional.of(written);
        }
    }

    @Test
    void aDamagedCheckpointThatIsPassedOverIsTold() throws IOException {
        TrainPlan plan = plan(2);
        saveTwo(plan);
        java.nio.file.Path newest = stateOf(1);
        Files.write(newest, new byte[] {1}, StandardOpenOption.APPEND);

        assertThat(store(plan).newest().orElseThrow().version()).isZero();

        assertThat(warnings).hasSize(1);
        assertThat(warnings.get(0))
                .startsWith("Passed over a damaged checkpoint for that of step 0: step-1-")
                .contains("state.bin: expected ");
    }

    private java.nio.file.Path stateOf(int step) throws IOException {
        try (Stream<java.nio.file.Path> files = Files.walk(folder)) {
            return files.filter(file -> file.endsWith("state.bin"))
                    .filter(file -> file.toString().contains("step-" + step + "-"))
                    .findFirst()
                    .orElseThrow();
        }
    }

    @Test
    void theStepWhoseEvaluationIsMissingComesBack() throws IOException {
        TrainPlan plan = plan(2);
        TrainState state = TrainFixture.freshState(plan, model);
        StepMetrics step = MetricsJson.read("{\"step\":0,\"loss\":0.1,\"learning_rate\":0.05,\"f1\":0.5}");

        store(plan).save(state, Optional.of(step));
        Optional<StepMetrics> missing =
                store(plan).newestByLength().orElseThrow().unevaluated();
        store(plan).save(state);

        assertThat(missing).contains(step);
        assertThat(store(plan).newest().orElseThrow().unevaluated()).isEmpty();
    }

    @Test
    void checkpointOfAnotherPlanIsRefused() throws IOException {
        store(plan(2)).save(TrainFixture.freshState(plan(2), model));

        StateStore other = store(plan(3));
        assertThatThrownBy(other::newest)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "Cannot resume from the checkpoint of step 0: it belongs to another plan (batches.shards is 3, was 2). Choose another output folder, or the old settings.");
    }

    private static TrainPlan plan(int shards) {
        return TrainFixture.plan(TrainFixture.batches(shards, 4, 10));
    }

    private StateStore store(TrainPlan plan) throws IOException {
        FileSystem files = LocalFiles.system();
        return new CheckpointStateStore(
                new CheckpointStore(files, new Path(folder.toUri()), 2),
                plan,
                StateHome.inMemory(new Workers(1)),
                warnings::add);
    }
}
