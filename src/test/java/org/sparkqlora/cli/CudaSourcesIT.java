package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkqlora.tensor.cuda.KernelCache;
import org.sparkqlora.tensor.cuda.KernelCompiler;
import org.sparkqlora.tensor.cuda.KernelSource;
import org.sparkqlora.tensor.cuda.Nvrtc;

/** CUDA's own compiler takes the kernels for each generation of cards. That needs no card, and does not run them. */
@NullMarked
@Tag("platform")
class CudaSourcesIT {
    private static Nvrtc compiler;

    /** The package index has NVRTC, among what torch needs. */
    @BeforeAll
    static void findCompiler() throws IOException, InterruptedException {
        Path library = PythonEnvironment.open().file(Path.of("nvidia", "cu13", "lib", "libnvrtc.so.13"));
        compiler = Nvrtc.load(library.toString());
    }

    static Stream<Arguments> sourcesAndCards() {
        return Stream.of(KernelSource.values())
                .flatMap(source -> Stream.of("sm_75", "sm_80", "sm_90", "sm_100")
                        .map(architecture -> Arguments.of(source, architecture)));
    }

    @ParameterizedTest(name = "{0} for {1}")
    @MethodSource("sourcesAndCards")
    void compilesToIeeeOperationsThatAreNotFusedLater(KernelSource source, String architecture) {
        byte[] cubin = compiler.cubin(source, architecture);
        String instructions = compiler.ptx(source, architecture);

        assertThat(cubin).startsWith(0x7f, 'E', 'L', 'F');
        assertThat(instructions)
                .contains(".target " + architecture, "mul.rn.f32")
                .doesNotContain("mul.f32", "add.f32", "fma.", "mad.f32", ".approx", ".full", ".ftz");
    }

    @Test
    void divisionsAndRootsAreRoundedCorrectly() {
        assertThat(compiler.ptx(KernelSource.ADAMW, "sm_90")).contains("div.rn.f32", "sqrt.rn.f32");
    }

    @Test
    void aHostCompilesOnceForACard(@TempDir Path folder) throws IOException {
        KernelCache cache = new KernelCache(folder, compiler);
        byte[] compiled = cache.cubin(KernelSource.ADAMW, "sm_75");

        assertThat(compiler.identity()).startsWith("NVRTC 13.").contains("--fmad=false");
        assertThat(compiled).isEqualTo(compiler.cubin(KernelSource.ADAMW, "sm_75"));
        KernelCache later = new KernelCache(folder, new Cached(compiler.identity()));
        assertThat(later.cubin(KernelSource.ADAMW, "sm_75")).isEqualTo(compiled);
    }

    /** A compiler that is not to be asked. */
    private record Cached(String identity) implements KernelCompiler {
        @Override
        public byte[] cubin(KernelSource source, String architecture) {
            throw new AssertionError("compiled again");
        }
    }

    @Test
    void aCardThatTheCompilerDoesNotKnowIsNamed() {
        assertThatThrownBy(() -> compiler.cubin(KernelSource.ADAMW, "sm_20"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageStartingWith("Cannot compile adamw.cu for sm_20: NVRTC_ERROR_INVALID_OPTION");
    }
}
