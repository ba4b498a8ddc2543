package org.sparkqlora.run.export;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.sparkqlora.checkpoint.Server;
import org.sparkqlora.model.layout.LoraSpec;

class ServerCheckTest {
    private static final String BASE = "hf://org/base-7b@main";

    @Test
    void aServerGetsABaseOnAHubByItsName() {
        assertThat(command(Server.VLLM)).startsWith("vllm serve org/base-7b --enable-lora ");
        assertThat(command(Server.LLAMA_CPP))
                .startsWith("spark-qlora export --model %s --output base.gguf\n".formatted(BASE));
    }

    private static String command(Server server) {
        return new ServerCheck(server, LoraSpec.allLinear(16, 16), List.of()).command(BASE, "run/adapter");
    }
}
