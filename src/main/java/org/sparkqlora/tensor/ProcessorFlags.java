package org.sparkqlora.tensor;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The maker and the abilities of a machine's first processor, by the names that Linux gives.
 *
 * @param names empty where the system tells nothing
 */
public record ProcessorFlags(Set<String> names) {
    private static final Path SOURCE = Path.of("/proc/cpuinfo");
    /** Of the lines that count, of which each processor has one. */
    private static final List<String> KEYS = List.of("vendor_id", "flags", "Features");
    /** Without {@code avx512_bf16} oneDNN widens bfloat16 by itself, with a fifth of the speed of float32. */
    private static final Set<String> AVX512 =
            Set.of("avx512f", "avx512cd", "avx512bw", "avx512vl", "avx512dq", "avx512_bf16");

    /** Of Intel's processors that have AMX. Where a virtual machine hides it, oneDNN has half the speed of float32 for bfloat16. */
    private static final Set<String> BESIDE_AMX = Set.of("GenuineIntel", "avx512_fp16");

    private static final String AMX = "amx_bf16";
    private static final Set<String> AVX2 = Set.of("avx_vnni_int8", "avx_ne_convert");
    private static final Set<String> ARM = Set.of("bf16");

    public ProcessorFlags {
        names = Set.copyOf(names);
    }

    public static ProcessorFlags ofThisMachine() {
        if (!Files.isReadable(SOURCE)) {
            return new ProcessorFlags(Set.of());
        }

        try (Stream<String> lines = Files.lines(SOURCE)) {
            return of(lines);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read " + SOURCE, e);
        }
    }

    /** Of the lines of {@code /proc/cpuinfo}. */
    static ProcessorFlags of(Stream<String> lines) {
        List<String> told =
                lines.filter(line -> KEYS.stream().anyMatch(line::startsWith)).toList();
        return new ProcessorFlags(KEYS.stream()
                .flatMap(key ->
                        told.stream().filter(line -> line.startsWith(key)).limit(1))
                .flatMap(line -> Stream.of(line.split("\\s+", -1)))
                .collect(Collectors.toSet()));
    }

    /** Whether oneDNN has fast kernels for products of bfloat16 here; taken for granted where the system tells nothing. */
    public boolean multiplyBfloat16() {
        boolean hidesAmx = names.containsAll(BESIDE_AMX) && !names.contains(AMX);
        return names.isEmpty() || !hidesAmx && Stream.of(AVX512, AVX2, ARM).anyMatch(names::containsAll);
    }
}
