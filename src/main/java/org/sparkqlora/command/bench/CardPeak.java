package org.sparkqlora.command.bench;

import java.util.Arrays;
import java.util.OptionalDouble;

/**
 * The peak rate of a card's matrix units that NVIDIA states, in 10^12 operations a second: dense products in bf16 with float32 sums (half of the figure
 * where a sheet counts sparsity), for the T4 in fp16. In the order in which names are looked through, since one may be a part of another.
 *
 * <p>From the pages of nvidia.com/en-us/data-center: hgx (B200: 4.5 PFLOPS sparse), h200 (1,979 sparse), h100 (1,979, NVL 1,671,
 * PCIe 1,513, sparse), a100 (312), l40s (362.05), l40 (181.05), l4 (242, sparse), and the data sheets of A40, A30, A10 and T4. GeForce:
 * appendices of the white papers on the architectures Ada (165.2) and GA102 (71). The A10G is made for AWS; its figure is told by
 * baseten.co (A10 vs A10G). Read in copies of these pages and in code that cites them; the H200 NVL's is taken from the H100 NVL, whose
 * chip it has.
 */
enum CardPeak {
    B200("B200", 2250),
    H200_NVL("H200 NVL", 835),
    H200("H200", 989),
    H100_NVL("H100 NVL", 835),
    H100_PCIE("H100 PCIe", 756),
    H100("H100", 989),
    A100("A100", 312),
    L40S("L40S", 362),
    L40("L40", 181),
    L4("L4", 121),
    A40("A40", 149.7),
    A30("A30", 165),
    A10G("A10G", 70),
    A10("A10", 125),
    T4("T4", 65),
    RTX_4090("RTX 4090", 165.2),
    RTX_3090("RTX 3090", 71);

    private static final double TERA = 1e12;

    private final String words;
    private final double teraOperations;

    CardPeak(String words, double teraOperations) {
        this.words = words;
        this.teraOperations = teraOperations;
    }

    /** Operations a second of the card that the driver calls {@code name}; nothing where it is none of these. */
    static OptionalDouble of(String name) {
        String parts = parts(name);
        return Arrays.stream(values())
                .filter(card -> parts.contains(parts(card.words)))
                .mapToDouble(card -> card.teraOperations * TERA)
                .findFirst();
    }

    /** Words between spaces, with one before the first and behind the last, so that L4 is no part of L40. */
    private static String parts(String name) {
        return " " + name.replace('-', ' ') + " ";
    }
}
