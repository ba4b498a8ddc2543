package org.sparkqlora.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.model.layout.LoraSpec;
import org.sparkqlora.model.layout.SavedModule;
import org.sparkqlora.model.layout.SavedModules;
import org.sparkqlora.model.layout.TargetModules;
import org.sparkqlora.model.layout.TargetParameters;

class ServerTest {
    private static final TargetModules ALL = new TargetModules.AllLinear();

    @ParameterizedTest
    @EnumSource(Server.class)
    void plainFactorsAreServedByAll(Server server) {
        assertThat(server.objections(LoraSpec.allLinear(16, 32))).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(Server.class)
    void magnitudesAndWholeModulesAreServedByNone(Server server) {
        LoraSpec rich = new LoraSpec(8, 16, 0, ALL, false, true, Map.of(), Map.of())
                .withSaved(new SavedModules(List.of(SavedModule.EMBEDDING), true));

        assertThat(server.objections(rich)).hasSize(2).first().asString().startsWith("use_dora: ");
    }

    /** A file has an alpha, and B has the rest of a scale; a folder's config has one scale. */
    @ParameterizedTest
    @CsvSource({"VLLM, 2", "SGLANG, 3", "LLAMA_CPP, 0", "OLLAMA, 0"})
    void scalesOfSingleModulesNeedAFile(Server server, int objections) {
        LoraSpec patterns = new LoraSpec(8, 16, 0, ALL, true, false, Map.of("q_proj", 4), Map.of("v_proj", 64.0));

        assertThat(server.objections(patterns)).hasSize(objections);
    }

    @ParameterizedTest
    @CsvSource({"VLLM, false", "SGLANG, false", "LLAMA_CPP, true", "OLLAMA, true"})
    void adaptersOfExpertsDoNotFitIntoAFile(Server server, boolean refused) {
        LoraSpec experts =
                LoraSpec.allLinear(8, 16).withParameters(new TargetParameters(List.of("mlp.experts.down_proj")));
        LoraSpec router = LoraSpec.allLinear(8, 16).withParameters(new TargetParameters(List.of("mlp.gate.weight")));

        assertThat(server.objections(experts))
                .isEqualTo(refused ? List.of("target_parameters: a GGUF LoRA holds none of experts") : List.of());
        assertThat(server.objections(router)).isEmpty();
    }

    @Test
    void vllmMakesRoomForTheLargestRank() {
        LoraSpec ranks = new LoraSpec(8, 16, 0, ALL, false, false, Map.of("q_proj", 40), Map.of());

        assertThat(Server.VLLM.serveAdapter("base", "out/adapter", "mine", ranks))
                .isEqualTo("vllm serve base --enable-lora --max-lora-rank 64 --lora-modules mine=out/adapter");
        assertThat(Server.VLLM.objections(LoraSpec.allLinear(640, 1)))
                .containsExactly("r: it makes room for ranks of at most 512, not 640");
    }

    @Test
    void aServerHasAName() {
        assertThat(Server.parse("llama.cpp")).isEqualTo(Server.LLAMA_CPP);
        assertThatThrownBy(() -> Server.parse("tgi"))
                .isInstanceOf(BadInputException.class)
                .hasMessage("Unsupported server 'tgi': expected one of vllm, sglang, llama.cpp, ollama");
    }

    @Test
    void pathsThatAShellWouldCutAreQuoted() {
        assertThat(Server.VLLM.serveAdapter("my models/base", "Ann's/adapter", "mine", 16))
                .isEqualTo(
                        "vllm serve 'my models/base' --enable-lora --max-lora-rank 16 --lora-modules mine='Ann'\"'\"'s/adapter'");
        assertThat(Server.LLAMA_CPP.serveModel("a b.gguf", "mine")).isEqualTo("llama-server -m 'a b.gguf'");
        assertThat(Server.OLLAMA.serveAdapter("base", "./100% $x.gguf", "mine", 16))
                .startsWith("printf '%s\\n' 'FROM ./base.gguf' 'ADAPTER ./100% $x.gguf' > Modelfile\n");
    }
}
