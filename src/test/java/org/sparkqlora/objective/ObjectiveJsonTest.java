package org.sparkqlora.objective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.objective.DirectPreference.Weighted;

class ObjectiveJsonTest {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    static Stream<Objective> objectives() {
        List<Weighted> losses = List.of(new Weighted("sigmoid", 1), new Weighted("sft", 0.25));
        return Stream.of(
                Objective.SFT,
                new DirectPreference(losses, 0.2, 0.1, 0.5, Reference.INITIAL),
                new DirectPreference(losses, 0.2, 0.1, null, Reference.BASE),
                new KahnemanTversky(UnpairedLoss.APO_ZERO_UNPAIRED, 0.3, 1, 1.5, Reference.BASE),
                new OddsRatio(0.1),
                ContrastivePreference.cpo(0.1, 0.2, 1),
                ContrastivePreference.simpo(2, 0.5, 0.1, 0));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("objectives")
    void readsWhatItWrote(Objective objective) {
        ObjectNode node = MAPPER.createObjectNode();
        ObjectiveJson.write(objective, node);

        assertThat(ObjectiveJson.read(node)).isEqualTo(objective);
    }

    @Test
    void plansWithoutAnObjectiveAreSupervised() {
        assertThat(ObjectiveJson.read(null)).isEqualTo(Objective.SFT);
    }

    @Test
    void refusesNumbersThatMakeNoSense() {
        List<Weighted> exo = List.of(new Weighted("exo_pair", 1));

        assertThatThrownBy(() -> new DirectPreference(exo, 0.1, 0, null, Reference.BASE))
                .isInstanceOf(BadInputException.class)
                .hasMessage(
                        "Cannot take the loss exo_pair with label smoothing 0, whose logarithm it needs: expected 0.001, for instance");
        assertThatThrownBy(() -> new OddsRatio(0))
                .isInstanceOf(BadInputException.class)
                .hasMessage("Cannot take beta 0.0: expected more than 0");
        assertThatThrownBy(() -> ContrastivePreference.cpo(0.1, 0.5, 1))
                .isInstanceOf(BadInputException.class)
                .hasMessage("Cannot take label smoothing 0.5: expected 0 to less than 0.5");
        assertThatThrownBy(() -> new Weighted("kto", 1))
                .isInstanceOf(BadInputException.class)
                .hasMessage(
                        "Unsupported DPO loss 'kto': expected one of sigmoid, hinge, ipo, robust, exo_pair, nca_pair, sppo_hard, apo_zero, apo_down, sigmoid_norm");
    }
}
