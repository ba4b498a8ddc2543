package org.sparkqlora.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ProcessorFlagsTest {
    @ParameterizedTest
    @CsvSource({
        "'flags\t\t: fpu fma avx2 f16c', false",
        "'flags\t\t: avx2 avx512f avx512cd', false",
        "'flags\t\t: avx2 avx512f avx512dq avx512cd avx512bw avx512vl', false",
        "'flags\t\t: avx2 avx512f avx512dq avx512cd avx512bw avx512vl avx512_bf16', true",
        "'vendor_id\t: GenuineIntel;flags\t\t: avx512f avx512dq avx512cd avx512bw avx512vl avx512_bf16 avx512_fp16', false",
        "'vendor_id\t: GenuineIntel;flags\t\t: avx512f avx512dq avx512cd avx512bw avx512vl avx512_bf16 avx512_fp16 amx_bf16', true",
        "'vendor_id\t: GenuineIntel;flags\t\t: avx512f avx512dq avx512cd avx512bw avx512vl avx512_bf16', true",
        "'vendor_id\t: AuthenticAMD;flags\t\t: avx512f avx512dq avx512cd avx512bw avx512vl avx512_bf16 avx512_fp16', true",
        "'flags\t\t: avx2 avx_vnni_int8 avx_ne_convert', true",
        "'Features\t: fp asimd', false",
        "'Features\t: fp asimd bf16', true",
        "'model name\t: of a system that tells nothing', true",
    })
    void knowWhatMultipliesBfloat16(String lines, boolean multiplies) {
        ProcessorFlags flags =
                ProcessorFlags.of(Stream.concat(Stream.of("processor\t: 0"), Stream.of(lines.split(";", -1))));
        assertThat(flags.multiplyBfloat16()).isEqualTo(multiplies);
    }
}
