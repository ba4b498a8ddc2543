package org.sparkqlora.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.sparkqlora.model.layout.FactorInitialization;
import org.sparkqlora.model.layout.LoraSpec;
import org.sparkqlora.optim.DecayedTensors;
import org.sparkqlora.optim.OptimizerKind;
import org.sparkqlora.optim.OptimizerSpec;

class TrainPlanJsonTest {
    private final TrainPlan plan = TrainFixture.plan(TrainFixture.batches(2, 4, 10));

    @Test
    void readsWhatItWrites() {
        assertThat(TrainPlanJson.read(TrainPlanJson.write(plan))).isEqualTo(plan);
    }

    @Test
    void keepsWhatNarrowsTheTargets() {
        String json = TrainPlanJson.write(plan)
                .replace(
                        "\"layers_to_transform\" : [ ]",
                        "\"layers_to_transform\" : [ 0, 2 ], \"exclude_modules\" : \"k_proj\"")
                .replace("\"init_lora_weights\" : \"default\"", "\"init_lora_weights\" : \"gaussian\"");

        TrainPlan narrowed = TrainPlanJson.read(json);

        LoraSpec lora = Objects.requireNonNull(narrowed.spec().lora());
        assertThat(lora.initialization()).isEqualTo(FactorInitialization.Drawn.GAUSSIAN);
        assertThat(lora.targets().matches("model.layers.2.self_attn.q_proj")).isTrue();
        assertThat(lora.targets().matches("model.layers.2.self_attn.k_proj")).isFalse();
        assertThat(lora.targets().matches("model.layers.1.self_attn.q_proj")).isFalse();
        assertThat(TrainPlanJson.read(TrainPlanJson.write(narrowed))).isEqualTo(narrowed);
    }

    @Test
    void tellsLoraPlusFromPlainLora() {
        OptimizerSpec fast = new OptimizerSpec(OptimizerKind.ADAMW, 0.9, 0.999, 1e-8, 0.01, 16, DecayedTensors.ALL);
        TrainPlan loraPlus = new TrainPlan(
                plan.model(),
                plan.spec(),
                plan.initialAdapter(),
                plan.data(),
                plan.batches(),
                fast,
                plan.schedule(),
                plan.gradientDtype(),
                plan.maxGradientNorm(),
                plan.seed());

        assertThat(TrainPlanJson.read(TrainPlanJson.write(loraPlus))).isEqualTo(loraPlus);
        assertThat(TrainPlanJson.differences(plan, loraPlus))
                .containsExactly("optimizer.loraplus_lr_ratio is 16.0, was null");
        assertThat(TrainPlanJson.write(plan)).doesNotContain("loraplus");
    }

    @Test
    void tellsWhichTensorsDecayUnlessAllDo() {
        TrainPlan narrow = new TrainPlan(
                plan.model(),
                plan.spec(),
                plan.initialAdapter(),
                plan.data(),
                plan.batches(),
                plan.optimizer().decaying(DecayedTensors.WITHOUT_NORMS_AND_BIASES),
                plan.schedule(),
                plan.gradientDtype(),
                plan.maxGradientNorm(),
                plan.seed());

        assertThat(TrainPlanJson.read(TrainPlanJson.write(narrow))).isEqualTo(narrow);
        assertThat(TrainPlanJson.differences(plan, narrow))
                .containsExactly("optimizer.weight_decay_on is without_norms_and_biases, was null");
        assertThat(TrainPlanJson.write(plan)).doesNotContain("weight_decay_on");
    }

    @Test
    void keepsWhatWasTakenOutOfTheBase() {
        TrainPlan taken = plan.withTakenFactors("abc");

        assertThat(TrainPlanJson.read(TrainPlanJson.write(taken))).isEqualTo(taken);
        assertThat(TrainPlanJson.differences(plan, taken)).containsExactly("taken_factors_sha256 is abc, was null");
        assertThat(TrainPlanJson.write(plan)).doesNotContain("taken");
    }

    @Test
    void keepsTheFingerprintOfTheBaseAndGoesOnWithPlansThatHaveNone() {
        TrainPlan based = plan.withBase("abc");

        assertThat(TrainPlanJson.read(TrainPlanJson.write(based))).isEqualTo(based);
        assertThat(TrainPlanJson.differences(plan.withBase("xyz"), based))
                .containsExactly("base_fingerprint is abc, was xyz");
        assertThat(TrainPlanJson.write(plan)).doesNotContain("base_fingerprint");
        assertThat(based.begunAs(plan)).isEqualTo(plan);
        assertThat(based.begunAs(plan.withBase("xyz"))).isEqualTo(based);
    }

    @Test
    void takesAPlanThatNamesNoWireAsOneOfFloat32() {
        String json = TrainPlanJson.write(plan).replace("  \"wire\" : \"fp32\",\n", "");

        assertThat(json).doesNotContain("wire");
        assertThat(TrainPlanJson.read(json)).isEqualTo(plan);
    }

    @Test
    void tellsNoiseFromNone() {
        TrainPlan noisy = new TrainPlan(
                plan.model(),
                plan.spec().withNoise(5),
                plan.initialAdapter(),
                plan.data(),
                plan.batches(),
                plan.optimizer(),
                plan.schedule(),
                plan.gradientDtype(),
                plan.maxGradientNorm(),
                plan.seed());

        assertThat(TrainPlanJson.read(TrainPlanJson.write(noisy))).isEqualTo(noisy);
        assertThat(TrainPlanJson.differences(plan, noisy)).containsExactly("neftune_noise_alpha is 5.0, was null");
        assertThat(TrainPlanJson.write(plan)).doesNotContain("neftune");
    }

    @Test
    void namesWhatDiffersBetweenTwoPlans() {
        TrainPlan other = TrainFixture.plan(TrainFixture.batches(3, 4, 10));

        assertThat(TrainPlanJson.differences(plan, other)).containsExactly("batches.shards is 3, was 2");
    }

    @Test
    void namesTheMembersOfListsThatDiffer() {
        TrainPlan first = onLayers("0, 1");
        TrainPlan second = onLayers("2");

        assertThat(TrainPlanJson.differences(first, second))
                .containsExactly("lora.layers_to_transform is [2], was [0, 1]");
        assertThat(TrainPlanJson.differences(plan, second)).containsExactly("lora.layers_to_transform is [2], was []");
    }

    private TrainPlan onLayers(String layers) {
        return TrainPlanJson.read(TrainPlanJson.write(plan)
                .replace("\"layers_to_transform\" : [ ]", "\"layers_to_transform\" : [ %s ]".formatted(layers)));
    }

    @Test
    void refusesAKeyItDoesNotKnow() {
        String json = TrainPlanJson.write(plan).replaceFirst("\\{", "{ \"speed\": 3,");

        assertThatThrownBy(() -> TrainPlanJson.read(json))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Cannot read a plan: unknown key 'speed'");
    }

    @Test
    void refusesAPlanWithoutASeed() {
        String json = TrainPlanJson.write(plan).replace("\"seed\" : 42", "\"seed\" : null");

        assertThatThrownBy(() -> TrainPlanJson.read(json))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Cannot read a plan: expected a value for 'seed', found none");
    }
}
