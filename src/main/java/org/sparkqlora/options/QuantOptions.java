package org.sparkqlora.options;

import org.sparkqlora.quant.FourBitCode;
import org.sparkqlora.quant.QuantSpec;
import picocli.CommandLine.Option;

/** The 4-bit format of quantised weights. */
@OptionGroup.In(OptionGroup.MODEL)
public final class QuantOptions {
    @OptionGroup.Common
    @Option(
            names = "--quant",
            defaultValue = "nf4",
            paramLabel = "CODE",
            description =
                    "4-bit code: nf4 or fp4. nf4 has levels for normally distributed weights. Default: ${DEFAULT-VALUE}.")
    FourBitCode code = FourBitCode.NF4;

    @Option(
            names = "--no-double-quant",
            description = "Keep the scales of the 4-bit blocks in float32 instead of 8 bits: 0.37 bits a weight more at"
                    + " blocks of 64.")
    boolean plainScales;

    public QuantSpec spec() {
        return spec(QuantSpec.DEFAULT.blockSize());
    }

    public QuantSpec spec(int blockSize) {
        return new QuantSpec(code, blockSize, !plainScales);
    }
}
