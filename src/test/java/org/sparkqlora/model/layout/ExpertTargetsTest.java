package org.sparkqlora.model.layout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.weights.family.ExpertModules;

/** What names of modules mean in a mixture of experts, as PEFT 0.21 has it. */
class ExpertTargetsTest {
    private static ExpertTargets of(String modules, String... parameters) {
        return ExpertTargets.of(
                ExpertModules.SEPARATE, TargetModules.parse(modules), new TargetParameters(List.of(parameters)));
    }

    @Test
    void allLinearMeansAttentionRouterAndExperts() {
        ExpertTargets targets = of("all-linear");

        assertThat(targets.modules().words()).isEqualTo("k_proj,o_proj,q_proj,v_proj");
        assertThat(targets.parameters().names()).containsExactly("down_proj", "gate.weight", "gate_up_proj");
        assertThat(targets.fused()).isTrue();
    }

    @Test
    void namesOfExpertsModulesMeanParameters() {
        ExpertTargets targets = of("q_proj,down_proj", "mlp.experts.gate_up_proj");

        assertThat(targets.modules().words()).isEqualTo("q_proj");
        assertThat(targets.parameters().names()).containsExactly("down_proj", "mlp.experts.gate_up_proj");
        assertThat(targets.fused()).isFalse();
    }

    @Test
    void resolvingTwiceChangesNothing() {
        ExpertTargets once = of("all-linear");

        ExpertTargets twice = ExpertTargets.of(ExpertModules.SEPARATE, once.modules(), once.parameters());

        assertThat(twice.modules()).isEqualTo(once.modules());
        assertThat(twice.parameters()).isEqualTo(once.parameters());
    }

    @Test
    void noModulesMayBeNamed() {
        assertThat(of("none", "experts.down_proj").modules().words()).isEqualTo("none");
    }

    @Test
    void gateAndUpAreOne() {
        assertThatThrownBy(() -> of("gate_proj,down_proj"))
                .isInstanceOf(BadInputException.class)
                .hasMessage(
                        "Cannot add adapters on [gate_proj] of experts alone: expected gate_proj and up_proj or neither, which are one parameter");
    }

    @Test
    void layersOfExpertsAreNotChosenByNumber() {
        assertThatThrownBy(() -> ExpertTargets.of(
                        ExpertModules.SEPARATE,
                        new TargetModules.Narrowed(new TargetModules.AllLinear(), null, List.of(1)),
                        TargetParameters.NONE))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith("Cannot exclude modules or choose layers beside all-linear in a mixture");
    }

    @ParameterizedTest
    @ValueSource(strings = {"q_proj.weight", "weight", "", "mlp.experts.*", "xdown_proj"})
    void otherParametersAreRefused(String name) {
        assertThatThrownBy(() -> new TargetParameters(List.of(name)))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith("Unsupported target parameter " + name + ": expected names that end in");
    }

    @Test
    void aParameterIsNamedByItsPathOrHowItEnds() {
        TargetParameters parameters =
                new TargetParameters(List.of("experts.down_proj", "model.layers.1.mlp.gate.weight"));

        assertThat(parameters.matches("model.layers.0.mlp.experts.down_proj")).isTrue();
        assertThat(parameters.matches("model.layers.0.mlp.experts.gate_up_proj"))
                .isFalse();
        assertThat(parameters.matches("model.layers.1.mlp.gate.weight")).isTrue();
        assertThat(parameters.matches("model.layers.2.mlp.gate.weight")).isFalse();
    }
}
