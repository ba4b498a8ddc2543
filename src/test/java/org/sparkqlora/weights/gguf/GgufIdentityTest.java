package org.sparkqlora.weights.gguf;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The expected names are those of {@code gguf.Metadata} and {@code gguf.naming_convention}. */
class GgufIdentityTest {
    @ParameterizedTest
    @CsvSource({
        "Llama-3.2-1B-Instruct, 1235814400, Llama-3.2-1B-Instruct-Q8_0.gguf",
        "Mistral-7B-Instruct-v0.3, 7248023552, Mistral-7B-Instruct-v0.3-Q8_0.gguf",
        "SmolLM2-135M-Instruct, 134515008, SmolLM2-135M-Instruct-Q8_0.gguf",
        "Phi-3-mini-4k-instruct, 3821079552, Phi-3-mini-4k-instruct-Q8_0.gguf",
        "gemma-2-9b-it, 9241705984, gemma-2-9B-it-Q8_0.gguf",
        "Qwen2.5-0.5B, 494032768, Qwen2.5-0.5B-Q8_0.gguf",
        "merged, 134515008, Merged-135M-Q8_0.gguf",
        "my model, 8030261248, My-Model-8.0B-Q8_0.gguf",
        "llama-2-7b-32k-chat, 6738415616, llama-2-7B-32k-chat-Q8_0.gguf"
    })
    void aFileIsNamedAsLlamaCppNamesIt(String id, long parameters, String expected) {
        GgufIdentity.ParameterTotal total = new GgufIdentity.ParameterTotal(parameters, false);

        GgufIdentity identity = GgufIdentity.guessed(id, total).sized(total);

        assertThat(identity.fileName(GgufOutType.Q8_0, Optional.empty())).isEqualTo(expected);
    }
}
