package org.sparkqlora.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.sparkqlora.tokenizer.ModelTokenizer;

class SharedTokenizersTest {
    private static final Path FOLDER = Path.of("src/test/resources/goldens/tokenizers/bytes");

    private final SharedTokenizers tokenizers = new SharedTokenizers();

    @Test
    void opensATokenizerOnceHoweverManyTasksUseIt() {
        try (SharedTokenizers.Lease first = lease("a")) {
            try (SharedTokenizers.Lease second = lease("a")) {
                assertThat(second.tokenizer()).isSameAs(first.tokenizer());
            }

            assertThat(first.tokenizer().encode("one two")).isNotEmpty();
        }

        try (SharedTokenizers.Lease later = lease("a")) {
            assertThat(later.tokenizer().encode("one two")).isNotEmpty();
        }
    }

    @Test
    void closesWhatNoOneUsesWhenAnotherIsAskedFor() {
        SharedTokenizers.Lease first = lease("a");
        ModelTokenizer unused = first.tokenizer();
        first.close();
        try (SharedTokenizers.Lease other = lease("b")) {
            assertThat(other.tokenizer()).isNotSameAs(unused);
            assertThatThrownBy(() -> unused.encode("one two")).hasMessageContaining("has been released already");
        }
    }

    @Test
    void keepsWhatIsInUse() {
        try (SharedTokenizers.Lease first = lease("a");
                SharedTokenizers.Lease other = lease("b")) {
            assertThat(first.tokenizer()).isNotSameAs(other.tokenizer());
            assertThat(first.tokenizer().encode("one two"))
                    .isEqualTo(other.tokenizer().encode("one two"));
        }
    }

    private SharedTokenizers.Lease lease(String key) {
        return tokenizers.lease(key, () -> ModelTokenizer.open(FOLDER));
    }
}
