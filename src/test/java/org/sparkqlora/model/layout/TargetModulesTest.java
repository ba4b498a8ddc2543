package org.sparkqlora.model.layout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.model.layout.TargetModules.AllLinear;
import org.sparkqlora.model.layout.TargetModules.Expression;
import org.sparkqlora.model.layout.TargetModules.Names;
import org.sparkqlora.model.layout.TargetModules.Narrowed;

class TargetModulesTest {
    private static final String QUERY = "model.layers.1.self_attn.q_proj";
    private static final String DOWN = "model.layers.11.mlp.down_proj";

    @Test
    void namesMatchWholeEndings() {
        TargetModules targets = new Names(List.of("q_proj", "mlp.down_proj"));

        assertThat(targets.matches(QUERY)).isTrue();
        assertThat(targets.matches(DOWN)).isTrue();
        assertThat(targets.matches("model.layers.1.self_attn.eq_proj")).isFalse();
        assertThat(targets.matches("model.layers.1.self_attn.down_proj")).isFalse();
    }

    @Test
    void readsTheThreeNotations() {
        assertThat(TargetModules.parse("all-linear")).isEqualTo(new AllLinear());
        assertThat(TargetModules.parse("q_proj, v_proj")).isEqualTo(new Names(List.of("q_proj", "v_proj")));
        assertThat(TargetModules.parse(".*(q|v)_proj")).isEqualTo(new Expression(".*(q|v)_proj"));
    }

    @Test
    void excludesByNameOrExpression() {
        TargetModules byName = new Narrowed(new AllLinear(), new Names(List.of("q_proj")), List.of());
        TargetModules byExpression = new Narrowed(new AllLinear(), new Expression(".*mlp.*"), List.of());

        assertThat(byName.matches(QUERY)).isFalse();
        assertThat(byName.matches(DOWN)).isTrue();
        assertThat(byExpression.matches(QUERY)).isTrue();
        assertThat(byExpression.matches(DOWN)).isFalse();
    }

    @Test
    void keepsToItsLayers() {
        TargetModules targets = new Narrowed(new AllLinear(), null, List.of(1, 3));

        assertThat(targets.matches(QUERY)).isTrue();
        assertThat(targets.matches(DOWN)).isFalse();
        assertThat(targets.matches("lm_head")).isFalse();
    }

    @Test
    void takesAModuleNamedByItsWholePathInAnyLayer() {
        TargetModules targets = new Narrowed(new Names(List.of(DOWN)), null, List.of(1));

        assertThat(targets.matches(DOWN)).isTrue();
    }

    @Test
    @Timeout(600)
    void refusesAnExpressionThatTriesTooManyWays() {
        TargetModules hostile = new Expression(".*".repeat(14) + "!");

        assertThatThrownBy(() -> hostile.matches(QUERY))
                .isInstanceOf(BadInputException.class)
                .hasMessage(
                        "Cannot match '%s' with '%s!': expected an expression that is decided within 1048576 steps, found"
                                        .formatted(QUERY, ".*".repeat(14))
                                + " one that tries too many ways. Write it with fewer repetitions such as .*");
        LoraSpec lora =
                new LoraSpec(8, 8, 0, new AllLinear(), false, false, Map.of(".*".repeat(14) + "!", 4), Map.of());
        assertThatThrownBy(() -> lora.rankOf(QUERY))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith("Cannot match ");
    }

    @Test
    @Timeout(600)
    void readsAListOfManyNames() {
        String names = "q_proj, ".repeat(50_000) + "v_proj";

        assertThat(TargetModules.parse(names)).isInstanceOf(Names.class);
    }

    @Test
    void refusesLayersBesideAnExpression() {
        assertThatThrownBy(() -> new Narrowed(new Expression(".*q_proj"), null, List.of(1)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("Cannot limit .*q_proj to layers [1]: expected");
    }
}
