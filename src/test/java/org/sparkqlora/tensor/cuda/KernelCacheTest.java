package org.sparkqlora.tensor.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@NullMarked
class KernelCacheTest {
    @TempDir
    private Path folder;

    /** Tells what it was asked for, and counts how often. */
    private static final class CountingCompiler implements KernelCompiler {
        private final String identity;
        private final AtomicInteger compilations = new AtomicInteger();

        private CountingCompiler(String identity) {
            this.identity = identity;
        }

        @Override
        public String identity() {
            return identity;
        }

        @Override
        public byte[] cubin(KernelSource source, String architecture) {
            compilations.incrementAndGet();
            return "%s %s %s".formatted(identity, source, architecture).getBytes(StandardCharsets.UTF_8);
        }
    }

    @Test
    void eachSourceCardAndCompilerIsCompiledOnce() throws IOException {
        CountingCompiler old = new CountingCompiler("NVRTC 12.9");
        CountingCompiler later = new CountingCompiler("NVRTC 13.1");
        for (int process = 0; process < 2; process++) {
            for (CountingCompiler compiler : List.of(old, later)) {
                KernelCache cache = new KernelCache(folder.resolve("kernels"), compiler);
                for (KernelSource source : KernelSource.values()) {
                    for (String card : List.of("sm_80", "sm_90")) {
                        assertThat(cache.cubin(source, card)).isEqualTo(compiler.cubin(source, card));
                    }
                }
            }
        }

        int checks = 2 * 2 * KernelSource.values().length;
        assertThat(old.compilations.get() - checks).isEqualTo(checks / 2);
        assertThat(later.compilations.get() - checks).isEqualTo(checks / 2);
        try (Stream<Path> files = Files.list(folder.resolve("kernels"))) {
            assertThat(files).hasSize(checks).allMatch(file -> file.toString().endsWith(".cubin"));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 7, 32, 40})
    void aDamagedFileIsCompiledAnewAndMended(int length) throws IOException {
        CountingCompiler compiler = new CountingCompiler("a compiler");
        KernelCache cache = new KernelCache(folder, compiler);
        byte[] image = cache.cubin(KernelSource.ADAMW, "sm_75");
        Path file = cache.file(KernelSource.ADAMW, "sm_75");
        byte[] whole = Files.readAllBytes(file);

        Files.write(file, Arrays.copyOf(whole, length));
        assertThat(cache.cubin(KernelSource.ADAMW, "sm_75")).isEqualTo(image);
        assertThat(compiler.compilations).hasValue(2);
        assertThat(file).hasBinaryContent(whole);

        whole[whole.length - 1] ^= 1;
        Files.write(file, whole);
        assertThat(cache.cubin(KernelSource.ADAMW, "sm_75")).isEqualTo(image);
        assertThat(compiler.compilations).hasValue(3);
    }

    @Test
    void aFolderThatCannotBeMadeCostsOnlyTheCompilation() throws IOException {
        CountingCompiler compiler = new CountingCompiler("a compiler");
        KernelCache cache = new KernelCache(Files.createFile(folder.resolve("a file")), compiler);

        assertThat(cache.cubin(KernelSource.ADAMW, "sm_75")).isEqualTo(cache.cubin(KernelSource.ADAMW, "sm_75"));
        assertThat(compiler.compilations).hasValue(2);
    }

    @Test
    void whatCannotBeCompiledLeavesNothing() throws IOException {
        KernelCache cache = new KernelCache(folder, new KernelCompiler() {
            @Override
            public String identity() {
                return "none";
            }

            @Override
            public byte[] cubin(KernelSource source, String architecture) {
                throw new IllegalStateException("Cannot compile");
            }
        });

        assertThatThrownBy(() -> cache.cubin(KernelSource.ADAMW, "sm_75"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("Cannot compile");
        assertThat(folder).isEmptyDirectory();
    }
}
