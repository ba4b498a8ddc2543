package org.sparkqlora.spark.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.sparkqlora.tokenizer.ModelTokenizer;

class SharedResourcesTest {
    private static final Path FOLDER = Path.of("src/test/resources/goldens/tokenizers/bytes");

    private final SharedResources<ModelTokenizer> tokenizers = new SharedResources<>(ModelTokenizer::close);

    @Test
    void opensATokenizerOnceHoweverManyTasksUseIt() {
        try (SharedResources<ModelTokenizer>.Lease first = lease("a")) {
            try (SharedResources<ModelTokenizer>.Lease second = lease("a")) {
                assertThat(second.get()).isSameAs(first.get());
            }

            assertThat(first.get().encode("one two")).isNotEmpty();
        }

        try (SharedResources<ModelTokenizer>.Lease later = lease("a")) {
            assertThat(later.get().encode("one two")).isNotEmpty();
        }
    }

    @Test
    void closesWhatNoOneUsesWhenAnotherIsAskedFor() {
        SharedResources<ModelTokenizer>.Lease first = lease("a");
        ModelTokenizer unused = first.get();
        first.close();
        try (SharedResources<ModelTokenizer>.Lease other = lease("b")) {
            assertThat(other.get()).isNotSameAs(unused);
            assertThatThrownBy(() -> unused.encode("one two")).hasMessageContaining("has been released already");
        }
    }

    @Test
    void keepsWhatIsInUse() {
        try (SharedResources<ModelTokenizer>.Lease first = lease("a");
                SharedResources<ModelTokenizer>.Lease other = lease("b")) {
            assertThat(first.get()).isNotSameAs(other.get());
            assertThat(first.get().encode("one two")).isEqualTo(other.get().encode("one two"));
        }
    }

    private SharedResources<ModelTokenizer>.Lease lease(String key) {
        return tokenizers.lease(key, () -> ModelTokenizer.open(FOLDER));
    }
}
